"""Passwords and keys made on this machine: each in a file only its owner may read, made once and kept."""

import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path


def kept(path: Path, make: Callable[[], Mapping[str, str]]) -> dict[str, str]:
    """What `path` holds; made by `make` and written with mode 0600 when the file does not exist."""
    if not path.exists():
        write_privately(path, json.dumps(dict(make()), indent=2) + "\n")
    return {str(name): str(value) for name, value in json.loads(path.read_text()).items()}


def write_privately(path: Path, text: str) -> None:
    """Replace a file as a whole; nobody else can read it at any moment."""
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)


def new_password() -> str:
    return secrets.token_urlsafe(24)
