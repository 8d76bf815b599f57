"""Releases data: files become a batch, batches become a release, and a release is published atomically.

The order of steps is what makes a repetition harmless. A batch is decided by its record, after its file is kept. A release
is decided by its record, which holds its certificate, after its files are written; its folder gets its name last. Whoever
is killed in between is followed by a run that finds what was decided, makes the same files again, and goes on.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from amply_lake.batching import add_batch, withhold
from amply_lake.errors import LakeError, LedgerConflict, LedgerError, SourceError
from amply_lake.history import BY_PSEUDONYM, RELEASED, History, Released
from amply_lake.limits import Limits
from amply_lake.orders import Order, Release, Violation
from amply_lake.parts import write_parts
from amply_lake.ports import Keys, ReleaseLedger, Signer
from amply_lake.sources import identify
from ledger_format.certificates import Certificate, open_certificate, sign_certificate
from ledger_format.errors import FormatError
from ledger_format.notes import VerifierKey

CERTIFICATE: Final = "certificate"
ROWS_BY: Final = BY_PSEUDONYM
"""Of what is decided from now on. What was decided by an earlier version is made again as it was."""


def release(
    sources: Sequence[Path],
    order: Order,
    *,
    keys: Keys,
    ledger: ReleaseLedger,
    signer: Signer,
    clock: Callable[[], datetime],
    limits: Limits,
) -> Release | Violation:
    """Release a dataset to a buyer: earlier batches, and new rows in these files.

    Files that were released already are left as they are; without any, what there is is released. A violation changes
    nothing, so that the same files may come again with others. The same order again is the same release.

    Raises:
        SourceError: A file is not what the policy says, or no certificate could tell of it; nothing was recorded.
        LedgerConflict: Somebody else released meanwhile; ask again.
        LedgerError: The ledger is damaged, or its last certificate is of another key than the signer's.
        LakeError: The signer made no true signature; the same order again goes on from there.
    """
    with _alone(order.home) as work:
        history = History.read(ledger, order.dataset)
        found = identify(sources, limits) if sources else []
        new = [source for source in found if source.sha256 not in history.sources]
        if new and (violation := add_batch(new, order, keys, history, work, limits)):
            return violation
        if not history.batches:
            raise SourceError(
                f"nothing of {order.dataset} was ever released and no file was given; give files"
            )
        withhold(order, keys, history, limits)
        return _release(order, keys, history, signer, clock(), work, limits)


@contextmanager
def _alone(home: Path) -> Iterator[Path]:
    """A folder to work in, empty, and for nobody else: the lock ends with whoever holds it, however they end.

    Raises:
        LedgerConflict: Somebody else works in it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerConflict(
                f"somebody else is releasing into {home}; try again when they are done"
            ) from error
        work = home / ".work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _release(
    order: Order, keys: Keys, history: History, signer: Signer, now: datetime, work: Path, limits: Limits
) -> Release | Violation:
    last = history.newest_to(order.buyer)
    if last and last.state == history.state() and last.form == order.form:
        return _finished(order, keys, history, last, signer, work, limits)
    parts = write_parts(order, keys, history, work, limits, rows_by=ROWS_BY)
    if isinstance(parts, Violation):
        return parts
    certificate = Certificate(
        dataset=order.dataset,
        buyer=order.buyer,
        release=last.number + 1 if last else 1,
        issued_at=now.replace(microsecond=0),
        previous=hashlib.sha256(last.certificate.encode()).hexdigest() if last else None,
        parts=tuple(parts),
    )
    try:
        note = sign_certificate(certificate, signer.name, signer.public_key, signer.sign)
    except FormatError as failure:
        raise LakeError(
            f"the certificate cannot be signed ({failure}); look at the signer's key"
        ) from failure
    folder = f"{certificate.release:06}"
    history.append(
        RELEASED,
        buyer=order.buyer,
        number=certificate.release,
        state=history.state(),
        form=order.form,
        folder=folder,
        certificate=note,
        rows_by=ROWS_BY,
    )
    return _named(order, work, folder, note, certificate, is_new=True)


def _finished(
    order: Order, keys: Keys, history: History, last: Released, signer: Signer, work: Path, limits: Limits
) -> Release | Violation:
    """A release that was decided already: as it stands, or made again as it was decided."""
    verifier = VerifierKey(signer.name, signer.public_key)
    try:
        certificate = open_certificate(last.certificate.encode(), [verifier]).certificate
    except FormatError as failure:
        raise LedgerError(
            f"the certificate of release {last.folder} is not this signer's ({failure}); give the signer that made it"
        ) from failure
    folder = order.home / last.folder
    if (folder / CERTIFICATE).exists():
        return Release(folder, certificate, is_new=False)
    parts = write_parts(order, keys, history, work, limits, rows_by=last.rows_by)
    if isinstance(parts, Violation):
        return parts
    if tuple(part.sha256 for part in parts) != tuple(part.sha256 for part in certificate.parts):
        raise LedgerError(
            f"the files of release {last.folder} come out otherwise than they were certified; use the version of DuckDB that made them"
        )
    return _named(order, work, last.folder, last.certificate, certificate, is_new=False)


def _named(
    order: Order, work: Path, folder: str, note: str, certificate: Certificate, *, is_new: bool
) -> Release:
    """Give the folder its name, with everything in it: from here on it is there."""
    made = work / "release"
    (made / CERTIFICATE).write_text(note, encoding="utf-8")
    place = order.home / folder
    if (place / CERTIFICATE).exists():
        raise LedgerError(
            f"{place} is there, and the ledger does not know of it; find out whose it is, and move it away"
        )
    shutil.rmtree(place, ignore_errors=True)  # without a certificate it is no release
    made.rename(place)
    return Release(place, certificate, is_new)
