"""Checks prerequisites. Each missing one is a sentence that says what to type."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

_NODE_NEEDED = "Node.js is missing: install Node 20 or newer."


def require_everything(settings: Settings) -> None:
    """Raise the first thing that is missing."""
    for sentence in _missing(settings):
        raise LocalCloudError(sentence)


def _missing(settings: Settings) -> Iterator[str]:
    if not sys.platform.startswith("linux"):
        yield "The laptop cloud runs on Linux only: it relies on what its kernel does when a process ends."
    if settings.state.exists() and not settings.state.is_dir():
        yield f"{settings.state} is a file: set AMPLY_LOCAL_DIR to a folder."
    elif not _is_writable(settings.state):
        yield f"{settings.state} belongs to another user: run as that user, or set AMPLY_LOCAL_DIR to another folder."
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


def _is_writable(directory: Path) -> bool:
    """Whether this user may write there, or make it where it does not exist yet."""
    nearest = next(parent for parent in (directory, *directory.parents) if parent.exists())
    mine = all(os.access(path, os.W_OK) for path in nearest.iterdir()) if nearest == directory else True
    return mine and os.access(nearest, os.W_OK | os.X_OK)
