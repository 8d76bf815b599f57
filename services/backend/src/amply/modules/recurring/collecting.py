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
    Applies,
    ChargeAttempt,
    CollectionDependencies,
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
        turn = claim(parts, now=now)
        if turn is None:
            break
        looked += 1
        try:
            _work_of(turn)(turn)
        except payments.ProcessorUnavailable as reason:
            _log.warning(
                "plan_charge_waits", plan_id=turn.plan.id, period=turn.charge.period, reason=reason.code
            )
        except payments.AccountUnreachable:
            _shut_out(turn)
        except payments.ProcessorRefused:
            _refused(turn)
        except Exception:  # noqa: BLE001 -- it waits its turn and holds back no other
            _log.exception("plan_charge_not_collected", plan_id=turn.plan.id, period=turn.charge.period)
    return looked


def _work_of(turn: ChargeAttempt) -> Callable[[ChargeAttempt], None]:
    """What is done with a charge, for as long as it makes sense."""
    if turn.now - turn.charge.opened_at > _LOOKED_FOR:
        return _lose_sight
    if turn.charge.state is ChargeState.OPEN and turn.now - turn.asked_since > _TRIED_FOR:
        return _stop_trying
    return _WORK[turn.charge.state]


def _collect(turn: ChargeAttempt) -> None:
    """Open the payment where nobody has yet, and charge what is kept."""
    charge, plan = turn.charge, turn.plan
    if turn.gift in (DonationStatus.SUCCEEDED, DonationStatus.CANCELED):
        _concluded(turn)
        return
    if turn.contested is not None:
        apply(turn, _contested(turn, turn.contested))
        return
    if not turn.takes_gifts:
        _put_off(turn)
        return
    if charge.retry_at is not None and charge.retry_at > turn.now:
        apply(
            turn,
            lambda _, __, row: look_at(row, min(turn.now + _DONOR_MAY_PAY, charge.retry_at or turn.now)),
        )
        return
    payment = _opened(turn)
    if payment.remote_id is None or plan.method_id is None:
        _refused(turn)
        return
    charged = turn.parts.saved.charge(
        remote_id=payment.remote_id,
        account_id=payment.account_id,
        method_id=plan.method_id,
        idempotency_key=f"payment:{payment.id}:charge:{charge.declines}:{plan.method_id}",
    )
    apply(turn, lambda session, plan_row, row: _charged(turn, session, plan_row, row, charged))


