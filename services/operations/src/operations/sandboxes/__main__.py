from operations.sandboxes.cli import cli

cli()
