"""Feature flags of the data platform in a run: set by `make local FLAGS=…`, and remembered."""

from collections.abc import Mapping

from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

NONE = "none"
TERMINALS = "iot"
ALL = ("marketplace", "etl", TERMINALS, "data-seller-portal")
"""As the CDK app's `-c flags=` takes them (`stacks/features.py`)."""

TOPMOST_FIRST = ("etl", "iot", "marketplace", "controlplane", "lake")
"""The stacks that flags bring, in the order in which they can be taken away."""


def choose(settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Flags from AMPLY_FLAGS, remembered for later commands; without it, the remembered ones.

    Raises:
        LocalCloudError: No flag is called so.
    """
    said = environ.get("AMPLY_FLAGS", "").strip()
    if not said:
        return remembered(settings)
    words = [] if said == NONE else [word.strip() for word in said.split(",")]
    for word in words:
        if word not in ALL:
            raise LocalCloudError(
                f"No flag is called {word!r}: write FLAGS={','.join(ALL)}, one of them, or FLAGS={NONE}."
            )
    chosen = tuple(flag for flag in ALL if flag in words)
    settings.flags.write_text(",".join(chosen))
    return chosen


def remembered(settings: Settings) -> tuple[str, ...]:
    """The remembered flags of this run; none by default."""
    said = settings.flags.read_text() if settings.flags.exists() else ""
    return tuple(word for word in said.split(",") if word)


def words(flags: tuple[str, ...]) -> str:
    return ", ".join(flags) or NONE