def _contested(turn: ChargeAttempt, period: int) -> Applies:
    def contest(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        if plan.status in (PlanStatus.ACTIVE, PlanStatus.PAST_DUE):
            rest_contested(session, plan, period=period, now=turn.now)
        row.state, row.looks, row.next_attempt_at = ChargeState.GIVING_UP, 0, turn.now

    return contest


def _put_off(turn: ChargeAttempt) -> None:
    """Nothing is taken for an organisation that takes no gifts now. A day before nobody would be asked any more, the period lapses."""
    if _has_left(turn):
        _refused(turn, reason=Reason.ORGANIZATION)
        return
    if turn.now - turn.asked_since > _PUT_OFF_FOR:
        _stop_trying(turn)
        return

    def put_off(_: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        plan.waits_for = WaitsFor.ORGANIZATION
        look_at(row, turn.now + _ORGANIZATION_AGAIN_AFTER)

    _log.warning(
        "plan_waits_for_organization", plan_id=turn.plan.id, organization_id=turn.plan.organization_id
    )
    apply(turn, put_off)


def _waits_no_more(plan: PlanRow) -> None:
    """What was put off for the organisation is not any more; a period that waits for it unopened still does."""
    if plan.due_since is None and plan.waits_for == WaitsFor.ORGANIZATION:
        plan.waits_for = None


def _opened(turn: ChargeAttempt) -> payments.Payment:
    if turn.payment.status is not PaymentStatus.CREATED:
        return turn.payment
    donations.open_payment(turn.parts.database, turn.parts.processor, payment=turn.payment, clock=turn.clock)
    with turn.parts.database.transaction() as session:
        return payments.get(session, payment_id=turn.payment.id)


def _look(turn: ChargeAttempt) -> None:
    """Its event decides; what a bank sends back days later is a decline like any other."""
    if turn.charge.period == FIRST and turn.plan.status is PlanStatus.INCOMPLETE:
        _look_at_first(turn)
    elif turn.gift in (DonationStatus.SUCCEEDED, DonationStatus.CANCELED):
        _concluded(turn)
    elif turn.gift is DonationStatus.FAILED and turn.payment.remote_id is not None:
        charged = turn.parts.saved.standing(
            remote_id=turn.payment.remote_id, account_id=turn.payment.account_id
        )
        if charged.status is PaymentStatus.FAILED:
            apply(turn, lambda session, plan_row, row: _charged(turn, session, plan_row, row, charged))


def _look_at_first(turn: ChargeAttempt) -> None:
    """A plan begins once its first gift is on its way; a donor who was refused may take another card for a day."""
    if turn.gift in (DonationStatus.SUCCEEDED, DonationStatus.PROCESSING):
        _begin(turn)
    elif turn.gift is DonationStatus.CANCELED or turn.plan.created_at < turn.now - ABANDONED_AFTER:
        apply(turn, _never_started(turn))


def _begin(turn: ChargeAttempt) -> None:
    """What the first gift was paid with is kept for the others."""
    method = turn.parts.saved.method_of_intent(
        remote_id=turn.payment.remote_id or "", account_id=turn.payment.account_id
    )

    def begin(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        if plan.status == PlanStatus.INCOMPLETE and method is not None:
            pays_with(session, plan, method, now=turn.now)
            run(session, plan, now=turn.now)
        elif plan.status == PlanStatus.INCOMPLETE:
            # Paid with something that cannot be kept: the gift is one, and the donor is asked for a card.
            rest(session, plan, status=PlanStatus.PAUSED, reason=Reason.REFUSED, now=turn.now)
            write_of(session, plan, LetterKind.NOT_KEPT, tried=turn.tried, now=turn.now)
        if turn.gift is DonationStatus.SUCCEEDED:
            row.state, row.next_attempt_at = ChargeState.PAID, None

    apply(turn, begin)


def _never_started(turn: ChargeAttempt) -> Applies:
    def end(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        row.state, row.looks, row.next_attempt_at = ChargeState.GIVING_UP, 0, turn.now
        rest(session, plan, status=PlanStatus.ENDED, reason=Reason.NEVER_STARTED, now=turn.now)
        forget_donor(session, plan, now=turn.now)

    return end


def _withdraw(turn: ChargeAttempt) -> None:
    """Make sure that nobody pays it any more. What was paid before that is a gift, and is followed."""
    if turn.gift in (DonationStatus.SUCCEEDED, DonationStatus.CANCELED):
        _concluded(turn)
        return
    status = PaymentStatus.CANCELED
    if turn.payment.remote_id is not None:
        status = turn.parts.saved.cancel(remote_id=turn.payment.remote_id, account_id=turn.payment.account_id)

    def withdraw(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        if status is PaymentStatus.CANCELED:
            end_unpaid(session, plan, row, tried=turn.tried, now=turn.now)
        elif status in (PaymentStatus.SUCCEEDED, PaymentStatus.PROCESSING):
            row.state, row.looks = ChargeState.WAITING, 0
            note_unanswered(row, None, now=turn.now)
            look_at(row, turn.now + _LOOK_AGAIN_AFTER)

    apply(turn, withdraw)


_WORK: Final = {ChargeState.OPEN: _collect, ChargeState.WAITING: _look, ChargeState.GIVING_UP: _withdraw}


def _charged(
    turn: ChargeAttempt, session: Session, plan: PlanRow, row: PlanChargeRow, charged: payments.Charged
) -> None:
    """What the processor said to a charge."""
    _waits_no_more(plan)
    if charged.status in (PaymentStatus.SUCCEEDED, PaymentStatus.PROCESSING):
        row.state, row.looks = ChargeState.WAITING, 0
        look_at(row, turn.now + _LOOK_AGAIN_AFTER)
    elif charged.status is PaymentStatus.CANCELED:
        row.state, row.next_attempt_at = ChargeState.GIVEN_UP, None
        _carry_on(session, plan, now=turn.now)
    elif charged.decline is not None:
        _declined(turn, session, plan, row, charged.decline)


def _declined(
    turn: ChargeAttempt, session: Session, plan: PlanRow, row: PlanChargeRow, decline: payments.Decline
) -> None:
    """Up the ladder, or off it."""
    row.declines, row.decline_code, row.looks = row.declines + 1, decline.code, 0
    next_step = following(
        decline, declines=row.declines, method_kind=plan.method_kind, opened_at=row.opened_at, now=turn.now
    )
    running = plan.status in (PlanStatus.ACTIVE, PlanStatus.PAST_DUE)
    row.state = ChargeState.OPEN if running else ChargeState.GIVING_UP
    if not running:
        row.next_attempt_at = turn.now
    elif next_step.step is DeclineResponse.STOP:
        rest(session, plan, status=PlanStatus.PAUSED, reason=Reason.DECLINED, now=turn.now)
        session.flush()
        row.state, row.next_attempt_at = ChargeState.GIVING_UP, turn.now
        write_of(session, plan, LetterKind.PAUSED, tried=turn.tried, now=turn.now)
    else:
        plan.status, plan.next_due_at, plan.next_notice_at = PlanStatus.PAST_DUE, None, None
        row.retry_at = next_step.at
        look_at(row, min(turn.now + _DONOR_MAY_PAY, next_step.at or turn.now))
        kind = LetterKind.CONFIRM if next_step.step is DeclineResponse.ASK_DONOR else LetterKind.DECLINED
        again = f":{turn.plan.method_id}:{row.declines}"
        write_of(session, plan, kind, tried=turn.tried, again=again, now=turn.now)
    _log.info("plan_charge_declined", plan_id=plan.id, period=row.period, step=next_step.step)


def _concluded(turn: ChargeAttempt) -> None:
    """Its event has come: the period is over, and a plan that was behind goes on."""

    def conclude(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        paid = turn.gift is DonationStatus.SUCCEEDED
        if paid:
            row.state, row.next_attempt_at = ChargeState.PAID, None
            note_unanswered(row, None, now=turn.now)
        else:
            end_unpaid(session, plan, row, tried=turn.tried, now=turn.now)
        _waits_no_more(plan)
        _carry_on(session, plan, now=turn.now)

    apply(turn, conclude)


def _stop_trying(turn: ChargeAttempt) -> None:
    """No answer for weeks, or nothing that could be asked: this period is given up, and the plan goes on with the next one."""

    def stop(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        row.state, row.looks, row.next_attempt_at = ChargeState.GIVING_UP, 0, turn.now
        note_unanswered(row, Unanswered.CHARGE if turn.takes_gifts else None, now=turn.now)
        _waits_no_more(plan)
        _carry_on(session, plan, now=turn.now)

    _log.warning("plan_charge_not_tried_any_more", plan_id=turn.plan.id, period=turn.charge.period)
    apply(turn, stop)


def _lose_sight(turn: ChargeAttempt) -> None:
    def lose(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        row.state, row.next_attempt_at = ChargeState.GIVEN_UP, None
        note_unanswered(row, Unanswered.OUTCOME, now=turn.now)
        _carry_on(session, plan, now=turn.now)

    _log.warning("plan_charge_not_looked_at_any_more", plan_id=turn.plan.id, period=turn.charge.period)
    apply(turn, lose)


def _shut_out(turn: ChargeAttempt) -> None:
    """We are shut out of the organisation's account. Until it is known whether it has left, the charge waits its turn."""
    plan = turn.plan
    if _has_left(turn):
        _refused(turn, reason=Reason.ORGANIZATION)
    else:
        _log.warning("plan_waits_for_organization", plan_id=plan.id, organization_id=plan.organization_id)


def _has_left(turn: ChargeAttempt) -> bool:
    with turn.parts.database.transaction() as session:
        return payments.has_left(
            session, organization_id=turn.plan.organization_id, account_id=turn.plan.account_id
        )


def _refused(turn: ChargeAttempt, *, reason: Reason = Reason.REFUSED) -> None:
    """The processor takes no charge for this plan at all: nothing is tried again until the donor stores another card.

    What was opened is withdrawn, but on an account that has left: there we can do nothing, and nobody can pay with our keys.
    """
    is_over = reason is Reason.ORGANIZATION or turn.charge.state is ChargeState.GIVING_UP

    def refuse(session: Session, plan: PlanRow, row: PlanChargeRow) -> None:
        if plan.status == PlanStatus.INCOMPLETE:
            return
        if is_over:
            row.state, row.next_attempt_at = ChargeState.GIVEN_UP, None
        else:
            row.state, row.looks, row.next_attempt_at = ChargeState.GIVING_UP, 0, turn.now
        if plan.status in (PlanStatus.ACTIVE, PlanStatus.PAST_DUE):
            rest(session, plan, status=PlanStatus.PAUSED, reason=reason, now=turn.now)
            write_of(session, plan, LetterKind.PAUSED, tried=turn.tried, now=turn.now)

    _log.warning("plan_charge_refused", plan_id=turn.plan.id, period=turn.charge.period)
    apply(turn, refuse)


def _carry_on(session: Session, plan: PlanRow, *, now: datetime) -> None:
    if plan.status == PlanStatus.PAST_DUE:
        run(session, plan, now=now)
