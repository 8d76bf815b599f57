"""The chart of accounts, entries as they are asked for, and which transfers a fact of the world becomes.

An account is written `owner/code`: the owner is an organisation (`org_…`) or `platform`, the code stands in the chart.
Each organisation's books mirror its own money at the processor; the platform has books of its own for what it is given.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from amply.kernel.errors import Conflict, invariant
from amply.kernel.money import Money

PLATFORM: Final = "platform"

CHART: Final[Mapping[str, Literal["debit", "credit"]]] = {
    "bank": "debit",
    "contributions": "credit",
    "dispute_fees": "debit",
    "dispute_hold": "debit",
    "gifts": "credit",
    "payout_in_transit": "debit",
    "platform_contributions_due": "credit",
    "processor_balance": "debit",
    "processor_fees": "debit",
}
"""Account codes with the side on which they grow. The `chart` table holds the same; a test compares them."""

TRANSFERS_MAX: Final = 100
PERSONAL_FIELDS_MAX: Final = 16
PERSONAL_VALUE_BYTES_MAX: Final = 1_024
"""Limits that keep a leaf with its openings far below what a bundle can hold (65,535 bytes)."""

_ACCOUNT: Final = re.compile(rf"(?:platform|org_[0-9a-z]{{26}})/(?:{'|'.join(CHART)})")
_ORGANIZATION_ID: Final = re.compile(r"org_[0-9a-z]{26}")
_KIND: Final = re.compile(r"[a-z][a-z_]{0,30}\.[a-z][a-z_]{0,30}")
_REFERENCE: Final = re.compile(r"(?=.{3,255}\Z)[a-z][a-z0-9_]*(?::[0-9A-Za-z._-]+)+")
_FIELD: Final = re.compile(r"[a-z][a-z_]{0,40}")


class EntryContradicts(Conflict):
    """An idempotency key names an entry that moves something else."""

    code = "ledger_entry_contradicts"

    def __init__(self, *, idempotency_key: str, entry_id: str) -> None:
        super().__init__(f"The key {idempotency_key} already stands for entry {entry_id}, which differs.")
        self.idempotency_key = idempotency_key
        self.entry_id = entry_id


@dataclass(frozen=True, kw_only=True)
class NewTransfer:
    """An amount leaves the credited account and enters the debited one.

    Attributes:
        debit: Account reference such as `org_…/processor_balance`.
        credit: Another account reference.
        amount: More than zero.
    """

    debit: str
    credit: str
    amount: Money

    def __post_init__(self) -> None:
        invariant(_ACCOUNT.fullmatch(self.debit) is not None, "the debited account is in the chart")
        invariant(_ACCOUNT.fullmatch(self.credit) is not None, "the credited account is in the chart")
        invariant(self.debit != self.credit, "a transfer moves between two accounts")
        invariant(self.amount.minor_units > 0, "a transfer moves more than nothing")


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """One fact to be booked. What the public log could not spell cannot be written down.

    Attributes:
        kind: What happened, such as `donation.succeeded`.
        organization_id: In whose chain of entries it appears.
        idempotency_key: The same key is the same entry, for ever.
        transfers: What moves, in this order; at least one.
        event_at: When it happened outside; the public log shows it to the minute.
        reference: Where it can be looked up outside, such as `stripe:payment_intent:pi_…`. Public.
        reverses: Id of the entry this one takes back.
        personal: Field to value. Only salted commitments to these become public.
    """

    kind: str
    organization_id: str
    idempotency_key: str
    transfers: tuple[NewTransfer, ...]
    event_at: datetime
    reference: str | None
    reverses: str | None = None
    personal: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        invariant(_KIND.fullmatch(self.kind) is not None, "a kind is two words with a dot")
        invariant(
            _ORGANIZATION_ID.fullmatch(self.organization_id) is not None, "an organisation has the entry"
        )
        invariant(
            self.reference is None or _REFERENCE.fullmatch(self.reference) is not None,
            "a reference is names joined by colons",
        )
        invariant(
            0 < len(self.transfers) <= TRANSFERS_MAX, "an entry moves something, and not too much at once"
        )
        invariant(self.event_at.tzinfo is not None, "moments carry their zone")
        invariant(len(self.personal) <= PERSONAL_FIELDS_MAX, "an entry commits to few fields")
        for name, value in self.personal.items():
            invariant(_FIELD.fullmatch(name) is not None, "a field's name is small letters")
            invariant(len(value.encode()) <= PERSONAL_VALUE_BYTES_MAX, "a personal value is short")


@dataclass(frozen=True, kw_only=True)
class PostedEntry:
    """The entry that stands for an idempotency key; `created` is False when an earlier call had made it."""

    id: str
    created: bool


def stored_key(idempotency_key: str) -> str:
    """What is kept of an idempotency key: it is only ever compared, and it may name a payment that leads to a person.

    Entries can never be changed, so an erasure could not remove it later.
    """
    digest = hashlib.sha256(b"amply/entry-key/v1\0" + idempotency_key.encode()).hexdigest()
    return f"sha256:{digest}"


def account(owner: str, code: str) -> str:
    """Write an account reference."""
    return f"{owner}/{code}"


def donation_succeeded(*, organization_id: str, amount: Money) -> tuple[NewTransfer, ...]:
    """A gift arrived in the organisation's balance at the processor."""
    return (_within(organization_id, debit="processor_balance", credit="gifts", amount=amount),)


def processor_fee(*, organization_id: str, amount: Money) -> tuple[NewTransfer, ...]:
    """The processor kept its fee, as its balance transaction says."""
    return (_within(organization_id, debit="processor_fees", credit="processor_balance", amount=amount),)


def _within(owner: str, *, debit: str, credit: str, amount: Money) -> NewTransfer:
    return NewTransfer(debit=account(owner, debit), credit=account(owner, credit), amount=amount)
