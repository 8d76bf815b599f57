"""Account balances: current, or as of any number of log entries; and the check that all accounts balance.

The log is the clock of the books. "After `size` entries" is exact, for ever, and what a checkpoint of that size lets
anyone compute; a moment means the newest checkpoint that was public by then (`size_at`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from amply.modules.ledger.chart import Side, normal_side
from amply.modules.ledger.posting_check_sql import SIDES

_OF_OWNER: Final = text("""
    SELECT
        account.reference, account.currency, balance.debits_posted, balance.credits_posted, balance.debits_pending,
        balance.credits_pending
    FROM account
    JOIN balance ON (balance.account, balance.currency) = (account.reference, account.currency)
    WHERE account.owner = :owner
    ORDER BY account.reference, account.currency
""")

_LAST_POSTINGS: Final = """
    SELECT
        account.reference, account.currency, last.debits_posted, last.credits_posted, last.debits_pending,
        last.credits_pending
    FROM account
    CROSS JOIN LATERAL (
        SELECT * FROM posting
        WHERE posting.account = account.number AND posting.idx < :size
        ORDER BY posting.idx DESC, posting.line DESC LIMIT 1
    ) AS last
"""

_OF_OWNER_AFTER: Final = text(f"""
    {_LAST_POSTINGS}
    WHERE account.owner = :owner
    ORDER BY account.reference, account.currency
""")

_AFTER: Final = text(f"""
    {_LAST_POSTINGS}
    WHERE (account.reference, account.currency) = (:account, :currency)
""")

_STANDING: Final = text("""
    SELECT
        :account AS reference, :currency AS currency, debits_posted, credits_posted, debits_pending, credits_pending
    FROM standing_balance(:account, :currency)
""")

_SIZE_AT: Final = text("""
    SELECT size FROM checkpoint WHERE published_at <= :moment ORDER BY published_at DESC, size DESC LIMIT 1
""")

_TRIAL: Final = text("""
    SELECT
        account.currency, sum(last.debits_posted) AS debits_posted, sum(last.credits_posted) AS credits_posted,
        sum(last.debits_pending) AS debits_pending, sum(last.credits_pending) AS credits_pending
    FROM account
    CROSS JOIN LATERAL (
        SELECT * FROM posting
        WHERE posting.account = account.number AND posting.idx < :size
        ORDER BY posting.idx DESC, posting.line DESC LIMIT 1
    ) AS last
    GROUP BY account.currency
    ORDER BY account.currency
""")

# Folded anew from the transfers of the log's first entries, and compared with what the sequencer wrote.
_MISFOLDED: Final = text(f"""
    WITH {SIDES}, folded AS (
        SELECT
            reference, currency,
            sum(debits_posted) AS debits_posted, sum(credits_posted) AS credits_posted,
            sum(debits_pending) AS debits_pending, sum(credits_pending) AS credits_pending
        FROM side
        GROUP BY reference, currency
    )
    SELECT coalesce(account.reference, folded.reference) AS reference, coalesce(account.currency, folded.currency) AS currency
    FROM folded
    FULL JOIN (
        account
        CROSS JOIN LATERAL (
            SELECT * FROM posting
            WHERE posting.account = account.number AND posting.idx < :stop
            ORDER BY posting.idx DESC, posting.line DESC LIMIT 1
        ) AS last
    ) ON (account.reference, account.currency) = (folded.reference, folded.currency)
    WHERE (folded.debits_posted, folded.credits_posted, folded.debits_pending, folded.credits_pending)
        IS DISTINCT FROM (last.debits_posted, last.credits_posted, last.debits_pending, last.credits_pending)
    ORDER BY 1, 2
""")  # noqa: S608 -- put together from our own words


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Debit and credit totals in minor units: `posted`, and `pending` (reserved)."""

    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0

    @property
    def is_balanced(self) -> bool:
        """Whether debits equal credits."""
        return (self.debits_posted, self.debits_pending) == (self.credits_posted, self.credits_pending)


@dataclass(frozen=True, kw_only=True)
class Balance:
    """One account in one currency."""

    account: str
    currency: str
    sums: Sums

    @property
    def normal_side(self) -> Side:
        """The side on which it grows."""
        return normal_side(self.account)

    @property
    def minor_units(self) -> int:
        """The balance, positive on its normal side, without pending amounts."""
        grown = self.sums.debits_posted - self.sums.credits_posted
        return grown if self.normal_side == "debit" else -grown

    @property
    def available_minor_units(self) -> int:
        """The balance less pending withdrawals."""
        leaving = self.sums.credits_pending if self.normal_side == "debit" else self.sums.debits_pending
        return self.minor_units - leaving


@dataclass(frozen=True, kw_only=True)
class TrialBalance:
    """The trial balance of one currency."""

    currency: str
    sums: Sums


def balances_of(session: Session, *, owner: str, size: int | None = None) -> list[Balance]:
    """Balances of an owner's accounts after the log's first `size` entries, or all sequenced ones."""
    if size is None:
        rows: Sequence[Row[Any]] = session.execute(_OF_OWNER, {"owner": owner}).all()
    else:
        rows = session.execute(_OF_OWNER_AFTER, {"owner": owner, "size": size}).all()
    return [_balance(row) for row in rows]


def balance_after(session: Session, *, account: str, currency: str, size: int) -> Balance:
    """One account's balance after the log's first `size` entries."""
    row = session.execute(_AFTER, {"account": account, "currency": currency, "size": size}).one_or_none()
    return Balance(account=account, currency=currency, sums=Sums()) if row is None else _balance(row)


def standing_balance(session: Session, *, account: str, currency: str) -> Balance:
    """One account's current balance, including entries not sequenced yet."""
    return _balance(session.execute(_STANDING, {"account": account, "currency": currency}).one())


def size_at(session: Session, *, moment: datetime) -> int:
    """The size of the newest checkpoint that was public at a time; 0 before the first."""
    return session.scalar(_SIZE_AT, {"moment": moment}) or 0


def trial_balance(session: Session, *, size: int) -> list[TrialBalance]:
    """The trial balance of each currency after the log's first `size` entries.

    Debits equal credits, or the books are wrong.
    """
    rows = session.execute(_TRIAL, {"size": size})
    return [TrialBalance(currency=row.currency, sums=sums_of(row)) for row in rows]


def misfolded(session: Session, *, size: int) -> list[tuple[str, str]]:
    """Accounts (reference, currency) whose balance after `size` entries is not the sum of their transfers: none, if all
    is well.

    Reads every transfer of these entries.
    """
    return [(row.reference, row.currency) for row in session.execute(_MISFOLDED, {"start": 0, "stop": size})]


def sums_of(row: Row[Any]) -> Sums:
    """The four sums of a row."""
    return Sums(
        debits_posted=int(row.debits_posted),
        credits_posted=int(row.credits_posted),
        debits_pending=int(row.debits_pending),
        credits_pending=int(row.credits_pending),
    )


def _balance(row: Row[Any]) -> Balance:
    return Balance(account=row.reference, currency=row.currency, sums=sums_of(row))
