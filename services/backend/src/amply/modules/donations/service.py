"""Opens a gift: record it, call the processor, record the result.

(1) one transaction: idempotency key, donation, payment. (2) the processor, outside any transaction, with a key derived
from the payment's row. (3) one transaction: the processor's id and the answer. Whatever dies in between, repeating
(2) and (3) is harmless: the donor's client does so with the same Idempotency-Key, or `complete_stuck` does a minute
later. Nothing is booked here: ledger entries come from verified provider events only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy.orm import Session

from amply.infra import idempotency, tracing
from amply.infra.database import Database
from amply.infra.multi_table_insert import NewRow, insert_rows
from amply.kernel import ids
from amply.kernel.clock import Clock, iso
from amply.kernel.money import Money
from amply.modules import defence, organizations, payments, receipts
from amply.modules.donations import queries
from amply.modules.donations.data_sharing import ConsentKeeping
from amply.modules.donations.domain import DonationStatus, FeeCoverChanged, Gift
from amply.modules.donations.models import DonationRow
from amply.modules.donations.options import check_options, keep_dedication
from amply.modules.donations.schemas import AmountOut, DonationCreated, PaymentOut

_log = structlog.get_logger()

IDEMPOTENCY_SCOPE: Final = "POST /v1/donations"
_CREATED: Final = 201
_STUCK_MAX: Final = 50


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The response; `replayed` if an earlier request with the same key got it."""

    status: int
    body: Mapping[str, Any]
    replayed: bool = False


def donate(
    database: Database,
    processor: payments.Processor,
    *,
    gift: Gift,
    key: str,
    request: Mapping[str, Any],
    clock: Clock,
    marks: defence.Fingerprints | None = None,
    consents: ConsentKeeping | None = None,
) -> Answer:
    """Open a gift, up to what the donor's browser needs to continue. `marks`: fingerprints to remember.

    `consents` keeps what the donor ticked; None where no data is shared, and nothing is noted.

    Raises:
        IdempotencyKeyReused: The key was used with another request.
        OrganizationNotFound, OrganizationNotReady: Nobody could receive the gift.
        FundNotAcceptable, GiftOptionsNotAcceptable: As `options.check_options` says.
        FeeCoverChanged: What the donor agreed to add is not what covers the fee.
        ProcessorUnavailable: No answer; the gift is recorded, repeat the request with the same key.
        ProcessorRefused: The processor said no; the donation has failed.
    """
    donation_id = ids.new_id("don")
    with database.transaction() as session:
        earlier = idempotency.claim(
            session, scope=IDEMPOTENCY_SCOPE, key=key, body=request, resource_id=donation_id, now=clock()
        )
        if earlier is None:
            payment = record_gift(session, donation_id=donation_id, gift=gift, now=clock(), marks=marks)
            if consents is not None and gift.data_sharing is not None:
                consents.keep(
                    session,
                    donation_id=donation_id,
                    email=gift.donor.email,
                    said=gift.data_sharing,
                    now=clock(),
                )
        elif earlier.body is not None and earlier.status is not None:
            return replayed(earlier.status, earlier.body)
        else:
            payment = payments.for_donation(session, donation_id=earlier.resource_id)
    tracing.annotate(donation_id=payment.donation_id, payment_id=payment.id)
    fee_cover = gift.total - gift.amount
    return open_payment(database, processor, payment=payment, clock=clock, fee_cover=fee_cover)


def complete_stuck(database: Database, processor: payments.Processor, *, clock: Clock) -> int:
    """Complete payments interrupted by a crash between steps (1) and (3); return how many.

    Each is tried ten times, ever further apart; then it waits for a person. The first that the processor does not answer about ends
    the run: the others would each wait as long for the same.
    """
    done = 0
    for _ in range(_STUCK_MAX):
        with database.transaction() as session:
            payment = payments.claim_stuck(session, now=clock())
        if payment is None:
            break
        completed = _complete(database, processor, payment=payment, clock=clock)
        if completed is None:
            break
        done += completed
    return done


