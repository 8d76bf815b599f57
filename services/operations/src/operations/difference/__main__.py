"""`python -m operations.difference BEFORE AFTER`."""

from operations.difference.cli import main

main()
