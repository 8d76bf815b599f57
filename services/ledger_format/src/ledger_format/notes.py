"""Signed notes after c2sp.org/signed-note, with Ed25519 (type 0x01) as the only signature type."""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final

from ledger_format.errors import NoteError, SignatureError, UntrustedNoteError
from ledger_format.literals import parse_base64, show, to_base64

MAX_NOTE_BYTES: Final = (
    131_072  # 16 post-quantum cosignatures of 5 kB in base64 fit, which the specification asks for
)
MAX_SIGNATURES: Final = 64
MAX_NAME_LENGTH: Final = 200

_ED25519: Final = b"\x01"
_PUBLIC_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_KEY_ID_BYTES: Final = 4
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")
_SIGNATURE_MARK: Final = "\u2014 "  # em dash and space
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")  # all ASCII control characters but the newline


@dataclasses.dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 public key (32 bytes) and the name it signs under; written `name+key id+base64`.

    Raises:
        NoteError: The name is empty, too long, or holds a space or a plus, or the key is not 32 bytes.
    """

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public_key) != _PUBLIC_KEY_BYTES:
            raise NoteError(f"an Ed25519 public key has {_PUBLIC_KEY_BYTES} bytes")

    @classmethod
    def from_ed25519(cls, name: str, public_key: bytes) -> "VerifierKey":
        """Make a key from its name and its raw 32 bytes (RFC 8032)."""
        return cls(name, public_key)

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `name+key id in hexadecimal+base64(0x01 || public key)`.

        Raises:
            NoteError: It is malformed, of another type than Ed25519, or its key id is not its own.
        """
        parts = text.split("+", 2)
        if len(parts) != 3 or _KEY_ID.fullmatch(parts[1]) is None:  # noqa: PLR2004 -- the three parts named above
            raise NoteError(f"a verifier key looks like name+0123abcd+base64, not {show(text)}")
        encoded = parse_base64(parts[2], what="the verifier key", error=NoteError)
        if encoded[:1] != _ED25519:
            raise NoteError("the verifier key is not an Ed25519 key (type 0x01)")
        key = cls(parts[0], encoded[1:])
        if key.key_id.hex() != parts[1]:
            raise NoteError("the verifier key's id does not belong to its name and key")
        return key

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || newline || 0x01 || public key)."""
        preimage = self.name.encode() + b"\n" + _ED25519 + self.public_key
        return hashlib.sha256(preimage).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """Write the key as `parse` reads it."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(_ED25519 + self.public_key)}"

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's signature over the note text."""
        # Here and not above: a subclass that has its signatures verified elsewhere needs no library for them.
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):  # ValueError: the 32 bytes are no point of the curve
            return False
        return True


@dataclasses.dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who (name and 4-byte key id) and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class SignedNote:
    """A note's text, final newline included, and those of its signatures that a trusted key has made."""

    text: str
    signatures: tuple[NoteSignature, ...]


def sign_note(text: str, name: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Sign a text as a note with one signature line; `sign` makes the Ed25519 signature over the bytes it is given.

    Raises:
        NoteError: The text cannot be a note's.
        SignatureError: What `sign` returned is not a signature by `public_key`.
    """
    _check_text(text)
    key = VerifierKey(name, public_key)
    signature = sign(text.encode())
    # A signer far away may hold another key than the one it is asked for: find out before anybody else does.
    if not key.verify(text, signature):
        raise SignatureError(f"the signer's signature does not verify with the key {key}")
    return f"{text}\n{_SIGNATURE_MARK}{name} {to_base64(key.key_id + signature)}\n"


def open_note(note: str, verifiers: Sequence[VerifierKey]) -> SignedNote:
    """Verify a note. Signatures by unknown keys are ignored; every signature by a known key must be true.

    Raises:
        NoteError: The note is malformed.
        SignatureError: A signature names a trusted key and is false.
        UntrustedNoteError: No trusted key has signed.
    """
    text, signatures = _split(note)
    trusted = {(key.name, key.key_id): key for key in verifiers}
    verified = []
    for signature in signatures:
        key = trusted.get((signature.name, signature.key_id))
        if key is None:
            continue
        if len(signature.signature) != _SIGNATURE_BYTES or not key.verify(text, signature.signature):
            raise SignatureError(
                f"the signature by {key.name} is false: the text or the signature was changed"
            )
        verified.append(signature)
    if not verified:
        raise UntrustedNoteError("the note carries no signature by a key you trust")
    return SignedNote(text, tuple(verified))


def _split(note: str) -> tuple[str, list[NoteSignature]]:
    _check_characters(note)
    text, separator, block = note.rpartition("\n\n")
    if not separator or not text:
        raise NoteError("a note is a text, an empty line, and signatures")
    lines = block.split("\n")
    if lines.pop() != "" or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise NoteError(f"a note ends with 1 to {MAX_SIGNATURES} signature lines, each with its newline")
    return f"{text}\n", [_signature(line) for line in lines]


def _signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    if not line.startswith(_SIGNATURE_MARK):
        raise NoteError("a signature line begins with an em dash and a space")
    _check_name(name)
    value = parse_base64(encoded, what="a signature", error=NoteError)
    if len(value) <= _KEY_ID_BYTES:
        raise NoteError("a signature line holds a key id and a signature")
    return NoteSignature(name, value[:_KEY_ID_BYTES], value[_KEY_ID_BYTES:])


def _check_text(text: str) -> None:
    _check_characters(text)
    if not text.endswith("\n") or text.startswith("\n"):
        raise NoteError("a note's text is not empty and ends with a newline")


def _check_characters(text: str) -> None:
    try:
        length = len(text.encode())
    except UnicodeEncodeError as failure:
        raise NoteError("a note is valid UTF-8") from failure
    if length > MAX_NOTE_BYTES:
        raise NoteError(f"a note has at most {MAX_NOTE_BYTES} bytes, not {length}")
    if _CONTROL.search(text):
        raise NoteError("a note has no control characters but the newline")


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= MAX_NAME_LENGTH or "+" in name or any(char.isspace() for char in name):
        raise NoteError(
            f"a key name is 1 to {MAX_NAME_LENGTH} characters without spaces or plus, not {show(name)}"
        )
    _check_characters(name)
