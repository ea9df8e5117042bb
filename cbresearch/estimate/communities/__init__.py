"""Communities side by side: steadied estimates, and which of them can be told apart."""
