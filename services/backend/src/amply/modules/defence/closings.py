"""Temporary closing of donation forms under card testing that the challenge does not stop.

A closing ends by itself, or when an operator ends it. Its row stays: it says what was seen then, and whether the organisation
has been told.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.kernel import ids
from amply.kernel.clock import iso
from amply.kernel.errors import Conflict, InvalidRequest, NotFound
from amply.modules.defence import queries
from amply.modules.defence.domain import (
    CLOSE_AFTER,
    CLOSE_WINDOW,
    DAY,
    PassedChallenges,
    closed_until,
    is_challenge_beaten,
)
from amply.modules.defence.models import ClosingRow, DeclineRow, ExemptionRow

TOPIC_FORM_CLOSED: Final = "defence.form_closed"
"""An organisation's form was closed; it is to be notified."""

EXEMPT_DAYS_MAX: Final = 365
_REASON_MAX: Final = 200
_SHOWN_MAX: Final = 100
_TOLD_ATTEMPTS_MAX: Final = 10
_TOLD_BATCH_MAX: Final = 50

_log = structlog.get_logger()


class FormClosed(Conflict):
    """An organisation takes no new gifts for a while, because cards are tried on its form and the challenge does not hold.

    Attributes:
        organization_ids: Whose forms are closed.
        opens_at: When the last of them opens, unless cards go on being tried.
        is_alone: Whether there is nobody else in the request, to give to now.
    """

    code: ClassVar[str] = "form_closed"
    title: ClassVar[str] = "The form is closed for a while"

    def __init__(
        self,
        organization_ids: Collection[str],
        *,
        opens_at: datetime,
        is_alone: bool,
        names: Sequence[str] = ("this organisation",),
    ) -> None:
        whose = f"the form of {names[0]}, which takes"
        if len(names) > 1:
            whose = f"the forms of {', '.join(names[:-1])} and {names[-1]}, which take"
        instead = "come back then" if is_alone else "come back then, or give to the others now"
        super().__init__(
            f"Somebody tries stolen cards on {whose} no new gifts until {opens_at:%H:%M} UTC: {instead}. "
            "Recurring gifts go on, and a payment that was begun can be finished."
        )
        self.organization_ids = sorted(organization_ids)
        self.opens_at = opens_at
        self.is_alone = is_alone
        self.members = {"closed": {"organization_ids": self.organization_ids, "opens_at": iso(opens_at)}}

    def naming(self, names: Sequence[str]) -> "FormClosed":
        """The error with the organisations' names in its sentence."""
        return FormClosed(self.organization_ids, opens_at=self.opens_at, is_alone=self.is_alone, names=names)


class FormNotClosed(NotFound):
    """There is nothing to open."""

    code = "form_not_closed"


class ExemptionNotAcceptable(InvalidRequest):
    """A decision without a reason that can be read later, or for longer than a year."""

    code = "exemption_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class Closing:
    """A closed form; `reopened_at` if a person reopened it. The counts are those of the latest evidence."""

    id: str
    organization_id: str
    began_at: datetime
    until: datetime
    declines: int
    cards: int
    networks: int
    reopened_at: datetime | None
    reason: str | None
    told_at: datetime | None
    withheld: str | None


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """An organisation whose form is never closed automatically."""

    organization_id: str
    since: datetime
    until: datetime
    reason: str


