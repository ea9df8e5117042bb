"""Many indicators in one number per community, and how far that number depends on how it was made."""
