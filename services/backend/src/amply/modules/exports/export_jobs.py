"""Worker task that makes export files. After a crash, the next run writes the same file to the same key."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import delete, select, text, update

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.kernel.errors import AmplyError, Unavailable
from amply.modules import donations, ledger, payouts
from amply.modules.access import POLICY, Permission
from amply.modules.exports.domain import (
    ATTEMPTS_MAX,
    Export,
    ExportFormat,
    ExportKind,
    ExportState,
    path_of,
)
from amply.modules.exports.files import Row, csv_file, parquet_file
from amply.modules.exports.models import ExportRow
from amply.modules.exports.ports import ExportStore
from amply.modules.exports.service import PERMISSIONS, export_of, withdraw_hidden

_BATCH_MAX: Final = 10
_AGAIN: Final = timedelta(minutes=10)
"""Longer than a file takes, so that one is not begun again while it is being made: a million gifts take some minutes."""
_log = structlog.get_logger()

_MEMBER_MAY: Final = text("""
    SELECT EXISTS (
        SELECT FROM member
        WHERE organization_id = :organization_id AND person_id = :id AND role = ANY(:roles)
    )
""")
_KEY_MAY: Final = text("""
    SELECT EXISTS (
        SELECT FROM api_key
        WHERE organization_id = :organization_id AND id = :id AND revoked_at IS NULL
          AND (expires_at IS NULL OR expires_at > :now) AND scopes && CAST(:scopes AS text[])
    )
""")


@dataclass(frozen=True, kw_only=True)
class ExportJobs:
    """Dependencies of making exports."""

    database: Database
    store: ExportStore


class _TakenOver(Exception):
    """Another worker makes the file by now: aborts the upload, so that it does not replace the other one's."""