def look_at_challenge(
    session: Session, *, organization_id: str, attacked_since: datetime, now: datetime
) -> None:
    """Close an attacked organisation's form, or extend that, if too many gifts pass the challenge.

    What came through before it had held for ten minutes does not count, nor what did before the form was last opened. The
    caller holds the attack's row: one decides at a time.
    """
    rows = session.scalars(
        select(ClosingRow)
        .where(ClosingRow.organization_id == organization_id, ClosingRow.until > now - DAY)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    present = next((row for row in rows if row.until > now), None)
    over = [row for row in rows if row is not present]
    held_since = max([attacked_since, *(row.until for row in over)])
    since = max(now - CLOSE_WINDOW, held_since + CLOSE_AFTER)
    if since >= now:
        return
    through = _through(session, organization_id=organization_id, since=since)
    if not is_challenge_beaten(through):
        return
    closed_before = sum((row.until - max(row.began_at, now - DAY) for row in over), timedelta())
    until = closed_until(
        began_at=present.began_at if present is not None else now, closed_before=closed_before, now=now
    )
    if until is None or _is_exempt(session, organization_id=organization_id, now=now):
        _log.info("form_kept_open", organization_id=organization_id, is_used_up=until is None)
    elif present is None:
        _close(session, organization_id=organization_id, through=through, until=until, now=now)
    else:
        present.until = max(present.until, until)
        _note(present, through)


def closed_forms(
    session: Session, *, organization_ids: Collection[str], now: datetime
) -> Mapping[str, datetime]:
    """Closed forms among these organisations, with their ends."""
    rows = session.execute(
        select(ClosingRow.organization_id, ClosingRow.until).where(
            ClosingRow.organization_id.in_(organization_ids), ClosingRow.until > now
        )
    )
    return {row.organization_id: row.until for row in rows}


def latest_closings(session: Session) -> Sequence[Closing]:
    """The last hundred closings, newest first."""
    rows = session.scalars(select(ClosingRow).order_by(ClosingRow.began_at.desc()).limit(_SHOWN_MAX))
    return [_closing(row) for row in rows]


def reopen(session: Session, *, organization_id: str, reason: str, now: datetime) -> datetime:
    """Reopen a closed form; return when it was closed.

    It is closed again only for what comes through when it has been open for ten minutes.

    Raises:
        FormNotClosed: It is open.
        ExemptionNotAcceptable: There is no reason, or a long one.
    """
    began_at = session.scalar(
        update(ClosingRow)
        .where(ClosingRow.organization_id == organization_id, ClosingRow.until > now)
        .values(until=now, reopened_at=now, reason=_checked(reason))
        .returning(ClosingRow.began_at)
        .execution_options(synchronize_session=False)
    )
    if began_at is None:
        raise FormNotClosed(
            "The form of this organisation is open; `defence closings` lists those that were closed."
        )
    return began_at


def exempt(session: Session, *, organization_id: str, days: int, reason: str, now: datetime) -> Exemption:
    """Exempt a form from closing for so many days (0 ends an exemption). Repeating restarts it.

    Raises:
        ExemptionNotAcceptable: There is no reason, or a long one; or it is for more than a year.
    """
    if not 0 <= days <= EXEMPT_DAYS_MAX:
        raise ExemptionNotAcceptable(f"Exempt for 1 to {EXEMPT_DAYS_MAX} days; 0 ends it.", param="days")
    made = Exemption(
        organization_id=organization_id, since=now, until=now + days * DAY, reason=_checked(reason)
    )
    said = vars(made)
    session.execute(
        insert(ExemptionRow).values(said).on_conflict_do_update(index_elements=["organization_id"], set_=said)
    )
    return made


def exemptions(session: Session, *, now: datetime) -> Sequence[Exemption]:
    """Current exemptions, longest first."""
    rows = session.scalars(select(ExemptionRow).where(ExemptionRow.until > now).order_by(ExemptionRow.since))
    return [
        Exemption(organization_id=row.organization_id, since=row.since, until=row.until, reason=row.reason)
        for row in rows
    ]


def tell_closings(database: Database, *, tell: Callable[[Closing], str | None], now: datetime) -> int:
    """Send one letter about each closing; return how many.

    `tell` says why nothing can be sent, which is kept; None where a letter was handed over. What it raises is tried again, ten
    times at most, ever later. Killed in between, an organisation is told twice: better than never.
    """

    def told(row: ClosingRow) -> int:
        try:
            withheld = tell(_closing(row))
        except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
            _log.exception("closing_not_told", closing_id=row.id, organization_id=row.organization_id)
            return 0
        with database.transaction() as session:
            kept = session.get_one(ClosingRow, row.id, with_for_update=True)
            kept.withheld, kept.told_at = withheld, None if withheld else now
        return int(withheld is None)

    return work_off(
        database,
        ClosingRow,
        ClosingRow.told_at.is_(None),
        ClosingRow.withheld.is_(None),
        ClosingRow.attempts < _TOLD_ATTEMPTS_MAX,
        do=told,
        most=_TOLD_BATCH_MAX,
        now=now,
    )


def count_untold(session: Session, *, now: datetime) -> int:
    """Count closings of the last two days whose letter failed ten times."""
    untold = select(func.count()).where(
        ClosingRow.told_at.is_(None),
        ClosingRow.withheld.is_(None),
        ClosingRow.attempts >= _TOLD_ATTEMPTS_MAX,
        ClosingRow.next_attempt_at > now - 2 * DAY,
    )
    return session.scalars(untold).one()


def _closing(row: ClosingRow) -> Closing:
    return Closing(**{name: getattr(row, name) for name in Closing.__dataclass_fields__})


def _checked(reason: str) -> str:
    said = " ".join(reason.split())
    if not 0 < len(said) <= _REASON_MAX:
        raise ExemptionNotAcceptable(
            f"Say why in 1 to {_REASON_MAX} characters: whoever comes next reads it.", param="reason"
        )
    return said


def _through(session: Session, *, organization_id: str, since: datetime) -> PassedChallenges:
    """Of gifts, and cards for them, for which a challenge was solved. Across midnight UTC a card and a network count twice: marks are the day's."""
    declines, cards, networks, declined = session.execute(
        select(
            func.count(),
            func.count(DeclineRow.card.distinct()),
            func.count(DeclineRow.network.distinct()),
            func.count(func.coalesce(DeclineRow.donation_id, DeclineRow.owner_id).distinct()),
        ).where(
            DeclineRow.organization_id == organization_id,
            DeclineRow.declined_at > since,
            DeclineRow.is_challenged,
        )
    ).one()
    opened = queries.count_opened(session, organization_id=organization_id, since=since, is_challenged=True)
    return PassedChallenges(
        declines=declines, cards=cards, networks=networks, declined=declined, opened=opened
    )


def _is_exempt(session: Session, *, organization_id: str, now: datetime) -> bool:
    return (
        session.scalar(
            select(ExemptionRow.until).where(
                ExemptionRow.organization_id == organization_id, ExemptionRow.until > now
            )
        )
        is not None
    )


def _close(
    session: Session, *, organization_id: str, through: PassedChallenges, until: datetime, now: datetime
) -> None:
    row = ClosingRow(
        id=ids.new_id("clo"),
        organization_id=organization_id,
        began_at=now,
        until=until,
        attempts=0,
        next_attempt_at=now,
    )
    _note(row, through)
    session.add(row)
    outbox.put(session, topic=TOPIC_FORM_CLOSED, payload={"closing_id": row.id}, now=now)
    _log.warning(
        "form_closed", organization_id=organization_id, runbook="docs/runbooks/alarms/card-testing.md"
    )


def _note(row: ClosingRow, through: PassedChallenges) -> None:
    row.declines, row.cards, row.networks = through.declines, through.cards, through.networks
