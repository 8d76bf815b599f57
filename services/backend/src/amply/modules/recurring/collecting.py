"""Collects open charges, and follows each until its event has decided.

An intent is paid once, whoever asks how often: each period has one, so that a worker killed between call and record, and
two workers at once, take the money once. Ledger entries and receipts come from the events, as for any other gift.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.orm import Session

from amply.modules import donations, payments
from amply.modules.donations import DonationStatus
from amply.modules.payments import PaymentStatus
from amply.modules.recurring.charge_attempts import (
    ChargeAttempt,
    CollectionDependencies,
    RecordsOutcome,
    apply,
    claim,
    look_at,
)
from amply.modules.recurring.contested import rest_contested
from amply.modules.recurring.declines import DeclineResponse, following
from amply.modules.recurring.domain import ChargeState, PlanStatus, Reason, Unanswered, WaitsFor
from amply.modules.recurring.ending import end_unpaid, note_unanswered, write_of
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.opening import ABANDONED_AFTER
from amply.modules.recurring.plan_transitions import FIRST, LetterKind, forget_donor, pays_with, rest, run

_BATCH_MAX: Final = 100
_LOOK_AGAIN_AFTER: Final = timedelta(seconds=30)
_DONOR_MAY_PAY: Final = timedelta(hours=1)
"""How often to check whether a donor has paid a declined charge."""
_TRIED_FOR: Final = timedelta(days=14)
"""Longer than any retry schedule: after this time without an answer, the period is not retried."""
_PUT_OFF_FOR: Final = timedelta(days=13)
"""An organisation that takes gifts again by then leaves a day to retry."""
_ORGANIZATION_AGAIN_AFTER: Final = timedelta(hours=6)
_LOOKED_FOR: Final = timedelta(days=60)
"""Longer than any bank takes. A later event is still booked."""

_log = structlog.get_logger()


def collect(parts: CollectionDependencies, *, now: datetime) -> int:
    """Advance every due charge by one step; return how many were attempted."""
    looked = 0
    for _ in range(_BATCH_MAX):
        attempt = claim(parts, now=now)
        if attempt is None:
            break
        looked += 1
        try:
            _work_of(attempt)(attempt)
        except payments.ProcessorUnavailable as reason:
            _log.warning(
                "plan_charge_waits", plan_id=attempt.plan.id, period=attempt.charge.period, reason=reason.code
            )
        except payments.AccountUnreachable:
            _shut_out(attempt)
        except payments.ProcessorRefused:
            _refused(attempt)
        except Exception:  # noqa: BLE001 -- it is retried and delays no other
            _log.exception("plan_charge_not_collected", plan_id=attempt.plan.id, period=attempt.charge.period)
    return looked


def _work_of(attempt: ChargeAttempt) -> Callable[[ChargeAttempt], None]:
    """What is done with a charge, for as long as it makes sense."""
    if attempt.now - attempt.charge.opened_at > _LOOKED_FOR:
        return _lose_sight
    if attempt.charge.state is ChargeState.OPEN and attempt.now - attempt.asked_since > _TRIED_FOR:
        return _stop_trying
    return _WORK[attempt.charge.state]


def _collect(attempt: ChargeAttempt) -> None:
    """Open the payment where nobody has yet, and charge what is kept."""
    charge, plan = attempt.charge, attempt.plan
    if attempt.gift in (DonationStatus.SUCCEEDED, DonationStatus.CANCELED):
        _concluded(attempt)
        return
    if attempt.contested is not None:
        apply(attempt, _contested(attempt, attempt.contested))
        return
    if not attempt.takes_gifts:
        _put_off(attempt)
        return
    if charge.retry_at is not None and charge.retry_at > attempt.now:
        apply(
            attempt,
            lambda _, __, row: look_at(
                row, min(attempt.now + _DONOR_MAY_PAY, charge.retry_at or attempt.now)
            ),
        )
        return
    payment = _opened(attempt)
    if payment.remote_id is None or plan.method_id is None:
        _refused(attempt)
        return
    charged = attempt.parts.saved.charge(
        remote_id=payment.remote_id,
        account_id=payment.account_id,
        method_id=plan.method_id,
        idempotency_key=f"payment:{payment.id}:charge:{charge.declines}:{plan.method_id}",
    )
    apply(attempt, lambda session, plan_row, row: _charged(attempt, session, plan_row, row, charged))


def _contested(attempt: ChargeAttempt, period: int) -> RecordsOutcome:
    def contest(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        if plan.status in (PlanStatus.ACTIVE, PlanStatus.PAST_DUE):
            rest_contested(session, plan, period=period, now=attempt.now)
        row.state, row.looks, row.next_attempt_at = ChargeState.GIVING_UP, 0, attempt.now

    return contest


def _put_off(attempt: ChargeAttempt) -> None:
    """Nothing is taken for an organisation that takes no gifts now. A day before nobody would be asked any more, the period lapses."""
    if _has_left(attempt):
        _refused(attempt, reason=Reason.ORGANIZATION)
        return
    if attempt.now - attempt.asked_since > _PUT_OFF_FOR:
        _stop_trying(attempt)
        return

    def put_off(_: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        plan.waits_for = WaitsFor.ORGANIZATION
        look_at(row, attempt.now + _ORGANIZATION_AGAIN_AFTER)

    _log.warning(
        "plan_waits_for_organization", plan_id=attempt.plan.id, organization_id=attempt.plan.organization_id
    )
    apply(attempt, put_off)


def _waits_no_more(plan: PlanRow) -> None:
    """What was put off for the organisation is not any more; a period that waits for it unopened still does."""
    if plan.due_since is None and plan.waits_for == WaitsFor.ORGANIZATION:
        plan.waits_for = None


def _opened(attempt: ChargeAttempt) -> payments.Payment:
    if attempt.payment.status is not PaymentStatus.CREATED:
        return attempt.payment
    donations.open_payment(
        attempt.parts.database, attempt.parts.processor, payment=attempt.payment, clock=attempt.clock
    )
    with attempt.parts.database.transaction() as session:
        return payments.get(session, payment_id=attempt.payment.id)


def _look(attempt: ChargeAttempt) -> None:
    """Its event decides; what a bank sends back days later is a decline like any other."""
    if attempt.charge.period == FIRST and attempt.plan.status is PlanStatus.INCOMPLETE:
        _look_at_first(attempt)
    elif attempt.gift in (DonationStatus.SUCCEEDED, DonationStatus.CANCELED):
        _concluded(attempt)
    elif attempt.gift is DonationStatus.FAILED and attempt.payment.remote_id is not None:
        charged = attempt.parts.saved.standing(
            remote_id=attempt.payment.remote_id, account_id=attempt.payment.account_id
        )
        if charged.status is PaymentStatus.FAILED:
            apply(attempt, lambda session, plan_row, row: _charged(attempt, session, plan_row, row, charged))


def _look_at_first(attempt: ChargeAttempt) -> None:
    """A plan begins once its first gift is on its way; a donor who was refused may take another card for a day."""
    if attempt.gift in (DonationStatus.SUCCEEDED, DonationStatus.PROCESSING):
        _begin(attempt)
    elif attempt.gift is DonationStatus.CANCELED or attempt.plan.created_at < attempt.now - ABANDONED_AFTER:
        apply(attempt, _never_started(attempt))


def _begin(attempt: ChargeAttempt) -> None:
    """What the first gift was paid with is kept for the others."""
    method = attempt.parts.saved.method_of_intent(
        remote_id=attempt.payment.remote_id or "", account_id=attempt.payment.account_id
    )

    def begin(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        if plan.status == PlanStatus.INCOMPLETE and method is not None:
            pays_with(session, plan, method, now=attempt.now)
            run(session, plan, now=attempt.now)
        elif plan.status == PlanStatus.INCOMPLETE:
            # Paid by a method that cannot be saved: the gift stands, and the donor is asked for a card.
            rest(session, plan, status=PlanStatus.PAUSED, reason=Reason.REFUSED, now=attempt.now)
            write_of(session, plan, LetterKind.NOT_KEPT, tried=attempt.tried, now=attempt.now)
        if attempt.gift is DonationStatus.SUCCEEDED:
            row.state, row.next_attempt_at = ChargeState.PAID, None

    apply(attempt, begin)


def _never_started(attempt: ChargeAttempt) -> RecordsOutcome:
    def end(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        row.state, row.looks, row.next_attempt_at = ChargeState.GIVING_UP, 0, attempt.now
        rest(session, plan, status=PlanStatus.ENDED, reason=Reason.NEVER_STARTED, now=attempt.now)
        forget_donor(session, plan, now=attempt.now)

    return end


def _withdraw(attempt: ChargeAttempt) -> None:
    """Make sure that nobody pays it any more. What was paid before that is a gift, and is followed."""
    if attempt.gift in (DonationStatus.SUCCEEDED, DonationStatus.CANCELED):
        _concluded(attempt)
        return
    status = PaymentStatus.CANCELED
    if attempt.payment.remote_id is not None:
        status = attempt.parts.saved.cancel(
            remote_id=attempt.payment.remote_id, account_id=attempt.payment.account_id
        )

    def withdraw(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        if status is PaymentStatus.CANCELED:
            end_unpaid(session, plan, row, tried=attempt.tried, now=attempt.now)
        elif status in (PaymentStatus.SUCCEEDED, PaymentStatus.PROCESSING):
            row.state, row.looks = ChargeState.WAITING, 0
            note_unanswered(row, None, now=attempt.now)
            look_at(row, attempt.now + _LOOK_AGAIN_AFTER)

    apply(attempt, withdraw)


_WORK: Final = {ChargeState.OPEN: _collect, ChargeState.WAITING: _look, ChargeState.GIVING_UP: _withdraw}


def _charged(
    attempt: ChargeAttempt, session: Session, plan: PlanRow, row: PlanChargeRow, charged: payments.Charged
) -> None:
    """What the processor said to a charge."""
    _waits_no_more(plan)
    if charged.status in (PaymentStatus.SUCCEEDED, PaymentStatus.PROCESSING):
        row.state, row.looks = ChargeState.WAITING, 0
        look_at(row, attempt.now + _LOOK_AGAIN_AFTER)
    elif charged.status is PaymentStatus.CANCELED:
        row.state, row.next_attempt_at = ChargeState.GIVEN_UP, None
        _carry_on(session, plan, now=attempt.now)
    elif charged.decline is not None:
        _declined(attempt, session, plan, row, charged.decline)


def _declined(
    attempt: ChargeAttempt, session: Session, plan: PlanRow, row: PlanChargeRow, decline: payments.Decline
) -> None:
    """Up the ladder, or off it."""
    row.declines, row.decline_code, row.looks = row.declines + 1, decline.code, 0
    next_step = following(
        decline, declines=row.declines, method_kind=plan.method_kind, opened_at=row.opened_at, now=attempt.now
    )
    running = plan.status in (PlanStatus.ACTIVE, PlanStatus.PAST_DUE)
    row.state = ChargeState.OPEN if running else ChargeState.GIVING_UP
    if not running:
        row.next_attempt_at = attempt.now
    elif next_step.step is DeclineResponse.STOP:
        rest(session, plan, status=PlanStatus.PAUSED, reason=Reason.DECLINED, now=attempt.now)
        session.flush()
        row.state, row.next_attempt_at = ChargeState.GIVING_UP, attempt.now
        write_of(session, plan, LetterKind.PAUSED, tried=attempt.tried, now=attempt.now)
    else:
        plan.status, plan.next_due_at, plan.next_notice_at = PlanStatus.PAST_DUE, None, None
        row.retry_at = next_step.at
        look_at(row, min(attempt.now + _DONOR_MAY_PAY, next_step.at or attempt.now))
        kind = LetterKind.CONFIRM if next_step.step is DeclineResponse.ASK_DONOR else LetterKind.DECLINED
        again = f":{attempt.plan.method_id}:{row.declines}"
        write_of(session, plan, kind, tried=attempt.tried, again=again, now=attempt.now)
    _log.info("plan_charge_declined", plan_id=plan.id, period=row.period, step=next_step.step)


def _concluded(attempt: ChargeAttempt) -> None:
    """Its event has come: the period is over, and a plan that was behind goes on."""

    def conclude(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        paid = attempt.gift is DonationStatus.SUCCEEDED
        if paid:
            row.state, row.next_attempt_at = ChargeState.PAID, None
            note_unanswered(row, None, now=attempt.now)
        else:
            end_unpaid(session, plan, row, tried=attempt.tried, now=attempt.now)
        _waits_no_more(plan)
        _carry_on(session, plan, now=attempt.now)

    apply(attempt, conclude)


def _stop_trying(attempt: ChargeAttempt) -> None:
    """No answer for weeks, or nothing that could be asked: this period is given up, and the plan goes on with the next one."""

    def stop(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        row.state, row.looks, row.next_attempt_at = ChargeState.GIVING_UP, 0, attempt.now
        note_unanswered(row, Unanswered.CHARGE if attempt.takes_gifts else None, now=attempt.now)
        _waits_no_more(plan)
        _carry_on(session, plan, now=attempt.now)

    _log.warning("plan_charge_not_tried_any_more", plan_id=attempt.plan.id, period=attempt.charge.period)
    apply(attempt, stop)


def _lose_sight(attempt: ChargeAttempt) -> None:
    def lose(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        row.state, row.next_attempt_at = ChargeState.GIVEN_UP, None
        note_unanswered(row, Unanswered.OUTCOME, now=attempt.now)
        _carry_on(session, plan, now=attempt.now)

    _log.warning("plan_charge_not_looked_at_any_more", plan_id=attempt.plan.id, period=attempt.charge.period)
    apply(attempt, lose)


def _shut_out(attempt: ChargeAttempt) -> None:
    """We are shut out of the organisation's account. Until it is known whether it has left, the charge is retried later."""
    plan = attempt.plan
    if _has_left(attempt):
        _refused(attempt, reason=Reason.ORGANIZATION)
    else:
        _log.warning("plan_waits_for_organization", plan_id=plan.id, organization_id=plan.organization_id)


