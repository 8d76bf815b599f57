"""Certificates of released data: what a release is, under a signature, in a chain. The package `amply_lake` makes them.

A certificate is a signed note (c2sp.org/signed-note) of two lines: `amply-release-certificate@v1`, and the certificate as
canonical JSON (RFC 8785) in ASCII. Shares are texts of decimals, so that no reader rounds them. `previous` is the SHA-256
of the file of the same buyer's certificate before, and the first has none.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import rfc8785

from ledger_format.errors import CertificateError, UnknownCertificateError
from ledger_format.literals import show
from ledger_format.notes import MAX_NOTE_BYTES, NoteKey, open_note, sign_note

MAX_CERTIFICATE_BYTES: Final = MAX_NOTE_BYTES
MAX_PARTS: Final = 200

_MAGIC: Final = "amply-release-certificate@v1"
_MAGIC_OF_ANY: Final = re.compile(r"amply-release-certificate@v[0-9]{1,4}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_COLUMN: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SHARE: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,12})?")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_MAX_COUNT: Final = 2**53 - 1
_SIGNATURE_LINE_BYTES: Final = (
    1_024  # an empty line, a name of 200 characters, and a key id and signature in base64
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a release: the rows of one batch that are released.

    `k`, `l` and `t` are what the file is; `demanded_k`, `demanded_l` and `suppression_limit` what its policy asked for.
    `rows_in`, `suppressed` and `loss` are the batch's own, from when it was made; it was made from `sources` files, which
    `sources_sha256` names (`sources_digest`).
    `withheld` counts its cells that are released no more, because somebody in them has withdrawn.
    """

    batch: int
    file: str
    sha256: str
    size: int
    rows: int
    people: int
    classes: int
    k: int
    l: int | None  # noqa: E741 -- the field's own name
    t: str | None
    loss: str
    rows_in: int
    suppressed: int
    withheld: int
    policy: str
    policy_sha256: str
    demanded_k: int
    demanded_l: int
    suppression_limit: str
    levels: Mapping[str, int]
    sensitive: tuple[str, ...]
    person: str | None
    sources: int
    sources_sha256: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What one release to one buyer is. `release` counts from 1; `issued_at` is in UTC, to the second."""

    dataset: str
    buyer: str
    release: int
    issued_at: datetime
    previous: str | None
    parts: tuple[Part, ...]

    @property
    def k(self) -> int:
        """The fewest people that any row is one of."""
        return min(part.k for part in self.parts)

    @property
    def l(self) -> int | None:  # noqa: E743 -- the field's own name
        """The fewest values of a sensitive column in any class; None where nothing is sensitive."""
        return min((part.l for part in self.parts if part.l is not None), default=None)

    @property
    def t(self) -> str | None:
        """The farthest that any class's values are from its file's."""
        return max((part.t for part in self.parts if part.t is not None), key=float, default=None)

    @property
    def rows(self) -> int:
        """The rows of all files."""
        return sum(part.rows for part in self.parts)


@dataclasses.dataclass(frozen=True, slots=True)
class VerifiedCertificate:
    """A certificate that a trusted key has signed, and by whom."""

    certificate: Certificate
    signers: tuple[str, ...]


def sources_digest(hashes: Collection[str]) -> str:
    """Name the files that a batch was made from by one hash: SHA-256 of their SHA-256s, in order, a line each.

    `sha256sum FILE… | cut -c1-64 | LC_ALL=C sort | sha256sum` says the same.
    """
    return hashlib.sha256("".join(f"{each}\n" for each in sorted(hashes)).encode()).hexdigest()


def encode_certificate(certificate: Certificate) -> str:
    """Write the certificate's text, ready to be signed.

    Raises:
        CertificateError: It breaks a rule of the format, or has no room for a signature.
    """
    document: dict[str, Any] = {
        "dataset": certificate.dataset,
        "buyer": certificate.buyer,
        "release": certificate.release,
        "issued_at": f"{certificate.issued_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        **({"previous": certificate.previous} if certificate.previous is not None else {}),
        "parts": [_spell(part) for part in certificate.parts],
    }
    try:
        written = rfc8785.dumps(document)
    except rfc8785.CanonicalizationError as failure:
        raise CertificateError("the certificate holds what canonical JSON cannot") from failure
    text = f"{_MAGIC}\n{written.decode()}\n"
    if len(text) > MAX_CERTIFICATE_BYTES - _SIGNATURE_LINE_BYTES:
        raise CertificateError(
            f"a certificate has at most {MAX_CERTIFICATE_BYTES} bytes with its signature, and the text alone {len(text)}"
        )
    _decode(text)
    return text


def sign_certificate(
    certificate: Certificate, name: str, public_key: bytes, sign: Callable[[bytes], bytes]
) -> str:
    """Sign a certificate as a note; `sign` makes the Ed25519 signature over the bytes it is given.

    Raises:
        FormatError: The certificate breaks a rule (CertificateError), or the signature is false (SignatureError).
    """
    return sign_note(encode_certificate(certificate), name, public_key, sign)


def open_certificate(note: bytes, verifiers: Sequence[NoteKey]) -> VerifiedCertificate:
    """Verify a certificate's file against keys that come from elsewhere.

    Raises:
        FormatError: Whatever is wrong first: its size or text (CertificateError, NoteError), or its signature.
    """
    if len(note) > MAX_CERTIFICATE_BYTES:
        raise CertificateError(f"a certificate has at most {MAX_CERTIFICATE_BYTES} bytes, not {len(note)}")
    try:
        text = note.decode()
    except UnicodeDecodeError as failure:
        raise CertificateError("a certificate is UTF-8 text") from failure
    opened = open_note(text, verifiers)
    certificate = _decode(opened.text)
    return VerifiedCertificate(certificate, tuple(dict.fromkeys(each.name for each in opened.signatures)))


def _decode(text: str) -> Certificate:
    magic, _, body = text.partition("\n")
    if magic != _MAGIC:
        if _MAGIC_OF_ANY.fullmatch(magic):
            raise UnknownCertificateError(
                f"the certificate is of a version that is not known here ({show(magic)})"
            )
        raise CertificateError(f"a certificate begins with the line {_MAGIC}")
    line = body.removesuffix("\n")
    try:
        raw = json.loads(line, object_pairs_hook=_no_key_twice, parse_float=_no_fraction)
        is_canonical = line.isascii() and rfc8785.dumps(raw) == line.encode()
    except (ValueError, RecursionError) as failure:
        raise CertificateError("the certificate's second line is not JSON") from failure
    if not is_canonical:
        raise CertificateError("the certificate's JSON is not in its canonical form (RFC 8785)")
    _exactly(raw, {"dataset", "buyer", "release", "issued_at", "parts"}, frozenset({"previous"}))
    parts = raw["parts"]
    if not isinstance(parts, list) or not 1 <= len(parts) <= MAX_PARTS:
        raise CertificateError(f"a certificate has 1 to {MAX_PARTS} parts")
    certificate = Certificate(
        dataset=_text(raw, "dataset", _NAME),
        buyer=_text(raw, "buyer", _NAME),
        release=_count(raw, "release", 1),
        issued_at=_time(_text(raw, "issued_at", _TIME)),
        previous=_text(raw, "previous", _HASH) if "previous" in raw else None,
        parts=tuple(_part(part) for part in parts),
    )
    _check(certificate)
    return certificate


def _check(certificate: Certificate) -> None:
    """Refuse what contradicts itself."""
    if (certificate.previous is None) != (certificate.release == 1):
        raise CertificateError("the first certificate has none before it, and each later one has")
    batches = [part.batch for part in certificate.parts]
    if batches != sorted(set(batches)) or len({part.file for part in certificate.parts}) != len(batches):
        raise CertificateError("the certificate's parts are not in order, or two have one name")
    for part in certificate.parts:
        if part.k < part.demanded_k or (part.l is not None and part.l < part.demanded_l):
            raise CertificateError(f"the part {part.file} has less than its own policy demands")
        if part.people < part.k or part.rows < part.people or part.rows > part.rows_in - part.suppressed:
            raise CertificateError(f"the counts of the part {part.file} contradict each other")
        if part.suppressed > Decimal(part.suppression_limit) * part.rows_in:
            raise CertificateError(f"of the part {part.file} more was left out than its own policy allows")
        if (part.l is None) != (not part.sensitive) or (part.t is None) != (not part.sensitive):
            raise CertificateError(f"the part {part.file} has l and t just where something is sensitive")


_COUNTS: Final = {
    "batch": 1, "size": 0, "rows": 1, "people": 1, "classes": 1, "k": 1, "rows_in": 1, "suppressed": 0, "withheld": 0,
    "demanded_k": 2, "demanded_l": 1, "sources": 1,
}  # fmt: skip
_TEXTS: Final = {
    "file": _NAME, "sha256": _HASH, "loss": _SHARE, "policy": _NAME, "policy_sha256": _HASH, "suppression_limit": _SHARE,
    "sources_sha256": _HASH,
}  # fmt: skip
_LISTS: Final = {"sensitive": (_COLUMN, 0, 64)}
_OPTIONAL: Final = frozenset({"l", "t", "person"})


def _spell(part: Part) -> dict[str, Any]:
    spelled = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    spelled |= {name: list(spelled[name]) for name in _LISTS} | {"levels": dict(part.levels)}
    return {name: value for name, value in spelled.items() if value is not None}


def _part(raw: Any) -> Part:
    _exactly(raw, {*_COUNTS, *_TEXTS, *_LISTS, "levels"}, _OPTIONAL)
    levels = raw["levels"]
    if not isinstance(levels, dict) or not 1 <= len(levels) <= 64:  # noqa: PLR2004 -- as many as a policy has columns
        raise CertificateError("the levels of a part name 1 to 64 columns")
    read: dict[str, Any] = {
        **{name: _count(raw, name, least) for name, least in _COUNTS.items()},
        **{name: _text(raw, name, form) for name, form in _TEXTS.items()},
        **{name: _list(raw, name, *how) for name, how in _LISTS.items()},
        "levels": {_matching(name, "a column", _COLUMN): _count(levels, name, 0) for name in levels},
        "l": _count(raw, "l", 1) if "l" in raw else None,
        "t": _text(raw, "t", _SHARE) if "t" in raw else None,
        "person": _text(raw, "person", _COLUMN) if "person" in raw else None,
    }
    return Part(**read)


def _exactly(raw: Any, keys: set[str], optional: frozenset[str]) -> None:
    if not isinstance(raw, dict) or not keys <= raw.keys() <= keys | optional:
        raise CertificateError("the certificate lacks a field, or has one that is not known")


def _count(raw: Mapping[str, Any], name: str, least: int) -> int:
    value = raw[name]
    if type(value) is not int or not least <= value <= _MAX_COUNT:
        raise CertificateError(f"{show(name)} has to be a whole number from {least} on")
    return value


def _text(raw: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    return _matching(raw[name], name, form)


def _matching(value: Any, name: str, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise CertificateError(f"{name} cannot be {show(value)}")
    return value


def _list(raw: Mapping[str, Any], name: str, form: re.Pattern[str], least: int, most: int) -> tuple[str, ...]:
    values = raw[name]
    if (
        not isinstance(values, list)
        or not least <= len(values) <= most
        or len(set(map(str, values))) != len(values)
    ):
        raise CertificateError(f"{name} has to be {least} to {most} different texts")
    return tuple(_matching(value, name, form) for value in values)


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as failure:
        raise CertificateError(f"issued_at cannot be {show(text)}") from failure


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise CertificateError("the certificate holds a key twice")
    return result


def _no_fraction(text: str) -> Any:
    raise CertificateError(f"the certificate holds the number {show(text)}; shares are text")