@dataclass
class _Counted:
    """Counts rows and computes the digest while a file is written."""

    rows: int = 0
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def one_more(self) -> None:
        self.rows += 1

    def of_rows(self, pieces: Iterator[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        for piece in pieces:
            self.rows += len(piece)
            yield piece

    def of_bytes(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.size += len(piece)
            self.digest.update(piece)
            yield piece


def make_exports(parts: ExportJobs, *, now: datetime) -> int:
    """Withdraw files that may no longer be served, make requested ones, delete expired ones; return how many were made."""
    _take_back(parts.database)
    made = work_off(
        parts.database,
        ExportRow,
        ExportRow.state == ExportState.WAITING,
        do=lambda row: _make(parts, row, now=now),
        most=_BATCH_MAX,
        now=now,
        first_again=_AGAIN,
    )
    with parts.database.transaction() as session:
        session.execute(delete(ExportRow).where(ExportRow.expires_at <= now))
    return made


def _take_back(database: Database) -> None:
    """What stops this must not stop files from being made; it is tried again at the next look."""
    try:
        with database.transaction() as session:
            withdraw_hidden(session)
    except Exception:  # noqa: BLE001 -- what is made now is right: it has what was hidden before
        _log.exception("exports_not_taken_back")


def _make(parts: ExportJobs, row: ExportRow, *, now: datetime) -> int:
    """Make one; whatever stops this one must not stop the others."""
    if not _still_may(parts.database, row, now=now):
        _log.info("export_not_made", export_id=row.id, reason="not_allowed")
        _note(parts.database, row, state=ExportState.FAILED)
        return 0
    _note(parts.database, row, begun_at=now)
    counted, wanted = _Counted(), export_of(row)
    try:
        content = _MAKERS[wanted.wanted.kind](parts.database, wanted, counted)
        path = path_of(organization_id=row.organization_id, export_id=row.id)
        pieces = _while_ours(parts.database, row, counted.of_bytes(content))
        parts.store.write(path, pieces, media_type=wanted.wanted.format.media_type)
    except _TakenOver:
        _log.warning("export_taken_over", export_id=row.id)
        return 0
    except Exception as error:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.warning("export_not_made", export_id=row.id, kind=row.kind, reason=type(error).__name__)
        is_final = isinstance(error, AmplyError) and not isinstance(error, Unavailable)
        if is_final or row.attempts >= ATTEMPTS_MAX:
            _note(parts.database, row, state=ExportState.FAILED)
        return 0
    is_noted = _note(
        parts.database,
        row,
        state=ExportState.READY,
        rows=counted.rows,
        bytes=counted.size,
        sha256=counted.digest.hexdigest(),
        ready_at=now,
    )
    return int(is_noted)


def _note(database: Database, row: ExportRow, **outcome: object) -> bool:
    """Only while it is still wanted, and by whoever took it last; whether it was."""
    with database.transaction() as session:
        noted = session.execute(
            update(ExportRow)
            .where(
                ExportRow.id == row.id,
                ExportRow.state == ExportState.WAITING,
                ExportRow.attempts == row.attempts,
            )
            .values(**outcome)
            .returning(ExportRow.id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    return noted is not None


def _while_ours(database: Database, row: ExportRow, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """All of a file, unless another worker has begun to make it meanwhile.

    Raises:
        _TakenOver: At the end, before the file is kept.
    """
    yield from pieces
    with database.transaction() as session:
        attempts = session.scalar(select(ExportRow.attempts).where(ExportRow.id == row.id))
    if attempts not in (None, row.attempts):
        raise _TakenOver


def _still_may(database: Database, row: ExportRow, *, now: datetime) -> bool:
    """Whether whoever asked may still read all of it: what was taken meanwhile is not handed out."""
    wanted = [PERMISSIONS[ExportKind(row.kind)], *([Permission.DONORS_READ] if row.names_donors else [])]
    kind, _, who = row.asked_by.partition(":")
    of = {"organization_id": row.organization_id, "id": who}
    with database.transaction() as session:
        for permission in wanted:
            rule = POLICY[permission]
            asked: Mapping[str, object] = {"roles": sorted(rule.roles)}
            if kind != "person":
                asked = {"scopes": sorted(rule.scopes), "now": now}
            if not session.scalar(_MEMBER_MAY if kind == "person" else _KEY_MAY, {**of, **asked}):
                return False
    return True


def _gifts(database: Database, export: Export, counted: _Counted) -> Iterator[bytes]:
    # Gifts begun meanwhile are left out: otherwise the export of a busy organisation would never end.
    asked = export.created_at + timedelta(microseconds=1)
    pieces = donations.gifts_in_batches(
        database,
        organization_id=export.organization_id,
        since=export.wanted.since,
        before=min(export.wanted.before or asked, asked),
        names_donors=export.names_donors,
    )
    return _written(export.wanted.format, donations.GIFT_COLUMNS, counted.of_rows(pieces))


def _ledger(database: Database, export: Export, counted: _Counted) -> Iterator[bytes]:
    pieces = ledger.lines_in_batches(
        database,
        organization_id=export.organization_id,
        since=export.wanted.since,
        until=export.wanted.before,
    )
    return _written(export.wanted.format, ledger.LINE_COLUMNS, counted.of_rows(pieces))


def _payouts(database: Database, export: Export, counted: _Counted) -> Iterator[bytes]:
    organization_id, since, before = export.organization_id, export.wanted.since, export.wanted.before
    if export.wanted.format is ExportFormat.ACCOUNTING:
        return payouts.journals_in_one(
            database,
            organization_id=organization_id,
            since=since,
            before=before,
            count=counted.one_more,
        )
    pieces = payouts.payouts_in_batches(database, organization_id=organization_id, since=since, before=before)
    return _written(export.wanted.format, payouts.PAYOUT_COLUMNS, counted.of_rows(pieces))


def _written(
    file_format: ExportFormat, columns: Sequence[str], pieces: Iterator[Sequence[Row]]
) -> Iterator[bytes]:
    return (parquet_file if file_format is ExportFormat.PARQUET else csv_file)(columns, pieces)


_MAKERS: Final[Mapping[ExportKind, Callable[[Database, Export, _Counted], Iterator[bytes]]]] = {
    ExportKind.GIFTS: _gifts,
    ExportKind.LEDGER: _ledger,
    ExportKind.PAYOUTS: _payouts,
}
