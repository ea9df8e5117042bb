"""How people were drawn: what they stand for, and what the drawing leaves in doubt."""