def _complete(
    database: Database, processor: payments.Processor, *, payment: payments.Payment, clock: Clock
) -> bool | None:
    """Finish one stuck payment; whatever stops this one must not stop the others, but that nobody answers (None)."""
    try:
        with tracing.continued(
            "complete stuck payment", traceparent=payment.traceparent, kind=SpanKind.INTERNAL
        ):
            open_payment(database, processor, payment=payment, clock=clock)
    except payments.ProcessorUnavailable as reason:
        _log.warning("stuck_payment_not_completed", payment_id=payment.id, reason=reason.code)
        return None
    except payments.ProcessorRefused as reason:
        _log.warning("stuck_payment_not_completed", payment_id=payment.id, reason=reason.code)
        return False
    except Exception:  # noqa: BLE001 -- the attempt is counted: it waits its turn and holds back no other
        _log.exception("stuck_payment_not_completed", payment_id=payment.id)
        return False
    return True


def replayed(status: int, body: Mapping[str, Any]) -> Answer:
    """The stored response to an identical request.

    Raises:
        ProcessorRefused: That was it.
    """
    if status == payments.ProcessorRefused.status:
        raise payments.ProcessorRefused(str(body["detail"]))
    return Answer(status=status, body=body, replayed=True)


def check_gift(session: Session, *, gift: Gift, is_agreed: bool = False) -> str:
    """Validate a gift for this organisation; return the account that receives it.

    `is_agreed`: its fee cover was agreed to before, and may be below what covers the fee today, but not above it.

    Raises:
        OrganizationNotFound, OrganizationNotReady: Nobody could receive the gift.
        FundNotAcceptable, GiftOptionsNotAcceptable, FeeCoverChanged: As `donate` says.
    """
    check_options(session, gift)
    account_id = payments.require_account(session, organization_id=gift.organization_id)
    _check_fee_cover(session, gift=gift, is_agreed=is_agreed)
    return account_id


def record_gift(
    session: Session,
    *,
    donation_id: str,
    gift: Gift,
    now: datetime,
    customer: payments.Customer | None = None,
    is_agreed: bool = False,
    marks: defence.Fingerprints | None = None,
    plan_id: str | None = None,
) -> payments.Payment:
    """Step (1): record the gift, its payment, and the fingerprints.

    `customer` is whom the processor keeps a way to pay for. `plan_id`: the plan of recurring gifts that it belongs to.

    Raises:
        OrganizationNotFound, OrganizationNotReady: Nobody could receive the gift.
        FundNotAcceptable, GiftOptionsNotAcceptable, FeeCoverChanged: As `check_gift` says.
    """
    account_id = check_gift(session, gift=gift, is_agreed=is_agreed)
    cover = gift.fee_cover
    said = {"donor_name": gift.donor.name, "donor_email": gift.donor.email, "message": gift.message}
    personal = DonationRow.fields.at_rest(session, row_id=donation_id, fields=said)
    row = NewRow(
        DonationRow,
        {
            "id": donation_id,
            "organization_id": gift.organization_id,
            "minor_units": gift.total.minor_units,
            "currency": gift.total.currency,
            "fee_cover_minor_units": 0 if cover is None else cover.amount.minor_units,
            "fee_cover_method": None if cover is None else cover.method,
            "status": DonationStatus.PENDING,
            **personal,
            "fund_id": gift.options.fund_id,
            "anonymity": gift.options.anonymity,
            "plan_id": plan_id,
            "created_at": now,
            "updated_at": now,
        },
    )
    payment, intended = payments.intended(
        donation_id=donation_id,
        organization_id=gift.organization_id,
        account_id=account_id,
        amount=gift.total,
        now=now,
        customer=customer,
    )
    insert_rows(session, row, intended, *_remembered(donation_id, gift, marks, now=now))
    receipts.keep(session, donation_id=donation_id, donor=gift.for_receipt)
    keep_dedication(session, donation_id=donation_id, dedication=gift.options.dedication)
    return payment


def _remembered(
    donation_id: str, gift: Gift, marks: defence.Fingerprints | None, *, now: datetime
) -> Sequence[NewRow]:
    if marks is None:
        return ()
    named = {"donation_id": donation_id, "organization_id": gift.organization_id}
    return (defence.opened(**named, marks=marks, now=now),)


