"""Opens a split gift (record, call, record), then charges all parts with one payment method.

Each part is a donation like any other: its own payment, intent, events, entry, receipt, refund. What is added is where the
donor enters the method once, and its copies. Nothing is charged twice: a part has one intent for ever, which the processor
lets succeed once, so that paying can be repeated after any crash, by the donor or by `complete_splits`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from amply.infra import idempotency
from amply.infra.database import Database
from amply.kernel import ids
from amply.kernel.clock import Clock
from amply.kernel.errors import AmplyError
from amply.modules import defence, payments
from amply.modules.donations import split_rows
from amply.modules.donations.domain import DonationStatus
from amply.modules.donations.service import Answer, record_gift, record_refused, replayed
from amply.modules.donations.split_domain import (
    KEPT,
    NewSplitGift,
    PaymentMethodMissing,
    SplitGift,
    SplitPart,
)
from amply.modules.donations.split_schemas import SetupOut, SplitGiftCreated, SplitGiftOut
from amply.modules.payments import Paid, SharedOutcome

_log = structlog.get_logger()

SCOPE: Final = "POST /v1/split-gifts"
_CREATED: Final = 201
_SETUPS_MAX: Final = 5
_AGAIN_AFTER: Final = timedelta(minutes=1)
_TRIES_MAX: Final = 5
"""Retries of charging after a crash: within half an hour, or not at all."""
_OVER: Final = frozenset({DonationStatus.SUCCEEDED, DonationStatus.PROCESSING, DonationStatus.CANCELED})


AdmitsCard = Callable[[defence.SetupOf], defence.Fingerprints]
"""Asks the gate whether a card may be entered. Raises `ChallengeRequired` and `TooManyRequests`."""


@dataclass(frozen=True, kw_only=True)
class SplitGiftDependencies:
    """Dependencies of split gifts."""

    database: Database
    processor: payments.Processor
    method_cloning: payments.PaymentMethodCloning
    clock: Clock


def give_to_many(
    parts: SplitGiftDependencies,
    *,
    split: NewSplitGift,
    key: str,
    request: Mapping[str, Any],
    marks: defence.Fingerprints | None = None,
) -> Answer:
    """Open a split gift, up to the entry of a payment method. `marks`: as for `donate`, for every part.

    Raises:
        IdempotencyKeyReused: The key was used with another request.
        OrganizationNotFound, OrganizationNotReady, FundNotAcceptable, GiftOptionsNotAcceptable: Of the part that `param`
            names; nothing is recorded then.
        ProcessorUnavailable: No answer; the gift is recorded, repeat the request with the same key.
        ProcessorRefused: The processor said no to every part.
    """
    split_id = ids.new_id("spl")
    with parts.database.transaction() as session:
        earlier = idempotency.claim(
            session, scope=SCOPE, key=key, body=request, resource_id=split_id, now=parts.clock()
        )
        if earlier is None:
            _record(session, split_id, split, marks=marks, now=parts.clock())
        elif earlier.body is not None and earlier.status is not None:
            return replayed(earlier.status, earlier.body)
        else:
            split_id = earlier.resource_id
    _open_intents(parts, split_id)
    return _open_setup(parts, split_id, marks=marks)


def pay_parts(parts: SplitGiftDependencies, *, split_id: str) -> SplitGift:
    """Charge all unpaid parts with the entered method. Repeating it retries failed parts only.

    Raises:
        SplitGiftNotFound: There is no such gift.
        SplitGiftClosed: Its payment method is forgotten.
        PaymentMethodMissing: The donor has not entered one yet.
        OrganizationNotReady: None of the organisations whose parts are not paid takes gifts now; of several, those that do are paid.
        ProcessorUnavailable: Nobody can say whether they have; ask again.
    """
    with parts.database.transaction() as session:
        held = split_rows.begin_paying(session, split_id=split_id, until=parts.clock() + _AGAIN_AFTER)
    return _pay(parts, held)


def new_setup(parts: SplitGiftDependencies, *, split_id: str, admit: AdmitsCard) -> SetupOut:
    """Create another SetupIntent for the unpaid parts. `admit` asks the gate.

    Raises:
        SplitGiftNotFound, SplitGiftClosed: As `pay_parts` says.
        SetupsUsedUp: Five were asked for before, or too many cards declined.
        ChallengeRequired, TooManyRequests: As the gate says.
        ProcessorUnavailable, ProcessorRefused: As the port says.
    """
    with parts.database.transaction() as session:
        about = split_rows.another_setup(session, split_id=split_id, most=_SETUPS_MAX)
    marks = admit(about)
    with parts.database.transaction() as session:
        held = split_rows.next_setup(
            session, split_id=split_id, number=about.number, most=_SETUPS_MAX, now=parts.clock()
        )
    made = parts.method_cloning.open_setup(split_id=split_id, payer_id=held.payer_id, number=held.setups)
    with parts.database.transaction() as session:
        split_rows.use_setup(
            session, split_id=split_id, number=held.setups, setup_id=made.remote_id, now=parts.clock()
        )
        _remember(session, about, made, marks=marks, now=parts.clock())
    return SetupOut(client_secret=made.client_secret, publishable_key=parts.method_cloning.publishable_key)


def complete_splits(parts: SplitGiftDependencies) -> int:
    """Charge parts left by a crash, and delete stored payment methods; return how many gifts were charged.

    A donor who asked to pay is charged within half an hour or not at all.
    """
    done = split_rows.pay_due(
        parts.database,
        pay=lambda held: _completed(parts, held),
        tries_max=_TRIES_MAX,
        first_again=2 * _AGAIN_AFTER,
        now=parts.clock(),
    )
    with parts.database.transaction() as session:
        kept = split_rows.kept_too_long(session, before=parts.clock() - KEPT)
    for split_id, payer_id in kept:
        _release(parts, split_id=split_id, payer_id=payer_id)
    with parts.database.transaction() as session:
        split_rows.sweep(session, split_ids=[split_id for split_id, _ in kept])
    return done


def _completed(parts: SplitGiftDependencies, held: split_rows.GiftWithMethod) -> bool:
    """Whatever stops this one must not stop the others."""
    try:
        _pay(parts, held)
    except AmplyError as reason:
        _log.warning("split_gift_not_completed", split_id=held.id, reason=reason.code)
        return False
    except Exception:  # noqa: BLE001 -- the attempt is counted: it waits its turn and holds back no other
        _log.exception("split_gift_not_completed", split_id=held.id)
        return False
    return True


def _record(
    session: Session, split_id: str, split: NewSplitGift, *, marks: defence.Fingerprints | None, now: datetime
) -> None:
    donation_ids = []
    for position, gift in enumerate(split.gifts):
        donation_id = ids.new_id("don")
        try:
            of_part = marks.of_part(gift.amount) if marks is not None else None
            record_gift(session, donation_id=donation_id, gift=gift, now=now, marks=of_part)
        except AmplyError as refused:
            refused.param = f"parts.{position}.{refused.param}" if refused.param else f"parts.{position}"
            raise
        donation_ids.append(donation_id)
    split_rows.add(session, split_id=split_id, donation_ids=donation_ids, now=now)


def _open_intents(parts: SplitGiftDependencies, split_id: str) -> None:
    """Announce each part's payment on its organisation's account; one that is refused has failed, and stops no other.

    Raises:
        ProcessorUnavailable: No answer about one; `complete_stuck` opens it as it does for any gift.
        ProcessorRefused: Every part was refused; the same request gets the same no.
    """
    with parts.database.transaction() as session:
        opened = split_rows.payments_of(session, split_id=split_id)
    for payment in opened:
        if payment.remote_id is None and payment.status is payments.PaymentStatus.CREATED:
            _open_intent(parts, payment)
    with parts.database.transaction() as session:
        standing = split_rows.payments_of(session, split_id=split_id)
        if not all(_was_refused(payment) for payment in standing):
            return
        refusal = payments.ProcessorRefused(
            "The payment processor refused every part of this gift; check the organisations' accounts and the amounts."
        )
        idempotency.store_answer(
            session,
            scope=SCOPE,
            resource_id=split_id,
            status=refusal.status,
            body={"detail": refusal.detail},
        )
    raise refusal


def _was_refused(payment: payments.Payment) -> bool:
    """Whether the processor would not even open it; what was opened and declined has a name there."""
    return payment.remote_id is None and payment.status is payments.PaymentStatus.FAILED


def _open_intent(parts: SplitGiftDependencies, payment: payments.Payment) -> None:
    """Open one part, or note that it was refused.

    Raises:
        ProcessorUnavailable: No answer.
    """
    try:
        intent = payments.open_at_processor(parts.processor, payment=payment, now=parts.clock())
    except payments.ProcessorRefused:
        record_refused(parts.database, payment=payment, now=parts.clock())
        return
    with parts.database.transaction() as session:
        payments.record_intent(session, payment_id=payment.id, intent=intent, now=parts.clock())


def _open_setup(parts: SplitGiftDependencies, split_id: str, *, marks: defence.Fingerprints | None) -> Answer:
    payer_id = parts.method_cloning.open_payer(split_id=split_id)
    made = parts.method_cloning.open_setup(split_id=split_id, payer_id=payer_id, number=1)
    setup = SetupOut(client_secret=made.client_secret, publishable_key=parts.method_cloning.publishable_key)
    with parts.database.transaction() as session:
        split_rows.keep_payer(
            session, split_id=split_id, payer_id=payer_id, setup_id=made.remote_id, now=parts.clock()
        )
        about = split_rows.setup_of(session, split_id=split_id, number=1)
        _remember(session, about, made, marks=marks, now=parts.clock())
        shown = SplitGiftOut.of(split_rows.get(session, split_id=split_id))
        body = SplitGiftCreated(**shown.model_dump(), setup=setup).model_dump()
        idempotency.store_answer(session, scope=SCOPE, resource_id=split_id, status=_CREATED, body=body)
    _log.info("split_gift_opened", split_id=split_id, parts=len(shown.parts))
    return Answer(status=_CREATED, body=body)


def _remember(
    session: Session,
    about: defence.SetupOf,
    made: payments.SharedSetup,
    *,
    marks: defence.Fingerprints | None,
    now: datetime,
) -> None:
    defence.keep_setup(session, about, remote_id=made.remote_id, account_id=None, marks=marks, now=now)


def _pay(parts: SplitGiftDependencies, held: split_rows.GiftWithMethod) -> SplitGift:
    method_id = parts.method_cloning.method_of(setup_id=held.setup_id)
    if method_id is None:
        with parts.database.transaction() as session:
            split_rows.end_paying(session, split_id=held.id, now=parts.clock())
        raise PaymentMethodMissing(
            "Let the donor enter a payment method first, with the setup's client_secret."
        )
    _open_missing(parts, held)
    with parts.database.transaction() as session:
        split = split_rows.get(session, split_id=held.id)
        intents = {
            payment.donation_id: payment.remote_id
            for payment in split_rows.payments_of(session, split_id=held.id)
        }
        closed = _closed(session, split)
    _require_open(parts, held, split, closed=closed)
    told = tuple(
        replace(
            part,
            outcome=SharedOutcome(paid=Paid.DECLINED)
            if part.organization_id in closed and part.status not in _OVER
            else _pay_part(parts, held, part, intents[part.donation_id], method_id=method_id),
        )
        for part in split.parts
    )
    if not any(part.outcome is not None and part.outcome.paid is Paid.UNKNOWN for part in told):
        with parts.database.transaction() as session:
            split_rows.end_paying(session, split_id=held.id, now=parts.clock())
    if all(_is_over(part) for part in told):
        _release(parts, split_id=held.id, payer_id=held.payer_id)
    return replace(split, parts=told)


def _closed(session: Session, split: SplitGift) -> frozenset[str]:
    """The organisations of parts that are not paid which take no gifts now."""
    return frozenset(
        part.organization_id
        for part in split.parts
        if part.status not in _OVER
        and payments.find_account(session, organization_id=part.organization_id) is None
    )


def _require_open(
    parts: SplitGiftDependencies, held: split_rows.GiftWithMethod, split: SplitGift, *, closed: frozenset[str]
) -> None:
    """See that something can be paid, or that nothing has to be.

    Raises:
        OrganizationNotReady: Of the first part that is not paid; nothing of the others can be either.
    """
    unpaid = [part.organization_id for part in split.parts if part.status not in _OVER]
    if not unpaid or not closed.issuperset(unpaid):
        return
    with parts.database.transaction() as session:
        split_rows.end_paying(session, split_id=held.id, now=parts.clock())
    with parts.database.transaction() as session:
        payments.require_account(session, organization_id=unpaid[0])


def _open_missing(parts: SplitGiftDependencies, held: split_rows.GiftWithMethod) -> None:
    """Parts whose intent a crash left unopened; what does not answer now is told as unknown."""
    with parts.database.transaction() as session:
        waiting: Sequence[payments.Payment] = split_rows.payments_of(session, split_id=held.id)
    for payment in waiting:
        if payment.remote_id is None and payment.status is payments.PaymentStatus.CREATED:
            try:
                _open_intent(parts, payment)
            except payments.ProcessorUnavailable:
                _log.warning("part_not_opened", payment_id=payment.id)


def _pay_part(
    parts: SplitGiftDependencies,
    held: split_rows.GiftWithMethod,
    part: SplitPart,
    remote_id: str | None,
    *,
    method_id: str,
) -> SharedOutcome | None:
    """One part; whatever becomes of it, the others are tried. None where there is nothing to pay any more."""
    if part.status in _OVER or (remote_id is None and part.status is DonationStatus.FAILED):
        return None
    if remote_id is None:
        return SharedOutcome(paid=Paid.UNKNOWN)
    try:
        return parts.method_cloning.pay(
            remote_id=remote_id, account_id=part.account_id, payer_id=held.payer_id, method_id=method_id
        )
    except payments.ProcessorUnavailable:
        return SharedOutcome(paid=Paid.UNKNOWN)
    except payments.ProcessorRefused:
        return SharedOutcome(paid=Paid.DECLINED)


def _is_over(part: SplitPart) -> bool:
    """Whether the payment method is not needed for it any more."""
    return part.outcome is None or part.outcome.paid in (Paid.PAID, Paid.UNDER_WAY)


def _release(parts: SplitGiftDependencies, *, split_id: str, payer_id: str) -> None:
    """Let the processor forget the method; what does not answer now is asked again within the minute."""
    try:
        parts.method_cloning.release(payer_id=payer_id)
    except (payments.ProcessorUnavailable, payments.ProcessorRefused) as reason:
        _log.warning("payment_method_not_released", split_id=split_id, reason=reason.code)
        return
    with parts.database.transaction() as session:
        split_rows.released(session, split_id=split_id, now=parts.clock())
