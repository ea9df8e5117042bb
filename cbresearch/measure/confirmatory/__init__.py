"""Whether items belong where they were meant to: confirmatory factors, validity, invariance."""
