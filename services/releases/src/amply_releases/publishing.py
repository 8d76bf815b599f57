"""Publishes a release: files first, then the catalogue, then the items that buyers read. What is visible is complete.

Each step may be repeated, and nothing is taken from this process's own folder that the ledger could not make again.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from amply_lake import LakeError, Release, ReleaseLedger
from amply_lake.history import RELEASES, History, Released
from amply_lake.releasing import CERTIFICATE
from amply_releases.certificates import certificate_of
from amply_releases.columns import catalogued, schema_of, together
from amply_releases.datasets import EVERYBODY, Source, Standing
from amply_releases.lines import RELEASED, say
from amply_releases.ports import NotCopiedError, Parts, ReleasedFile, Revision
from ledger_format.certificates import Certificate

PREFIX: Final = "released/"
"""Where the dataset's own releases are; no buyer's link leads here."""
_TRIES: Final = 10
_PAUSE_SECONDS: Final = 2
"""Twenty seconds for the ledger and twenty for the files; what takes longer is looked at later, and other datasets meanwhile."""


def publish(
    parts: Parts, source: Source, standing: Standing, done: Release, ledger: ReleaseLedger, *, now: datetime
) -> None:
    """Publish a release unless it is published already. Earlier ones are served no more once people in them have withdrawn.

    Nor is itself, where another process has withheld cells of it meanwhile. That one has taken its number back, whether or not
    there was anything to be seen, so that it does not appear. What is left is the catalogue, which refuses nothing.

    Raises:
        NotCopiedError: The second region does not have all of it yet; the same call again goes on from there.
        LakeError: The table has it as taken back, and the ledger does not: nobody may be shown it, and somebody has to look.
    """
    certificate = done.certificate
    place = place_of(source.dataset_id, certificate.release)
    columns = columns_of(source, ledger)
    if certificate.release <= standing.latest:
        if parts.datasets.is_served(source.dataset_id, certificate.release):
            # In a region that took over, the catalogue begins empty.
            catalogue(parts, source, columns, certificate.release, place)
        end_earlier(parts, standing, ledger, source.dataset_id, now=now)
        return
    store(parts, source, done, place)
    catalogue(parts, source, columns, certificate.release, place)
    end_earlier(parts, standing, ledger, source.dataset_id, now=now)
    is_shown = parts.datasets.publish(source, revision_of(done, place, columns))
    if certificate.release < first_without_withdrawn(ledger.records()):
        _take_back(
            parts, source.dataset_id, since=certificate.release, before=certificate.release + 1, now=now
        )
    elif not is_shown:
        parts.catalogue.remove(source.dataset_id, certificate.release)
        raise LakeError(
            f"release {certificate.release} of {source.dataset_id} was taken back before it was shown, and the release ledger "
            "knows of nobody who withdrew from it; see “Where another region took over” in docs/runbooks/data-releases.md"
        )
    if is_shown:
        say(
            RELEASED,
            dataset=source.dataset_id,
            release=certificate.release,
            rows=certificate.rows,
            k=certificate.k,
        )


def store(parts: Parts, source: Source, done: Release, place: str, *, is_patient: bool = True) -> None:
    """Store a release's files and its certificate. `is_patient`: for seconds the second region is waited for.

    Nobody sees what a lost region would take along: of its rows nobody would know any more that they were released.

    Nor does the second region get files of a release whose record it lacks: it would decide another one under the same number, and
    those files would stand where that one's belong.

    Raises:
        NotCopiedError: The second region does not have all of it yet; the same call again goes on from there.
        LakeError: Something else stands where a file belongs.
    """
    tries = _TRIES if is_patient else 1
    if not _comes_true(parts, lambda: parts.ledgers.is_copied(source.dataset_id), tries):
        raise NotCopiedError(source.dataset_id)
    names = _files_of(done.certificate)
    for name in names:
        parts.curated.put(f"{place}{name}", done.folder / name)
    stored = [f"{place}{name}" for name in names]
    if not _comes_true(parts, lambda: parts.curated.are_copied(stored), tries):
        raise NotCopiedError(source.dataset_id)


def stop_while_copying(parts: Parts, dataset_id: str, decided: Released, place: str) -> None:
    """Stop before a decided release is made once more that could not be shown anyway.

    Where a file of it was never stored it has to be made; where all are, S3 may take minutes longer for a large one.

    Raises:
        NotCopiedError: The second region lacks something of the ledger, or one of the release's files, all of which are stored.
        LedgerError: Its certificate is not of this process's key.
    """
    if not parts.ledgers.is_copied(dataset_id):
        raise NotCopiedError(dataset_id)
    names = _files_of(certificate_of(decided.certificate, parts.signer))
    if parts.curated.are_being_copied([f"{place}{name}" for name in names]):
        raise NotCopiedError(dataset_id)


def _files_of(certificate: Certificate) -> list[str]:
    """What is stored of a release; its certificate is the last."""
    return [*(part.file for part in certificate.parts), CERTIFICATE]


def _comes_true(parts: Parts, is_so: Callable[[], bool], tries: int) -> bool:
    """S3 copies within seconds as a rule: a release is then made, stored and shown at one look, and not at three."""
    for number in range(tries):
        if number:
            parts.pause(_PAUSE_SECONDS)
        if is_so():
            return True
    return False


def columns_of(source: Source, ledger: ReleaseLedger) -> list[str]:
    """All columns that a file of a release may have."""
    history = History.read(ledger, source.dataset_id)
    return together(source.policy, *(batch.released for batch in history.batches))


def revision_of(done: Release, place: str, columns: Iterable[str]) -> Revision:
    """A release as the control plane keeps it."""
    certificate = done.certificate
    return Revision(
        number=certificate.release,
        released_at=certificate.issued_at,
        policy_id=certificate.parts[-1].policy,
        k=certificate.k,
        l=certificate.l,
        rows=certificate.rows,
        certificate=f"{place}{CERTIFICATE}",
        certificate_sha256=hashlib.sha256((done.folder / CERTIFICATE).read_bytes()).hexdigest(),
        schema=schema_of(columns),
        files=[
            ReleasedFile(f"{place}{part.file}", part.size, part.rows, part.sha256)
            for part in certificate.parts
        ],
    )


@contextmanager
def cleared(done: Release) -> Iterator[None]:
    """Keep of a release that is published its certificate alone, and of another nothing: the disk is for what is made next."""
    try:
        yield
    except Exception:
        shutil.rmtree(done.folder)
        raise
    for path in done.folder.iterdir():
        if path.name != CERTIFICATE:
            path.unlink()


def place_of(dataset_id: str, number: int) -> str:
    """Where a release of the dataset's own is."""
    return f"{PREFIX}{dataset_id}/{number:06}/"


