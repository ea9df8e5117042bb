"""From paper to a trustworthy table."""
