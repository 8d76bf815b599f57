"""The witness's own key: one file, made once, readable by its owner alone, and never replaced."""

import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amply_verify.outcome import CheckFailure, Exit
from ledger_format.cosignatures import COSIGNATURE_TYPE, WitnessKey, cosign
from ledger_format.errors import NoteError
from ledger_format.notes import NoteSignature, read_key, write_key

_MARK: Final = "PRIVATE+KEY+"
_FILE: Final = "witness.key"
_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_BYTES_MAX: Final = 1_024


@dataclass(frozen=True, kw_only=True)
class OwnKey:
    """A witness's private key, and the verifier key that others pin."""

    verifier: WitnessKey
    private: Ed25519PrivateKey

    def cosign(self, text: str, *, seconds: int) -> NoteSignature:
        """Cosign a checkpoint's text at a time in seconds since 1970 (UTC)."""
        return cosign(text, self.verifier, self.private.sign, seconds=seconds)


def has_key(directory: Path) -> bool:
    """Whether a key was made in this directory."""
    return (directory / _FILE).exists()


def own_key(directory: Path, *, name: str) -> OwnKey:
    """Read the key in this directory; make it when there is none.

    Raises:
        CheckFailure: It is another witness's, others may read it, or it is damaged. It is never made anew then.
    """
    path = directory / _FILE
    if not has_key(directory):
        _make(path, name=name)
    return _read(path, name=name)


def _make(path: Path, *, name: str) -> None:
    seed = secrets.token_bytes(32)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    try:
        WitnessKey(name, public)
    except NoteError as error:
        raise CheckFailure(Exit.USAGE, str(error), "choose another name for the witness") from error
    # `PRIVATE+KEY+name+id+base64(0x04 || seed)`: what other programs for signed notes write, with our type.
    text = f"{_MARK}{write_key(name, COSIGNATURE_TYPE, seed)}\n"
    new = path.with_name(f"{_FILE}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # never over a key that another start has made meanwhile
            os.link(new, path)
        new.unlink()
        _sync(path.parent)
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be written") from error


def _read(path: Path, *, name: str) -> OwnKey:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_BYTES_MAX + 1)
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be read") from error
    if mode & _FOR_OTHERS:
        raise CheckFailure(
            Exit.UNREADABLE,
            f"others than its owner may read the witness's key {str(path)!r}",
            f"type: chmod 600 {path}",
        )
    try:
        text = content.decode().removesuffix("\n")
        if not text.startswith(_MARK):
            raise _unusable(path, "it holds no witness's key")
        written, seed = read_key(
            text.removeprefix(_MARK), COSIGNATURE_TYPE, kind="a witness's key (type 0x04)"
        )
    except (UnicodeDecodeError, NoteError) as error:
        raise _unusable(path, "it is damaged") from error
    if written != name:
        raise CheckFailure(
            Exit.USAGE,
            f"the key {str(path)!r} is of the witness {written}, not of {name}",
            "give that name, or another directory: a witness's name and key belong together for ever",
        )
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return OwnKey(verifier=WitnessKey(name, private.public_key().public_bytes_raw()), private=private)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, reason: str) -> CheckFailure:
    return CheckFailure(
        Exit.UNREADABLE,
        f"the witness's key {str(path)!r} cannot be used ({reason})",
        "bring back its backup, or give an empty directory to begin as a new witness",
    )
