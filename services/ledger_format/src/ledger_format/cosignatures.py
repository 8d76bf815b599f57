"""Cosignatures after c2sp.org/tlog-cosignature: what a witness says of a checkpoint, with Ed25519 (type 0x04).

A cosignature states that, at its time, this was the largest consistent tree of the log that the witness had seen.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from ledger_format.ed25519 import SIGNATURE_BYTES, is_signature
from ledger_format.errors import NoteError, SignatureError
from ledger_format.literals import MAX_INTEGER, check_integer
from ledger_format.notes import (
    NoteSignature,
    check_key,
    key_id,
    parse_signatures,
    read_key,
    verify_signatures,
    write_key,
)

COSIGNATURE_TYPE: Final = b"\x04"
MAX_COSIGNATURES_BYTES: Final = 65_536
"""How long a witness's answer may be: 16 lines of post-quantum cosignatures under long names fit."""

_TIMESTAMP_BYTES: Final = 8


@dataclasses.dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's Ed25519 public key (32 bytes) and its name; written `name+key id+base64(0x04 || public key)`.

    Raises:
        NoteError: The name is empty, too long, or holds a space or a plus, or the key is not 32 bytes.
    """

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        check_key(self.name, self.public_key)

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """Read a witness's verifier key.

        Raises:
            NoteError: It is malformed, of another type than 0x04, or its key id is not its own.
        """
        return cls(*read_key(text, COSIGNATURE_TYPE, kind="a witness's Ed25519 key (type 0x04)"))

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || newline || 0x04 || public key)."""
        return key_id(self.name, COSIGNATURE_TYPE, self.public_key)

    def __str__(self) -> str:
        """Write the key as `parse` reads it."""
        return write_key(self.name, COSIGNATURE_TYPE, self.public_key)

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (8 bytes of time, 64 of Ed25519) is this witness's over the checkpoint's text."""
        if len(signature) != _TIMESTAMP_BYTES + SIGNATURE_BYTES:
            return False
        seconds = _seconds(signature)
        message = cosigned_message(text, seconds=seconds)
        return seconds <= MAX_INTEGER and self.has_signed(message, signature[_TIMESTAMP_BYTES:])

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether these 64 bytes are this key's over the message; where no library for it is, others say so."""
        return is_signature(self.public_key, signature, message)


def cosigned_message(text: str, *, seconds: int) -> bytes:
    """What an Ed25519 cosignature signs: a line of its own, the time, and the whole text of the checkpoint."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def cosign(text: str, key: WitnessKey, sign: Callable[[bytes], bytes], *, seconds: int) -> NoteSignature:
    """Cosign a checkpoint's text at a time in seconds since 1970 (UTC); `sign` makes the Ed25519 signature.

    Raises:
        NoteError: The time is impossible.
        SignatureError: What `sign` returned is not a signature by the key.
    """
    check_integer(seconds, what="the time of a cosignature", error=NoteError)
    made = sign(cosigned_message(text, seconds=seconds))
    signature = seconds.to_bytes(_TIMESTAMP_BYTES, "big") + made
    if not key.verify(text, signature):
        raise SignatureError(f"the signer's signature does not verify with the key {key}")
    return NoteSignature(key.name, key.key_id, signature)


def cosigned_at(signature: NoteSignature) -> int:
    """Read the time of a verified cosignature, in seconds since 1970 (UTC)."""
    return _seconds(signature.signature)


def read_cosignatures(answer: str, text: str, keys: Sequence[WitnessKey]) -> tuple[NoteSignature, ...]:
    """Pick, of a witness's answer, the true cosignatures over the text by these keys; all else in it is ignored.

    Raises:
        NoteError: The answer is no list of signature lines, or is too long.
        SignatureError: A line names one of the keys and is false.
    """
    if len(answer) > MAX_COSIGNATURES_BYTES:
        raise NoteError(f"cosignatures have at most {MAX_COSIGNATURES_BYTES} bytes")
    return verify_signatures(text, parse_signatures(answer), keys)


def _seconds(signature: bytes) -> int:
    return int.from_bytes(signature[:_TIMESTAMP_BYTES], "big")
