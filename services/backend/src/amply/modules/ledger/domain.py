"""Ledger entries before they are posted. Invalid entries cannot be constructed."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from amply.kernel.errors import Conflict, invariant
from amply.kernel.money import Money
from amply.modules.ledger.chart import is_account, is_owner
from ledger_format.entries import MAX_TRANSFERS, Phase

PERSONAL_FIELDS_MAX: Final = 16
PERSONAL_VALUE_BYTES_MAX: Final = 1_024
"""Limits the size of an entry's openings, and so of a receipt."""

_REFERENCED: Final = ("payout.", "currency.")
"""Kinds with a public external reference: facts that belong to no person."""

_ENTRY_ID: Final = re.compile(r"ent_[0-9a-z]{26}")
_PENDING: Final = re.compile(r"ent_[0-9a-z]{26}#(?:0|[1-9][0-9]{0,2})")
_KIND: Final = re.compile(r"[a-z][a-z_]{0,30}\.[a-z][a-z_]{0,30}")
_REFERENCE: Final = re.compile(r"(?=.{3,255}\Z)[a-z][a-z0-9_]*(?::[0-9A-Za-z._-]+)+")
_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
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
        phase: None: moved at once. `pending` reserves; `post` moves at most what was reserved and releases the rest;
            `void` releases all of it (docs/ledger-format.md §2.3).
        pending: For `post` and `void`: the reserving transfer, as `entry id#line`.
    """

    debit: str
    credit: str
    amount: Money
    phase: Phase | None = None
    pending: str | None = None

    def __post_init__(self) -> None:
        invariant(is_account(self.debit), "the debited account is in the chart")
        invariant(is_account(self.credit), "the credited account is in the chart")
        invariant(self.debit != self.credit, "a transfer moves between two accounts")
        invariant(self.amount.minor_units > 0, "a transfer moves more than nothing")
        invariant(self.phase in (None, "pending", "post", "void"), "a phase is pending, post or void")
        invariant(
            (self.pending is not None) == (self.phase in ("post", "void")),
            "exactly what posts or voids names what was pending",
        )
        invariant(
            self.pending is None or _PENDING.fullmatch(self.pending) is not None,
            "what was pending is named as entry#line",
        )


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """A ledger entry to post. What the log's format cannot express cannot be constructed.

    Attributes:
        kind: What happened, such as `donation.succeeded`; `postings.Kind` lists ours.
        organization_id: In whose chain of entries it appears: an organisation's, a business's or the platform's.
        idempotency_key: The same key is the same entry, for ever.
        transfers: What moves, in this order; at least one.
        event_at: When it happened outside; the public log shows it to the minute.
        reference: Where it can be looked up outside, such as `stripe:payout:po_…`. Public, so only payouts and exchanges
            have one: a payment's would lead to the donor (docs/ledger-format.md §2.4).
        reverses: Id of the entry this one takes back, wholly or in part.
        supersedes: Id of the entry this one corrects; needs a reason.
        matches: Id of the gift this gift matches.
        reason: A code for why, such as `wrong_organization`. Public.
        personal: Field to value. Only salted commitments to these become public.
    """

    kind: str
    organization_id: str
    idempotency_key: str
    transfers: tuple[NewTransfer, ...]
    event_at: datetime
    reference: str | None
    reverses: str | None = None
    supersedes: str | None = None
    matches: str | None = None
    reason: str | None = None
    personal: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        invariant(_KIND.fullmatch(self.kind) is not None, "a kind is two words with a dot")
        invariant(is_owner(self.organization_id), "an organisation, a business or the platform has the entry")
        invariant(
            self.reference is None or _REFERENCE.fullmatch(self.reference) is not None,
            "a reference is names joined by colons",
        )
        invariant(
            self.reference is None or self.kind.startswith(_REFERENCED),
            "only what belongs to no person names its reference in public",
        )
        invariant(
            0 < len(self.transfers) <= MAX_TRANSFERS, "an entry moves something, and not too much at once"
        )
        invariant(self.event_at.tzinfo is not None, "moments carry their zone")
        self._check_links()
        invariant(len(self.personal) <= PERSONAL_FIELDS_MAX, "an entry commits to few fields")
        for name, value in self.personal.items():
            invariant(_FIELD.fullmatch(name) is not None, "a field's name is small letters")
            invariant(len(value.encode()) <= PERSONAL_VALUE_BYTES_MAX, "a personal value is short")

    def _check_links(self) -> None:
        for named in (self.reverses, self.supersedes, self.matches):
            invariant(named is None or _ENTRY_ID.fullmatch(named) is not None, "an entry is named by its id")
        invariant(
            self.reason is None or _REASON.fullmatch(self.reason) is not None,
            "a reason is a code of small letters",
        )
        invariant(self.supersedes is None or self.reason is not None, "a correction gives its reason")
        resolved = [transfer.pending for transfer in self.transfers if transfer.pending is not None]
        invariant(len(set(resolved)) == len(resolved), "what was pending is resolved once")


@dataclass(frozen=True, kw_only=True)
class PostedEntry:
    """The entry of an idempotency key; `created` is False if it existed before."""

    id: str
    created: bool


def stored_key(idempotency_key: str) -> str:
    """What is kept of an idempotency key: it is only ever compared, and it may name a payment that leads to a person.

    Entries can never be changed, so an erasure could not remove it later.
    """
    digest = hashlib.sha256(b"amply/entry-key/v1\0" + idempotency_key.encode()).hexdigest()
    return f"sha256:{digest}"
