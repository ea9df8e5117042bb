"""From notebooks to a site of pages; knows no statistics."""
