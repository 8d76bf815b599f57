"""Cancels payments and SetupIntents at the processor: after card testing, or when unpaid for a day.

A donor whose own payment ends so begins another gift.
"""

from functools import partial
from typing import Final

import structlog

from amply.infra.database import Database
from amply.kernel.clock import Clock
from amply.modules import defence, payments
from amply.modules.payments import Ended, PaymentStatus

_OVER: Final = (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED)

_log = structlog.get_logger()


def end_exhausted(database: Database, processor: payments.Processor, *, clock: Clock) -> int:
    """Cancel payments used for card testing, and SetupIntents a day old; return how many are over.

    Each is tried ten times, ever further apart; what the processor refuses to end has ended already.
    """
    ended = payments.end_due(database, end=partial(_end, processor), is_exhausted=True, now=clock())
    return ended + defence.end_setups(database, end=partial(_end_setup, processor), now=clock())


def end_abandoned(database: Database, processor: payments.Processor, *, clock: Clock) -> int:
    """Cancel payments unpaid for a day; return how many are over. Not urgent."""
    with database.transaction() as session:
        payments.find_abandoned(session, now=clock())
    end = partial(_end, processor, is_abandoned=True)
    return payments.end_due(database, end=end, is_exhausted=False, now=clock())


def _end(processor: payments.Processor, payment: payments.Payment, *, is_abandoned: bool = False) -> Ended:
    if payment.remote_id is None or payments.is_erased(payment.remote_id) or payment.status in _OVER:
        return Ended.OVER
    named = {"remote_id": payment.remote_id, "account_id": payment.account_id}
    try:
        if is_abandoned:
            return Ended.ENDED if processor.cancel_abandoned(**named) else Ended.KEPT
        processor.cancel_intent(**named)
    except payments.AccountUnreachable as reason:
        _log.warning("payment_not_ended", payment_id=payment.id, reason=reason.code)
        return Ended.SHUT_OUT
    except payments.ProcessorRefused:
        return Ended.OVER
    except payments.ProcessorUnavailable as reason:
        _log.warning("payment_not_ended", payment_id=payment.id, reason=reason.code)
        return Ended.UNHEARD
    return Ended.ENDED


def _end_setup(processor: payments.Processor, setup: defence.CardSetup) -> bool | None:
    try:
        processor.cancel_setup(remote_id=setup.remote_id, account_id=setup.account_id)
    except payments.AccountUnreachable as reason:
        _log.warning("setup_not_ended", owner_id=setup.owner_id, reason=reason.code)
        return False
    except payments.ProcessorRefused:
        pass  # canceled before, or a card is stored
    except payments.ProcessorUnavailable as reason:
        _log.warning("setup_not_ended", owner_id=setup.owner_id, reason=reason.code)
        return None
    return True