def _has_left(attempt: ChargeAttempt) -> bool:
    with attempt.parts.database.transaction() as session:
        return payments.has_left(
            session, organization_id=attempt.plan.organization_id, account_id=attempt.plan.account_id
        )


def _refused(attempt: ChargeAttempt, *, reason: Reason = Reason.REFUSED) -> None:
    """The processor takes no charge for this plan at all: nothing is tried again until the donor stores another card.

    What was opened is withdrawn, but on an account that has left: there we can do nothing, and nobody can pay with our keys.
    """
    is_over = reason is Reason.ORGANIZATION or attempt.charge.state is ChargeState.GIVING_UP

    def refuse(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        if plan.status == PlanStatus.INCOMPLETE:
            return
        if is_over:
            row.state, row.next_attempt_at = ChargeState.GIVEN_UP, None
        else:
            row.state, row.looks, row.next_attempt_at = ChargeState.GIVING_UP, 0, attempt.now
        if plan.status in (PlanStatus.ACTIVE, PlanStatus.PAST_DUE):
            rest(session, plan, status=PlanStatus.PAUSED, reason=reason, now=attempt.now)
            write_of(session, plan, LetterKind.PAUSED, tried=attempt.tried, now=attempt.now)

    _log.warning("plan_charge_refused", plan_id=attempt.plan.id, period=attempt.charge.period)
    apply(attempt, refuse)


def _carry_on(session: Session, plan: PlanRow, *, now: datetime) -> None:
    if plan.status == PlanStatus.PAST_DUE:
        run(session, plan, now=now)
