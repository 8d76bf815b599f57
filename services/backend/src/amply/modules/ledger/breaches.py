"""Translates constraint violations of the database into the ledger's errors.

The tables decide; these errors only say which of their rules it was, and what to do next. The transaction is lost.
"""

from typing import Final

import psycopg
from sqlalchemy.exc import IntegrityError

from amply.kernel.errors import AmplyError, Conflict, Unavailable


class ReversalExceedsOriginal(Conflict):
    """What we want to take back, with all that was taken back before, is more than was given."""

    code = "ledger_reversal_exceeds_original"


class BalanceInsufficient(Conflict):
    """A payout of ours would leave less than nothing."""

    code = "ledger_balance_insufficient"


class PendingResolved(Conflict):
    """What was pending has been posted or voided before."""

    code = "ledger_pending_resolved"


class PendingMismatch(Conflict):
    """A post or void does not fit what was pending: other accounts, another currency, or too much."""

    code = "ledger_pending_mismatch"


class AccountClosed(Conflict):
    """A closed account takes nothing."""

    code = "ledger_account_closed"


class AccountUnsettled(Conflict):
    """Money is still reserved on an account that should be closed."""

    code = "ledger_account_unsettled"


class EntrySuperseded(Conflict):
    """The entry was corrected before."""

    code = "ledger_entry_superseded"


class PayoutBooked(Conflict):
    """This step of this payout was booked before, under another key."""

    code = "ledger_payout_booked"


class BookingsPaused(Unavailable):
    """This database was not compared with the public log since its server started, or it does not extend that log."""

    retry_after_seconds = 60
    code = "ledger_bookings_paused"


_BREACHES: Final[dict[str, AmplyError]] = {
    "bookings_open": BookingsPaused(
        "The books are being compared with the public ledger and take nothing meanwhile; repeat this later."
    ),
    "reversal_within_original": ReversalExceedsOriginal(
        "More would be taken back than was given; refund at most what is left of it."
    ),
    "ck_spendable_available": BalanceInsufficient(
        "The balance does not hold this much; pay out at most what is available."
    ),
    "uq_transfer_pending": PendingResolved("This was posted or voided before; look at the entry that did."),
    "transfer_pending_exists": PendingMismatch(
        "Nothing pending has this name; check the entry and the line."
    ),
    "transfer_pending_accounts": PendingMismatch(
        "What was pending is between other accounts or in another currency; resolve it as it was reserved."
    ),
    "transfer_pending_amount": PendingMismatch(
        "Post at most what was reserved, or void exactly that; book anything beyond it as a line of its own."
    ),
    "account_open": AccountClosed("The account is closed; open it again before you book on it."),
    "account_settled": AccountUnsettled("Money is still reserved on this account; post or void it first."),
    "uq_entry_supersedes": EntrySuperseded("The entry was corrected before; correct the correction."),
    "uq_entry_payout": PayoutBooked(
        "This step of the payout was booked before; look it up by its reference."
    ),
}


def breach(error: IntegrityError) -> AmplyError | None:
    """The ledger's error for a refused statement; None if no caller could act on it."""
    cause = error.orig
    found = _BREACHES.get(cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else None
    return None if found is None else type(found)(found.detail)
