"""The chart of accounts.

An account is written `owner/code`, or `owner/gifts/fund_…` for what was given for one of its funds (of things:
`owner/gifts_in_kind/fund_…`). The owner is an organisation (`org_…`), a business (`biz_…`) or `platform`. An
organisation's books mirror its own money at the processor, which never passes through ours; the platform's are of what
it is given; a business's are memo accounts that say what it promised, and move nothing.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

PLATFORM: Final = "platform"

Side = Literal["debit", "credit"]

CHART: Final[Mapping[str, Side]] = {
    "bank": "debit",
    "contributions": "credit",
    "data_fees": "credit",
    "data_receivable": "debit",
    "data_shares": "credit",
    "data_shares_due": "credit",
    "data_shares_receivable": "debit",
    "dispute_fees": "debit",
    "dispute_hold": "debit",
    "exchange_fees": "debit",
    "fee_cover": "credit",
    "gifts": "credit",
    "gifts_in_kind": "credit",
    "in_kind": "debit",
    "liquidity": "credit",
    "match_available": "credit",
    "match_paid": "credit",
    "match_pledged": "debit",
    "offline_received": "debit",
    "payout_in_transit": "debit",
    "platform_contributions_due": "credit",
    "processor_balance": "debit",
    "processor_fees": "debit",
}
"""Account codes with their normal side. The `chart` table is the same; a test compares them.

- `processor_balance`: what the processor reports as the owner's balance; `bank`: what it has paid out.
- `gifts`: what was given; `fee_cover`: what donors added so that the fee does not lessen their gift.
- `offline_received`: what it says it received without the processor, in cash, by cheque or to its bank.
- `in_kind`, `gifts_in_kind`: things that were given, at the value the organisation puts on them; never with money.
- `platform_contributions_due`: the donors' voluntary part for the platform, until the processor passes it on.
- `contributions`: the same, arrived with the platform.
- `processor_fees`, `dispute_fees`, `exchange_fees`: what it cost.
- `dispute_hold`, `payout_in_transit`: money on its way; each returns to zero.
- `liquidity`: what was exchanged into another currency, one account a currency; together worth nothing at the rate.
- `data_receivable`: what buyers of released data owe the platform; of it `data_fees` is the platform's own part, and
  `data_shares_due` what it owes the datasets' owners, until it has passed it on.
- `data_shares`: what an owner earned by its datasets; `data_shares_receivable`: what of it the platform still owes it.
- `match_pledged` = `match_available` + `match_paid`: a business's promise, what is left of it, what it gave.
"""

PARTED: Final = ("gifts", "gifts_in_kind")
"""Codes with sub-accounts: restricted gifts of a fund are kept apart."""

_OWNER: Final = r"platform|(?:org|biz)_[0-9a-z]{26}"
_OWNER_ALONE: Final = re.compile(_OWNER)
_FUND: Final = r"fund_[0-9a-z]{26}"
_ACCOUNT: Final = re.compile(rf"(?:{_OWNER})/(?:{'|'.join(CHART)}|(?:{'|'.join(PARTED)})/{_FUND})")


def account(owner: str, code: str) -> str:
    """Format an account reference."""
    return f"{owner}/{code}"


def gifts(fund_id: str | None) -> str:
    """The account code for a gift: the fund's own if it has one."""
    return _part("gifts", fund_id)


def gifts_in_kind(fund_id: str | None) -> str:
    """The account code for a gift in kind, which is never a money account."""
    return _part("gifts_in_kind", fund_id)


def is_owner(text: str) -> bool:
    """Whether this is a valid owner of accounts."""
    return _OWNER_ALONE.fullmatch(text) is not None


def is_account(text: str) -> bool:
    """Whether this is a valid account reference."""
    return _ACCOUNT.fullmatch(text) is not None


def normal_side(reference: str) -> Side:
    """The side on which an account grows."""
    return CHART[reference.split("/")[1]]


def _part(code: str, fund_id: str | None) -> str:
    return code if fund_id is None else f"{code}/{fund_id}"
