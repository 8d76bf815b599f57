"""What an organisation's public pages and exports show of its ledger. The log itself is always public.

LedgerNotShown          the organisation shows no pages (404)
LedgerShownInSums       it shows sums alone, and entries were asked for (404)
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.kernel.errors import InvalidRequest, NotFound

DELAY_DAYS_MAX: Final = 1_096
"""Three years."""

MINIMUM_MIN: Final = 2
MINIMUM_MAX: Final = 1_000

_FIND: Final = text(
    "SELECT policy, delay_days, minimum FROM ledger_visibility WHERE organization_id = :organization_id"
)
_SET: Final = text("""
    INSERT INTO ledger_visibility (organization_id, policy, delay_days, minimum, changed_at)
    VALUES (:organization_id, :policy, :delay_days, :minimum, :now)
    ON CONFLICT (organization_id) DO UPDATE SET
        policy = excluded.policy,
        delay_days = excluded.delay_days,
        minimum = excluded.minimum,
        changed_at = excluded.changed_at
""")


class VisibilityNotAcceptable(InvalidRequest):
    """A policy came without its number, or with another's."""

    code = "visibility_not_acceptable"


class LedgerNotShown(NotFound):
    """The organisation shows no pages of its ledger."""

    code = "ledger_not_shown"

    def __init__(self) -> None:
        super().__init__(
            "This organisation shows no pages of its ledger. Its entries are in the public log all the same: "
            "check a receipt there, or read the log's own files."
        )


class LedgerShownInSums(NotFound):
    """The organisation shows sums by day and kind, not single entries."""

    code = "ledger_shown_in_sums"

    def __init__(self) -> None:
        super().__init__(
            "This organisation shows its ledger in sums: ask for /ledger/days or /ledger/totals."
        )


class Visibility(StrEnum):
    """How much is shown: every entry, sums, entries of a certain age, or nothing."""

    FULL = "full"
    AGGREGATED = "aggregated"
    DELAYED = "delayed"
    INTERNAL = "internal"


@dataclass(frozen=True, kw_only=True)
class VisibilityPolicy:
    """One organisation's choice.

    Attributes:
        delay_days: For DELAYED alone: nothing younger is shown; 1 to 1096.
        minimum: For AGGREGATED alone: sums over fewer entries are not shown; 2 to 1000.

    Raises:
        VisibilityNotAcceptable: A number is missing, out of range, or beside another policy.
    """

    visibility: Visibility
    delay_days: int | None = None
    minimum: int | None = None

    def __post_init__(self) -> None:
        if (self.visibility is Visibility.DELAYED) != (self.delay_days is not None):
            raise VisibilityNotAcceptable("Give a number of days with 'delayed', and only with it.")
        if (self.visibility is Visibility.AGGREGATED) != (self.minimum is not None):
            raise VisibilityNotAcceptable("Give a minimum of entries with 'aggregated', and only with it.")
        if self.delay_days is not None and not 1 <= self.delay_days <= DELAY_DAYS_MAX:
            raise VisibilityNotAcceptable(f"Delay by 1 to {DELAY_DAYS_MAX} days.")
        if self.minimum is not None and not MINIMUM_MIN <= self.minimum <= MINIMUM_MAX:
            raise VisibilityNotAcceptable(f"Ask for at least {MINIMUM_MIN} to {MINIMUM_MAX} entries a sum.")

    def require_entries(self) -> None:
        """Raise if single entries are not shown.

        Raises:
            LedgerNotShown, LedgerShownInSums: They are not.
        """
        self.require_sums()
        if self.visibility is Visibility.AGGREGATED:
            raise LedgerShownInSums

    def require_sums(self) -> None:
        """Raise if nothing is shown.

        Raises:
            LedgerNotShown: Nothing is.
        """
        if self.visibility is Visibility.INTERNAL:
            raise LedgerNotShown

    def entries_until(self, now: datetime) -> datetime | None:
        """Entries from this time on are too young to be shown; None: no limit."""
        return None if self.delay_days is None else now - timedelta(days=self.delay_days)

    def days_until(self, now: datetime) -> date | None:
        """Days from this one on are not shown (UTC); None: all are shown.

        A day that is not over is not shown in sums: two looks at it would tell the gift in between.
        """
        if self.visibility is Visibility.AGGREGATED:
            return now.date()
        until = self.entries_until(now)
        return None if until is None else until.date()


EVERYTHING: Final = VisibilityPolicy(visibility=Visibility.FULL)
"""For an organisation that has not chosen: docs/adr/0053 says why."""


def visibility_of(session: Session, *, organization_id: str) -> VisibilityPolicy:
    """The organisation's visibility policy."""
    row = session.execute(_FIND, {"organization_id": organization_id}).one_or_none()
    if row is None:
        return EVERYTHING
    return VisibilityPolicy(visibility=Visibility(row.policy), delay_days=row.delay_days, minimum=row.minimum)


def set_visibility(
    session: Session, *, organization_id: str, policy: VisibilityPolicy, now: datetime
) -> None:
    """Set an organisation's policy. Pages follow at once, caches within a minute."""
    session.execute(
        _SET,
        {
            "organization_id": organization_id,
            "policy": policy.visibility,
            "delay_days": policy.delay_days,
            "minimum": policy.minimum,
            "now": now,
        },
    )
