"""Passwords and keys generated on this machine, each once, in a file that only its owner may read."""

import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path


def kept(path: Path, makers: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    """The named values in `path`; missing ones are generated and written, with mode 0600."""
    held = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: make() for name, make in makers.items() if name not in held}
    if missing:
        held |= missing
        write_privately(path, json.dumps(held, indent=2) + "\n")
    return {name: str(held[name]) for name in makers}


def write_privately(path: Path, text: str) -> None:
    """Replace a file atomically, never readable by others."""
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)


def new_password() -> str:
    return secrets.token_urlsafe(24)