def catalogue(parts: Parts, source: Source, columns: Iterable[str], revision: int, place: str) -> None:
    """Show a release to those who ask by SQL."""
    parts.catalogue.add(source.dataset_id, catalogued(columns), revision=revision, prefix=place)


def end_earlier(
    parts: Parts, standing: Standing, ledger: ReleaseLedger, dataset_id: str, *, now: datetime
) -> None:
    """Serve no more what people are in who have withdrawn, whether or not anything takes its place."""
    end_before(parts, standing, dataset_id, first_without_withdrawn(ledger.records()), now=now)


def end_before(parts: Parts, standing: Standing, dataset_id: str, number: int, *, now: datetime) -> None:
    """Serve no revision of a lower number: to no buyer, and to nobody who asks by SQL. Its files lapse by themselves."""
    if number <= standing.kept_from:
        return
    _take_back(parts, dataset_id, since=standing.kept_from, before=number, now=now)
    parts.datasets.keep_from(dataset_id, number)


def _take_back(parts: Parts, dataset_id: str, *, since: int, before: int, now: datetime) -> None:
    parts.datasets.take_back(dataset_id, since=since, before=before, now=now)
    for revision in range(since, before):
        parts.catalogue.remove(dataset_id, revision)


def first_without_withdrawn(records: Iterable[bytes]) -> int:
    """The number of the dataset's first own release that was, or will be, decided after cells were withheld for the last time."""
    first = following = 1
    for record in map(json.loads, records):
        if record["kind"] == "withheld":
            first = following
        elif record["kind"] in RELEASES and record["buyer"] == EVERYBODY:
            following = record["number"] + 1
    return first
