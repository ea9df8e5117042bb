"""What communities do and what goes with it: effects, and how far to trust them."""
