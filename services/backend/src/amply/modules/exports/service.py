"""Requests and lists export files. Each statement checks the permission, since files may name donors."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    case,
    column,
    func,
    insert,
    literal_column,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.keyset import Order
from amply.infra.outbox import OutboxRow
from amply.kernel import ids
from amply.kernel.pagination import Page
from amply.modules import audit, donations
from amply.modules.access import Access, NotAllowed, Permission
from amply.modules.audit import Action
from amply.modules.exports.domain import (
    KEPT,
    Export,
    ExportFormat,
    ExportKind,
    ExportNotFound,
    ExportNotReady,
    ExportRequest,
    ExportState,
)
from amply.modules.exports.models import ExportRow

TOPIC_EXPORT_REQUESTED: Final = "exports.asked"
PERMISSIONS: Final[Mapping[ExportKind, Permission]] = {
    ExportKind.GIFTS: Permission.GIFTS_READ,
    ExportKind.LEDGER: Permission.GIFTS_READ,
    ExportKind.PAYOUTS: Permission.PAYOUTS_READ,
}
"""Permission required for each kind of export."""

_ORGANIZATION: Final = table("organization", column("id", Text))
_NEWEST: Final = Order(name="exports", columns=(ExportRow.created_at, ExportRow.id), descending=True)


def ask(session: Session, access: Access, *, wanted: ExportRequest) -> Export:
    """Request an export. One of gifts names donors if the caller may see them.

    Raises:
        NotAllowed: They may not read what it is made of.
    """
    permission = PERMISSIONS[wanted.kind]
    if not _may(session, access, permission):
        raise NotAllowed(f"Ask somebody who may '{permission}': a file of it is for them alone.")
    row = session.scalars(
        insert(ExportRow)
        .values(
            id=ids.new_id("exp"),
            organization_id=access.organization_id,
            kind=wanted.kind,
            format=wanted.format,
            since=wanted.since,
            before=wanted.before,
            names_donors=wanted.kind is ExportKind.GIFTS and _may(session, access, Permission.DONORS_READ),
            asked_by=f"person:{access.person_id}" if access.person_id else f"key:{access.key_id}",
            next_attempt_at=access.now,
            created_at=access.now,
            expires_at=access.now + KEPT,
        )
        .returning(ExportRow)
    ).one()
    audit.record_by(session, access, Action.EXPORT_ASKED, row.id, reason=row.kind)
    outbox.put(session, topic=TOPIC_EXPORT_REQUESTED, payload={"export_id": row.id}, now=access.now)
    return export_of(row)


def listed(session: Session, access: Access, *, cursor: str | None, limit: int) -> Page[Export]:
    """Exports visible to the caller, newest first.

    Raises:
        CursorNotAcceptable: The cursor is none of this list.
    """
    rows = session.scalars(
        _NEWEST.page(select(ExportRow).where(*_theirs(access)), cursor=cursor, limit=limit)
    ).all()
    return Page(
        items=[export_of(row) for row in rows[:limit]], next_cursor=_NEWEST.next_cursor(rows, limit=limit)
    )


def find(session: Session, access: Access, *, export_id: str) -> Export:
    """One of them.

    Raises:
        ExportNotFound: There is none, or not for them.
    """
    row = session.scalars(select(ExportRow).where(ExportRow.id == export_id, *_theirs(access))).one_or_none()
    if row is None:
        raise ExportNotFound("There is no such file, or not any more: ask for another one.")
    return export_of(row)


def fetch(session: Session, access: Access, *, export_id: str) -> Export:
    """An export to download; recorded in the audit log.

    Raises:
        ExportNotFound: The organisation has no such file, it has expired, or it is not for whoever asks.
        ExportNotReady: The file is not made yet, or could not be.
    """
    found = find(session, access, export_id=export_id)
    if found.state is not ExportState.READY:
        raise ExportNotReady(
            "This file could not be made, or was taken back: ask for another one."
            if found.state is ExportState.FAILED
            else "This file is not made yet: look at how it stands again in a moment."
        )
    audit.record_by(session, access, Action.EXPORT_FETCHED, found.id, reason=found.wanted.kind)
    return found


def withdraw(session: Session, *, organization_ids: Collection[str]) -> None:
    """Withdraw files with donors of these organisations begun until now, because a donor is being erased.

    In the transaction that forgets. One that is just being made is not handed out either; one that is not begun waits for it, and
    is made of what is left.
    """
    session.execute(_TAKEN_BACK.where(ExportRow.organization_id.in_(organization_ids)))


def withdraw_hidden(session: Session) -> None:
    """Withdraw files that name donors and were requested before one of them became anonymous.

    Facts of the outbox tell of that, and stay there for as long as files are kept. Both moments are those of whichever process
    wrote them.
    """
    session.execute(_TAKEN_BACK_AS_HIDDEN)


_HIDDEN: Final[ColumnElement[str]] = literal_column(f"'{donations.TOPIC_HIDDEN}'")
"""As a literal, since only then the partial index `ix_outbox_gift_hidden` is used."""
_CLOCKS_APART: Final = timedelta(minutes=1)
_IS_BEGUN: Final = or_(ExportRow.state != ExportState.WAITING, ExportRow.attempts > 0)
_TAKEN_BACK: Final = (
    update(ExportRow)
    .where(ExportRow.names_donors, ExportRow.state != ExportState.FAILED)
    .values(
        # Those not begun are locked and stay as they are: no worker begins one before this is committed.
        state=case((_IS_BEGUN, ExportState.FAILED.value), else_=ExportRow.state),
        rows=None,
        bytes=None,
        sha256=None,
        ready_at=None,
    )
    .execution_options(synchronize_session=False)
)
_TAKEN_BACK_AS_HIDDEN: Final = _TAKEN_BACK.where(
    select(OutboxRow.id)
    .where(
        OutboxRow.topic == _HIDDEN,
        func.jsonb_extract_path_text(OutboxRow.payload, "organization_id") == ExportRow.organization_id,
        OutboxRow.created_at >= func.coalesce(ExportRow.begun_at, ExportRow.created_at) - _CLOCKS_APART,
    )
    .exists()
)


def export_of(row: ExportRow) -> Export:
    """The file a row tells of."""
    return Export(
        id=row.id,
        organization_id=row.organization_id,
        wanted=ExportRequest(
            kind=ExportKind(row.kind), format=ExportFormat(row.format), since=row.since, before=row.before
        ),
        names_donors=row.names_donors,
        state=ExportState(row.state),
        rows=row.rows,
        bytes=row.bytes,
        sha256=row.sha256,
        created_at=row.created_at,
        ready_at=row.ready_at,
        expires_at=row.expires_at,
    )


def _theirs(access: Access) -> list[ColumnElement[bool]]:
    """Files of the organisation that are kept, of what the caller may read, and with donors in them for those who may see these."""
    whose = ExportRow.organization_id
    kinds = [
        and_(ExportRow.kind == kind, access.covers(whose, permission))
        for kind, permission in PERMISSIONS.items()
    ]
    donors = or_(ExportRow.names_donors.is_(False), access.covers(whose, Permission.DONORS_READ))
    return [access.covers(whose), ExportRow.expires_at > access.now, or_(*kinds), donors]


def _may(session: Session, access: Access, permission: Permission) -> bool:
    asked = select(_ORGANIZATION.c.id).where(access.covers(_ORGANIZATION.c.id, permission))
    return session.scalar(asked) is not None
