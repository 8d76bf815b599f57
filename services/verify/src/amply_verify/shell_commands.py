"""What a shell and its user need: completion, and a manual page made from the commands themselves."""

import click
from click.shell_completion import get_completion_class

from amply_verify.manual_page import manual_page

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
Examples:
  amply-verify completion bash > ~/.local/share/bash-completion/completions/amply-verify
  amply-verify completion zsh > "${fpath[1]}/_amply-verify"
  amply-verify completion fish > ~/.config/fish/completions/amply-verify.fish
"""
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands and options."""
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"completion for {shell} is not there")
    root = context.find_root().command
    click.echo(found(root, {}, "amply-verify", "_AMPLY_VERIFY_COMPLETE").source())


@click.command(
    epilog="""\b
Examples:
  amply-verify manual | man -l -
  amply-verify manual > /usr/local/share/man/man1/amply-verify.1
"""
)
@click.pass_context
def manual(context: click.Context) -> None:
    """Print the manual page, for man(1)."""
    root = context.find_root().command
    click.echo(manual_page(root), nl=False)
