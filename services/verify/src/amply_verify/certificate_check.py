"""Is this release what its certificate says? Needs the certificate and a key, and no network."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amply_verify.keys import trusted_keys
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.released_rows import Counted, can_count, check_rows
from amply_verify.sources import read_file
from ledger_format.certificates import MAX_CERTIFICATE_BYTES, Part, VerifiedCertificate, open_certificate
from ledger_format.notes import VerifierKey

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class CheckedCertificate:
    """A true certificate; of its parts, those whose files were looked at, and what was counted in them.

    `previous` says whether the certificate before was held against it; `not_counted` why rows were not.
    """

    verified: VerifiedCertificate
    sha256: str
    previous: bool
    files: tuple[str, ...]
    counted: dict[str, Counted]
    not_counted: tuple[str, ...]


def check_certificate(
    name: str, keys: Sequence[str], *, data: Sequence[str], previous: str | None
) -> CheckedCertificate:
    """Verify a certificate, the one before it where that is given, and the files of the release that are.

    Raises:
        CheckFailure: Something cannot be read, does not fit, or breaks what the certificate says.
        FormatError: A certificate is malformed or not true.
    """
    trusted = _certificate_keys(keys)
    raw = read_file(name, limit=MAX_CERTIFICATE_BYTES)
    verified = open_certificate(raw, trusted)
    if previous is not None:
        _check_previous(verified, read_file(previous, limit=MAX_CERTIFICATE_BYTES), trusted)
    counted: dict[str, Counted] = {}
    not_counted, files = [], []
    for file in data:
        path = Path(file)
        part = _part_of(verified, path)
        files.append(part.file)
        reason = can_count(part)
        if reason is None:
            counted[part.file] = check_rows(path, part)
        else:
            not_counted.append(reason)
    return CheckedCertificate(
        verified,
        hashlib.sha256(raw).hexdigest(),
        previous is not None,
        tuple(files),
        counted,
        tuple(not_counted),
    )


def _certificate_keys(options: Sequence[str]) -> list[VerifierKey]:
    """The keys that are given; one with the size of a last tree is a log's former one, and signs no certificate."""
    keys = [key for key in trusted_keys(options) if isinstance(key, VerifierKey)]
    if not keys:
        raise CheckFailure(
            Exit.NO_KEY,
            "only former keys of a log were given, and those sign no certificate",
            "give the key of the certificates",
        )
    return keys


def _check_previous(verified: VerifiedCertificate, raw: bytes, trusted: Sequence[VerifierKey]) -> None:
    """Hold the certificate against the one before it."""
    ours, before = verified.certificate, open_certificate(raw, trusted).certificate
    if (before.dataset, before.buyer) != (ours.dataset, ours.buyer):
        raise CheckFailure(
            Exit.MISMATCH,
            f"the certificate before is of {before.dataset} for {before.buyer}, not of {ours.dataset} for {ours.buyer}",
            "give the one of the same dataset and buyer",
        )
    if before.release != ours.release - 1:
        raise CheckFailure(
            Exit.MISMATCH,
            f"the certificate before is number {before.release}, and this one is {ours.release}",
            f"give number {ours.release - 1}",
        )
    if hashlib.sha256(raw).hexdigest() != ours.previous:
        raise CheckFailure(
            Exit.FORK,
            f"two certificates are number {before.release}: this one follows on another than the one given",
            "keep both, for both are signed, and ask whoever signed them",
        )


def _part_of(verified: VerifiedCertificate, path: Path) -> Part:
    """Find the part that a file is."""
    size, digest = _identify(path)
    for part in verified.certificate.parts:
        if part.sha256 == digest and part.size == size:
            return part
    named = [part for part in verified.certificate.parts if part.file == path.name]
    reason = (
        f"{path.name!r} is not the file that was certified: its SHA-256 is {digest}, and was {named[0].sha256}"
        if named
        else f"no part of the release has the SHA-256 of {path.name!r} ({digest})"
    )
    raise CheckFailure(Exit.MISMATCH, reason, "do not rely on it, and ask for the original")


def _identify(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                digest.update(piece)
                size += len(piece)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no file name"
        raise CheckFailure(
            Exit.UNREADABLE,
            f"{str(path)!r} cannot be read ({reason})",
            "give the path of a file you can read",
        ) from error
    return size, digest.hexdigest()
