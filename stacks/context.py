"""What the app reads from its context: `-c KEY=VALUE` on the command line, or `cdk.json` (docs/cdk-json.md has each key)."""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum

import aws_cdk as cdk

from constructs_lib.waiver import WITHOUT_WAIVERS

_ALIKE = 0.75
"""How alike two names must be for one to be the other, mistyped; `difflib` calls it a cutoff."""


class Context(StrEnum):
    """Keys of the CDK context. The only `try_get_context` of `stacks` is below."""

    IMAGE = "image"
    IDLE = "idle"
    ONLY = "only"
    RECOVERING = "recovering"
    FLAGS = "flags"
    PORT_BASE = "port_base"
    SANDBOX = "sandbox"
    OWNER = "owner"
    EXPIRES = "expires"
    DESTROYABLE = "amply:destroyable"

    def of(self, app: cdk.App) -> object:
        """The value from the command line (text) or `cdk.json`, or None."""
        return app.node.try_get_context(self)


def refuse_mistyped(app: cdk.App) -> None:
    """Raise ValueError for a key that nobody reads and that is nearly one of ours: it would be left out in silence."""
    for mistyped, meant in _mistyped(app.node.get_all_context()):
        raise ValueError(f"Nothing reads -c {mistyped}=…; the key is called {meant}: -c {meant}=…")


def _mistyped(said: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Other keys are whoever's: a person's own `~/.cdk.json` may hold some, and the command line adds some."""
    known = [*Context, WITHOUT_WAIVERS]
    for key in sorted(set(said) - set(known)):
        if alike := get_close_matches(key.lower().replace("-", "_"), known, n=1, cutoff=_ALIKE):
            yield key, str(alike[0])
