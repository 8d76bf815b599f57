"""`python -m amply_verify`."""

from amply_verify.cli import main

main()
