"""Signed notes after c2sp.org/signed-note: Ed25519 signatures (type 0x01), and room for cosignatures (type 0x04)."""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ledger_format.ed25519 import PUBLIC_KEY_BYTES, is_signature
from ledger_format.errors import NoteError, SignatureError, UntrustedNoteError
from ledger_format.literals import parse_base64, show, to_base64

MAX_NOTE_BYTES: Final = (
    131_072  # 16 post-quantum cosignatures of 5 kB in base64 fit, which the specification asks for
)
MAX_SIGNATURES: Final = 64
MAX_NAME_LENGTH: Final = 200

_ED25519: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")
_SIGNATURE_MARK: Final = "\u2014 "  # em dash and space
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")  # all ASCII control characters but the newline
_NOT_IN_NAME: Final = re.compile("[+\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
"""The plus that separates the parts of a key, and what Unicode calls a space: named here, so that no library's tables decide."""


class NoteKey(Protocol):
    """A public key that signature lines of notes can be by: a log's (`VerifierKey`) or a witness's (`WitnessKey`)."""

    @property
    def name(self) -> str:
        """What the key's signature lines are under."""
        ...

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that its signature lines begin with; with the name they say which key it was, and its type."""
        ...

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (what follows the key id) is this key's over the note text."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 public key (32 bytes) and the name it signs under; written `name+key id+base64`.

    Raises:
        NoteError: The name is empty, too long, or holds a space or a plus, or the key is not 32 bytes.
    """

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        check_key(self.name, self.public_key)

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
        return cls(*read_key(text, _ED25519, kind="an Ed25519 key (type 0x01)"))

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || newline || 0x01 || public key)."""
        return key_id(self.name, _ED25519, self.public_key)

    def __str__(self) -> str:
        """Write the key as `parse` reads it."""
        return write_key(self.name, _ED25519, self.public_key)

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's signature over the note text."""
        return is_signature(self.public_key, signature, text.encode())


@dataclasses.dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who (name and 4-byte key id) and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def signer(self) -> tuple[str, bytes]:
        """Which key it claims to be by."""
        return self.name, self.key_id

    def line(self) -> str:
        """Write the line with its newline, in its only spelling."""
        return f"{_SIGNATURE_MARK}{self.name} {to_base64(self.key_id + self.signature)}\n"


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
    return f"{text}\n{NoteSignature(name, key.key_id, signature).line()}"


def add_signatures(note: str, signatures: Sequence[NoteSignature]) -> str:
    """Add signature lines at a note's end; a line it has already is not added again.

    Raises:
        NoteError: The note is malformed, or would be with the lines.
    """
    _, present = split_note(note)
    new = [signature for signature in dict.fromkeys(signatures) if signature not in present]
    longer = note + "".join(signature.line() for signature in new)
    split_note(longer)
    return longer


def open_note(note: str, verifiers: Sequence[NoteKey]) -> SignedNote:
    """Verify a note. Signatures by unknown keys are ignored; every signature by a known key must be true.

    Raises:
        NoteError: The note is malformed.
        SignatureError: A signature names a trusted key and is false.
        UntrustedNoteError: No trusted key has signed.
    """
    text, signatures = split_note(note)
    verified = verify_signatures(text, signatures, verifiers)
    if not verified:
        raise UntrustedNoteError("the note carries no signature by a key you trust")
    return SignedNote(text, verified)


def verify_signatures(
    text: str, signatures: Sequence[NoteSignature], verifiers: Sequence[NoteKey]
) -> tuple[NoteSignature, ...]:
    """Pick the signatures by known keys. Those by unknown keys are ignored.

    Key ids are short: two known keys may share theirs and their name. What names both must be true for both.

    Raises:
        SignatureError: A signature names a known key and is false.
    """
    trusted: dict[tuple[str, bytes], list[NoteKey]] = {}
    for key in dict.fromkeys(verifiers):
        trusted.setdefault((key.name, key.key_id), []).append(key)
    known = [signature for signature in signatures if signature.signer in trusted]
    for signature in known:
        if not all(key.verify(text, signature.signature) for key in trusted[signature.signer]):
            raise SignatureError(
                f"the signature by {signature.name} is false: the text or the signature was changed"
            )
    return tuple(known)


def split_note(note: str) -> tuple[str, tuple[NoteSignature, ...]]:
    """Take a note apart into its text and its signatures, none of them verified.

    Raises:
        NoteError: It is malformed.
    """
    _check_characters(note)
    text, separator, block = note.rpartition("\n\n")
    if not separator or not text:
        raise NoteError("a note is a text, an empty line, and signatures")
    return f"{text}\n", parse_signatures(block)


def parse_signatures(block: str) -> tuple[NoteSignature, ...]:
    """Read 1 to 64 signature lines, each with its newline; none of them is verified.

    Raises:
        NoteError: They are malformed.
    """
    _check_characters(block)
    lines = block.split("\n")
    if lines.pop() != "" or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise NoteError(f"a note ends with 1 to {MAX_SIGNATURES} signature lines, each with its newline")
    return tuple(_signature(line) for line in lines)


def check_key(name: str, public_key: bytes) -> None:
    """Refuse what cannot be a key of any type here.

    Raises:
        NoteError: The name is empty, too long, or holds a space or a plus, or the key is not 32 bytes.
    """
    _check_name(name)
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise NoteError(f"an Ed25519 public key has {PUBLIC_KEY_BYTES} bytes")


def key_id(name: str, kind: bytes, public_key: bytes) -> bytes:
    """Compute the first 4 bytes of SHA-256(name || newline || type byte || public key)."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key).digest()[:_KEY_ID_BYTES]


def write_key(name: str, kind: bytes, key: bytes) -> str:
    """Write `name+key id in hexadecimal+base64(type byte || public key)`."""
    return f"{name}+{key_id(name, kind, key).hex()}+{to_base64(kind + key)}"


def read_key(text: str, type_byte: bytes, *, kind: str) -> tuple[str, bytes]:
    """Read what `write_key` writes: name and public key of a key of one type, which `kind` puts into words.

    Raises:
        NoteError: It is malformed, of another type, or its key id is not its own.
    """
    parts = text.split("+", 2)
    if len(parts) != 3 or _KEY_ID.fullmatch(parts[1]) is None:  # noqa: PLR2004 -- the three parts named above
        raise NoteError(f"a verifier key looks like name+0123abcd+base64, not {show(text)}")
    encoded = parse_base64(parts[2], what="the verifier key", error=NoteError)
    if encoded[:1] != type_byte:
        raise NoteError(f"the verifier key is not {kind}")
    name, public_key = parts[0], encoded[1:]
    check_key(name, public_key)
    if key_id(name, type_byte, public_key).hex() != parts[1]:
        raise NoteError("the verifier key's id does not belong to its name and key")
    return name, public_key


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
    if not 1 <= len(name) <= MAX_NAME_LENGTH or _NOT_IN_NAME.search(name):
        raise NoteError(
            f"a key name is 1 to {MAX_NAME_LENGTH} characters without spaces or plus, not {show(name)}"
        )
    _check_characters(name)
