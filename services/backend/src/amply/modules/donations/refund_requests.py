"""Refunds requested over HTTP by an organisation's members: recorded first, and executed by the worker.

The API can neither post to the books nor name what it would commit to, so that it only writes down what is wanted, once what it
can see does not speak against it. The worker makes the refund of it that `admin donation refund` makes, under the request's id;
what speaks against it by then is kept as the request's refusal.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from hashlib import sha256
from typing import Any, Final

import structlog
from sqlalchemy import (
    BigInteger,
    DateTime,
    Row,
    Select,
    Text,
    column,
    delete,
    func,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra import idempotency, outbox
from amply.infra.due_rows import work_off
from amply.kernel import ids
from amply.kernel.errors import AmplyError, Conflict, InvalidRequest, NotFound
from amply.kernel.money import Money
from amply.modules import audit, ledger, payments
from amply.modules.access import Access
from amply.modules.audit import Action
from amply.modules.donations.domain import Channel, Donation, DonationStatus, RequestState
from amply.modules.donations.models import RefundRequestRow
from amply.modules.donations.organization_gifts import own_donation
from amply.modules.donations.refunds import (
    DonationNotRefundable,
    RefundAmountNotAcceptable,
    RefundDependencies,
    RefundNotFinished,
    RefundRefused,
    WantedRefund,
    carry_out,
    is_silence,
)

TOPIC_REFUND_ASKED: Final = "donations.refund_asked"
IDEMPOTENCY_SCOPE: Final = "refunds"

_BATCH_MAX: Final = 50
_ATTEMPTS_MAX: Final = 10
_AGAIN_MAX: Final = timedelta(hours=1)

_REFUND: Final = table(
    "organization_refund",
    *(column(name, Text) for name in ("id", "organization_id", "donation_id", "currency", "status")),
    *(column(name, Text) for name in ("reason", "failure_code")),
    column("minor_units", BigInteger),
    column("created_at", DateTime(timezone=True)),
)

_log = structlog.get_logger()


class GiftRefundStatus(StrEnum):
    """What an organisation sees. `REQUESTED`: the processor does not have it yet; the others are its words."""

    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def takes_up(self) -> bool:
        """Whether its amount counts as refunded."""
        return self not in (GiftRefundStatus.FAILED, GiftRefundStatus.CANCELED)


class RefundNotFound(NotFound):
    """The gift has no such refund."""

    code = "refund_not_found"


class _NoLongerWaiting(Exception):
    """Another worker has carried the request out."""


@dataclass(frozen=True, kw_only=True)
class GiftRefund:
    """A refund of one of an organisation's gifts, whoever made it.

    Attributes:
        reason: None where one was made on the processor's own pages and none was named.
        failure_code: Why one that failed was never made; None where the processor had it.
    """

    id: str
    donation_id: str
    amount: Money
    status: GiftRefundStatus
    reason: payments.RefundReason | None
    failure_code: str | None
    created_at: datetime


def request_refund(
    access: Access, *, donation_id: str, amount: Money | None, reason: payments.RefundReason, key: str | None
) -> GiftRefund:
    """Record a request to refund some or all of a gift. Repeated with the same key, returns the same refund's state.

    Raises:
        DonationNotFound: The organisation has no such gift.
        DonationNotRefundable: It has not arrived, never passed the processor, is disputed, its donor was erased, or nothing is left
            of it.
        RefundNotFinished: An earlier refund of it is not answered yet.
        RefundAmountNotAcceptable: The amount is zero, or in another currency than the gift.
        ReversalExceedsOriginal: More than is left would go back.
        IdempotencyKeyMissing, IdempotencyKeyReused: As `infra.idempotency` says.
    """
    shown = f"{access.organization_id} {sha256(idempotency.check_key(key).encode()).hexdigest()}"
    with access.transaction() as session:
        refund_id = ids.new_id("rfd")
        earlier = idempotency.claim(
            session,
            scope=IDEMPOTENCY_SCOPE,
            key=shown,
            body={"donation_id": donation_id, "amount": amount and str(amount), "reason": reason},
            resource_id=refund_id,
            now=access.now,
        )
        if earlier is not None:
            return find_refund(session, access, donation_id=donation_id, refund_id=earlier.resource_id)
        gift = own_donation(session, access, donation_id=donation_id)
        money = _refundable(gift, _refunds_of_gift(session, access, donation_id), wanted=amount)
        _put(session, access, gift, refund_id=refund_id, amount=money, reason=reason)
        return find_refund(session, access, donation_id=donation_id, refund_id=refund_id)


def find_refund(session: Session, access: Access, *, donation_id: str, refund_id: str) -> GiftRefund:
    """One refund of a gift.

    Raises:
        RefundNotFound: The organisation has no such gift, or that has no such refund.
    """
    row = session.execute(
        _refunds(access).where(_REFUND.c.donation_id == donation_id, _REFUND.c.id == refund_id)
    ).one_or_none()
    if row is None:
        raise RefundNotFound("This gift has no refund with this id; look at the gift with `expand=refunds`.")
    return _refund(row)


def refunds_of_gifts(
    session: Session, access: Access, *, donation_ids: Collection[str]
) -> Mapping[str, Sequence[GiftRefund]]:
    """Refunds by gift, oldest first."""
    found: dict[str, list[GiftRefund]] = {}
    rows = session.execute(
        _refunds(access)
        .where(_REFUND.c.donation_id.in_(donation_ids))
        .order_by(_REFUND.c.created_at, _REFUND.c.id)
    )
    for row in rows:
        found.setdefault(row.donation_id, []).append(_refund(row))
    return found


def carry_out_requests(parts: RefundDependencies) -> int:
    """Execute requested refunds; return how many requests were decided. Undecided ones are retried.

    The first that the processor does not answer about is decided, and ends the run.
    """
    return work_off(
        parts.database,
        RefundRequestRow,
        RefundRequestRow.state == RequestState.WAITING,
        do=partial(_carry_out, parts),
        most=_BATCH_MAX,
        now=parts.clock,
        again_max=_AGAIN_MAX,
    )


def count_exhausted_requests(session: Session) -> int:
    """Count requests undecided after ten attempts; they are retried every hour."""
    exhausted = select(func.count()).where(
        RefundRequestRow.state == RequestState.WAITING, RefundRequestRow.attempts >= _ATTEMPTS_MAX
    )
    return session.scalars(exhausted).one()


def forget_requests(session: Session, *, donation_ids: Collection[str]) -> None:
    """Erase links from former refund ids to these gifts, in the transaction that erases their donor.

    Raises:
        RefundUnderWay: One of them is asked for and not carried out yet.
    """
    rows = session.execute(
        delete(RefundRequestRow)
        .where(RefundRequestRow.donation_id.in_(donation_ids))
        .returning(RefundRequestRow.id, RefundRequestRow.state)
        .execution_options(synchronize_session=False)
    ).all()
    for row in rows:
        if row.state == RequestState.WAITING:
            raise payments.RefundUnderWay(
                f"Refund {row.id} of this gift is asked for and not made yet; repeat the erasure once it is."
            )
    request_ids = [row.id for row in rows]
    outbox.forget_about(session, ids=request_ids)
    idempotency.forget(session, scope=IDEMPOTENCY_SCOPE, resource_ids=request_ids)


def _refundable(gift: Donation, earlier: Sequence[GiftRefund], *, wanted: Money | None) -> Money:
    """What goes back, as far as can be seen before the books are asked."""
    if gift.channel is Channel.OFFLINE:
        raise DonationNotRefundable(
            "This gift never passed the processor: give it back yourself, and ask the platform's staff to reverse it."
        )
    if gift.entry_id is None or gift.status is not DonationStatus.SUCCEEDED:
        raise DonationNotRefundable(
            "This gift has not arrived, so nothing can go back; look at how it stands."
        )
    if gift.is_erased:
        raise DonationNotRefundable(
            "This gift's donor was erased, and with them its name at the processor: refund it on the processor's dashboard."
        )
    if gift.dispute is not None:
        raise DonationNotRefundable(
            "The donor's bank has taken this gift up: answer the dispute on the processor's dashboard instead."
        )
    for each in earlier:
        if each.status is GiftRefundStatus.REQUESTED:
            raise RefundNotFinished(
                f"Refund {each.id} of this gift is not made yet: wait until it is, then ask for another one."
            )
    left = gift.amount.minor_units - sum(each.amount.minor_units for each in earlier if each.status.takes_up)
    if left <= 0:
        raise DonationNotRefundable("All of this gift has gone back; look at its refunds.")
    amount = wanted or Money(minor_units=left, currency=gift.amount.currency)
    if amount.currency != gift.amount.currency or amount.minor_units == 0:
        raise RefundAmountNotAcceptable(
            f"Give an amount above zero in {gift.amount.currency}, the gift's currency.", param="amount"
        )
    if amount.minor_units > left:
        raise ledger.ReversalExceedsOriginal(
            "More would be taken back than was given; refund at most what is left of it.",
            param="amount.minor_units",
        )
    return amount


def _put(
    session: Session,
    access: Access,
    gift: Donation,
    *,
    refund_id: str,
    amount: Money,
    reason: payments.RefundReason,
) -> None:
    """Of two who ask at the same moment, the index lets one."""
    put = session.execute(
        insert(RefundRequestRow)
        .values(
            id=refund_id,
            organization_id=access.organization_id,
            donation_id=gift.id,
            minor_units=amount.minor_units,
            currency=amount.currency,
            reason=reason,
            next_attempt_at=access.now,
            created_at=access.now,
        )
        .on_conflict_do_nothing(
            index_elements=[RefundRequestRow.donation_id],
            # As the index says it, with no parameter: the database compares the two before it knows any value.
            index_where=text("state = 'waiting'"),
        )
        .returning(RefundRequestRow.id)
    ).one_or_none()
    if put is None:
        raise RefundNotFinished(
            "A refund of this gift was asked for at the same moment: wait until it is made, then ask for another one."
        )
    said = f"{reason}_{amount.minor_units}_{amount.currency.lower()}"  # of words the log keeps a digest only
    audit.record_by(session, access, Action.DONATION_REFUND_ASKED, refund_id, gift.id, reason=said)
    outbox.put(session, topic=TOPIC_REFUND_ASKED, payload={"refund_id": refund_id}, now=access.now)


def _carry_out(parts: RefundDependencies, row: RefundRequestRow) -> int | None:
    """Make one; whatever stops this one must not stop the others, but that nobody answers or nothing may be booked (None)."""
    wanted = WantedRefund(
        id=row.id,
        donation_id=row.donation_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        reason=payments.RefundReason(row.reason),
        organization_id=row.organization_id,
        asked_at=row.created_at,
    )
    try:
        carry_out(parts, wanted, beside=partial(_decide, refund_id=row.id, state=RequestState.RECORDED))
    except (RefundRefused, payments.ProcessorUnavailable) as reason:
        # Recorded all the same: released, or completed as any refund whose answer did not come.
        _log.warning("refund_request_unanswered", refund_id=row.id, reason=reason.code)
        if is_silence(reason):
            return None
    except ledger.BookingsPaused:
        return None
    except (RefundNotFinished, _NoLongerWaiting):
        return 0
    except (Conflict, InvalidRequest, NotFound) as reason:
        return _refuse(parts, row.id, reason)
    except Exception:  # noqa: BLE001 -- the attempt is counted: it waits its turn and holds back no other
        _log.exception("refund_request_failed", refund_id=row.id)
        return 0
    return 1


def _refuse(parts: RefundDependencies, refund_id: str, reason: AmplyError) -> int:
    with parts.database.transaction() as session:
        try:
            _decide(session, refund_id=refund_id, state=RequestState.REFUSED, refusal=reason.code)
        except _NoLongerWaiting:
            return 0
    _log.warning("refund_request_refused", refund_id=refund_id, reason=reason.code)
    return 1


def _decide(session: Session, *, refund_id: str, state: RequestState, refusal: str | None = None) -> None:
    decided = session.execute(
        update(RefundRequestRow)
        .where(RefundRequestRow.id == refund_id, RefundRequestRow.state == RequestState.WAITING)
        .values(state=state, refusal=refusal)
        .returning(RefundRequestRow.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if decided is None:
        raise _NoLongerWaiting


def _refunds_of_gift(session: Session, access: Access, donation_id: str) -> Sequence[GiftRefund]:
    return refunds_of_gifts(session, access, donation_ids=[donation_id]).get(donation_id, ())


def _refunds(access: Access) -> Select[*tuple[Any, ...]]:
    return select(*_REFUND.c).where(access.covers(_REFUND.c.organization_id))


def _refund(row: Row[*tuple[Any, ...]]) -> GiftRefund:
    return GiftRefund(
        id=row.id,
        donation_id=row.donation_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        status=GiftRefundStatus(row.status),
        reason=None if row.reason is None else payments.RefundReason(row.reason),
        failure_code=row.failure_code,
        created_at=row.created_at,
    )
