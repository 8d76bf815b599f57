"""`python -m operations.restore`."""

from operations.restore.cli import cli

cli(prog_name="python -m operations.restore")