def _check_fee_cover(session: Session, *, gift: Gift, is_agreed: bool) -> None:
    """Charge what the donor was shown and agreed to, or nothing.

    Raises:
        FeeCoverChanged: The quote is another one by now, or there is none for this way to pay.
    """
    cover = gift.fee_cover
    if cover is None:
        return
    quoted = {
        each.method: each.amount.minor_units
        for each in quotes(session, organization_id=gift.organization_id, gift=gift.amount)
    }
    asked, quote = cover.amount.minor_units, quoted.get(cover.method)
    if quote is None or asked > quote or (asked < quote and not is_agreed):
        raise FeeCoverChanged(
            "The fee for this payment is another one; ask GET /v1/donations/quote for it, and let the donor decide again.",
            param="fee_cover",
        )


def quotes(session: Session, *, organization_id: str, gift: Money) -> Sequence[payments.FeeCover]:
    """Today's fee cover of a gift to this organisation, for each payment method with a price.

    Raises:
        OrganizationNotFound: No organisation has this id.
    """
    organization = organizations.get(session, organization_id=organization_id)
    return payments.fee_covers(country=organization.country, gift=gift)


def open_payment(
    database: Database,
    processor: payments.Processor,
    *,
    payment: payments.Payment,
    clock: Clock,
    fee_cover: Money | None = None,
) -> Answer:
    """Steps (2) and (3), repeatable. `fee_cover`: the donor's cover, if the caller knows it.

    Raises:
        ProcessorUnavailable: No answer; it can be repeated.
        ProcessorRefused: The processor said no; the donation has failed.
    """
    try:
        intent = payments.open_at_processor(processor, payment=payment, now=clock())
    except payments.ProcessorRefused as refusal:
        _record_refusal(database, payment=payment, refusal=refusal, now=clock())
        raise
    with database.transaction() as session:
        payments.record_intent(session, payment_id=payment.id, intent=intent, now=clock())
        if fee_cover is None:
            fee_cover = queries.costs_of(session.get_one(DonationRow, payment.donation_id)).fee_cover
        answer = _answer(payment=payment, fee_cover=fee_cover, intent=intent, processor=processor)
        idempotency.store_answer(
            session,
            scope=IDEMPOTENCY_SCOPE,
            resource_id=payment.donation_id,
            status=answer.status,
            body=answer.body,
        )
    # Leads from the request's id to the payment's, which the processor's events carry.
    _log.info("gift_opened", donation_id=payment.donation_id, payment_id=payment.id)
    return answer


def _answer(
    *, payment: payments.Payment, fee_cover: Money, intent: payments.Intent, processor: payments.Processor
) -> Answer:
    body = DonationCreated(
        id=payment.donation_id,
        status=DonationStatus.PENDING,
        amount=AmountOut.of(payment.amount),
        fee_cover=AmountOut.of(fee_cover),
        organization_id=payment.organization_id,
        payment=PaymentOut(
            client_secret=intent.client_secret,
            publishable_key=processor.publishable_key,
            stripe_account=payment.account_id,
        ),
        created_at=iso(payment.created_at),
    )
    return Answer(status=_CREATED, body=body.model_dump())


def _record_refusal(
    database: Database, *, payment: payments.Payment, refusal: payments.ProcessorRefused, now: datetime
) -> None:
    """A refusal is an answer: the donation has failed, and the same request gets the same no."""
    with database.transaction() as session:
        if not _fail(session, payment=payment, now=now):
            return
        idempotency.store_answer(
            session,
            scope=IDEMPOTENCY_SCOPE,
            resource_id=payment.donation_id,
            status=refusal.status,
            body={"detail": refusal.detail},
        )


def record_refused(database: Database, *, payment: payments.Payment, now: datetime) -> None:
    """Record that one of several payments was refused: its donation failed, the others may not."""
    with database.transaction() as session:
        _fail(session, payment=payment, now=now)


def _fail(session: Session, *, payment: payments.Payment, now: datetime) -> bool:
    """False where an earlier call did reach the processor: then its events decide."""
    if not payments.refuse(session, payment_id=payment.id, now=now):
        return False
    row = session.get_one(DonationRow, payment.donation_id)
    row.status = DonationStatus.FAILED
    row.updated_at = now
    return True
