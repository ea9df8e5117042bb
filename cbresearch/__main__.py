"""`python -m cbresearch` does what `cbresearch` does."""

from cbresearch.cli import main

main()
