"""Checks prerequisites. Each missing one is a sentence that says what to type."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from local_cloud.failures import LocalCloudError
from local_cloud.settings import PROJECT_ROOT, Settings

_NODE_NEEDED = "Node.js is missing: install Node 20 or newer."


def require_everything(settings: Settings) -> None:
    """Raise the first missing prerequisite."""
    for sentence in _missing(settings):
        raise LocalCloudError(sentence)


def require_own(settings: Settings) -> None:
    """Raise when the run is another user's, who alone can see and end it, or the environment another checkout's."""
    for sentence in _not_ours(settings.state):
        raise LocalCloudError(sentence)


def require_run(settings: Settings) -> None:
    """Raise when the directory is not a run's alone: nothing of it may be removed."""
    if settings.state.exists() and not settings.holds_a_run:
        raise LocalCloudError(
            f"{settings.state} is no run of this platform, or holds more than that, and is left as it is: name the run's "
            "own folder in AMPLY_LOCAL_DIR."
        )


def _missing(settings: Settings) -> Iterator[str]:
    if not sys.platform.startswith("linux"):
        yield "The laptop cloud runs on Linux only: it relies on what its kernel does when a process ends."
    yield from _not_ours(settings.state)
    if settings.state.exists() and os.geteuid() == 0 and settings.state.stat().st_uid != 0:
        # PostgreSQL, which root starts as nobody, could not read what is there; and its owner would be locked out.
        yield f"{settings.state} belongs to {_name(settings.state)}: type the command as that user, without sudo."
    if settings.state.exists() and any(settings.state.iterdir()) and not settings.holds_a_run:
        yield (
            f"{settings.state} holds something else than a run of this platform: set AMPLY_LOCAL_DIR to an empty folder, "
            "or to one that does not exist yet."
        )
    if not _is_writable(settings.state):
        yield f"{settings.state} cannot be made by this user: set AMPLY_LOCAL_DIR to a folder of your own."
    if shutil.which("node") is None:
        yield _NODE_NEEDED
    if not settings.cdk.exists():
        yield "The CDK command line is missing: type 'make setup'."
    if not settings.emulator_python.exists():
        yield "The emulated cloud's environment is missing: type 'make setup'."
    if not (settings.root / "services" / "widgets" / "dist").exists():
        yield "The widgets are not built: type 'make setup'."
    if not (settings.root / "app.py").exists():
        yield f"There is no CDK app in {settings.root}: the laptop cloud runs from a checkout."


def _not_ours(state: Path) -> Iterator[str]:
    environment = Path(sys.prefix)
    if environment.name == ".venv" and environment.parent.resolve() != PROJECT_ROOT:
        # It would act on the run of the checkout that it was copied from.
        yield f"{environment} was copied from {PROJECT_ROOT}: 'make setup' makes it anew."
    if not state.exists():
        return
    if not state.is_dir():
        yield f"{state} is a file: set AMPLY_LOCAL_DIR to a folder."
    elif (owner := _other_owner(state)) is not None:
        yield (
            f"{state} belongs to {owner}: type the command as that user (root: with sudo), or set AMPLY_LOCAL_DIR to "
            "another folder."
        )


def _other_owner(directory: Path) -> str | None:
    """Who else has a directory, or something in it that this user may not change."""
    if not _is_writable(directory):
        return _name(directory)
    return next(
        (owner for path in directory.iterdir() if (owner := _owner_in_the_way(path)) is not None), None
    )


def _owner_in_the_way(path: Path) -> str | None:
    """Who owns what this user may not change; nobody does of what has gone meanwhile, as sockets do while a run ends."""
    try:
        return None if os.access(path, os.W_OK) else _name(path)
    except FileNotFoundError:
        return None


def _is_writable(directory: Path) -> bool:
    """Whether this user may write there, or make it where it does not exist yet."""
    nearest = next(parent for parent in (directory, *directory.parents) if parent.exists())
    return os.access(nearest, os.R_OK | os.W_OK | os.X_OK)


def _name(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:  # the system knows no name of it
        return f"user {path.stat().st_uid}"
