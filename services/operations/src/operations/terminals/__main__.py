from operations.terminals.cli import cli

cli()
