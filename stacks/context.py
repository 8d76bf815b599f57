"""What the app reads from its context: `-c KEY=VALUE` on the command line, or `cdk.json` (docs/cdk-json.md has each key)."""

from collections.abc import Iterable
from enum import StrEnum

import aws_cdk as cdk

from constructs_lib.waiver import WITHOUT_WAIVERS


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
        written = key.lower().replace("-", "_")
        yield from ((key, str(meant)) for meant in known if _is_slip(written, meant))


def _is_slip(written: str, meant: str) -> bool:
    """Whether one letter is wrong, missing or too much, or two changed places. A longer name (`owners`) is another's."""
    if written == meant:
        return True
    return not written.startswith(meant) and _is_one_edit(written, meant)


def _is_one_edit(one: str, other: str) -> bool:
    """Optimal string alignment distance of at most 1."""
    pairs = enumerate(zip(one, other, strict=False))
    differ_at = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    one, other = one[differ_at:], other[differ_at:]
    are_swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return are_swapped or one[1:] in {other[1:], other} or one == other[1:]
