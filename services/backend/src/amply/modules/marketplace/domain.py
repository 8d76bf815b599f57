"""Monthly contracts of buyers, and what a month costs and pays to each owner. Pure.

Rules that an auditor recomputes: docs/adr/0143. Everything is whole numbers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Self

from amply.kernel.errors import Conflict, InvalidRequest, NotFound, invariant
from amply.kernel.ids import is_id
from amply.kernel.money import Money, currency_of
from amply.kernel.splitting import divide

GIB: Final = 1 << 30
WHOLE: Final = 10_000
"""Basis points."""
DATASETS_MAX: Final = 20
BYTES_MAX: Final = 1 << 50
OF_DONORS: Final = "platform"
"""Owner of the dataset of donors' gifts, whose share goes to their organisations."""

EVERYBODY: Final = "all"
"""Pseudo-buyer of a dataset's own releases, which each buyer's follow."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_BUYER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
_PERIOD: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class ContractNotAcceptable(InvalidRequest):
    """What a contract, a grant or a payment says cannot be."""

    code = "data_contract_not_acceptable"


class ContractNotFound(NotFound):
    """No contract has this id."""

    code = "data_contract_not_found"


class ContractUnreadable(Conflict):
    """The contract's row is not as commands write it."""

    code = "data_contract_unreadable"


class ContractClosed(Conflict):
    """A closed contract stays as it is."""

    code = "data_contract_closed"


class Per(StrEnum):
    """What a price is for: each month that has begun, or each GiB of files that links were given to."""

    MONTH = "month"
    GIB = "gib"


@dataclass(frozen=True, order=True)
class Period:
    """A calendar month (UTC)."""

    year: int
    month: int

    @classmethod
    def parse(cls, said: str) -> Self:
        """From `2026-11`.

        Raises:
            ContractNotAcceptable: Not a month.
        """
        found = _PERIOD.fullmatch(said)
        if found is None or int(found[1]) == 0:
            raise ContractNotAcceptable("Write the month as 2026-11.")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """The month of a time."""
        here = moment.astimezone(UTC)
        return cls(here.year, here.month)

    @property
    def starts_at(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def ends_at(self) -> datetime:
        return self.following.starts_at

    @property
    def following(self) -> "Period":
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def before(self) -> "Period":
        return Period(self.year - (self.month == 1), 12 if self.month == 1 else self.month - 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Terms from a month on: datasets, price, and the owners' share in basis points."""

    since: Period
    datasets: tuple[str, ...]
    price: Money
    per: Per
    seller_share_bp: int

    def __post_init__(self) -> None:
        _require(
            0 < len(set(self.datasets)) == len(self.datasets) <= DATASETS_MAX
            and all(map(is_name, self.datasets)),
            f"Name 1 to {DATASETS_MAX} datasets, each once, as the table of datasets has them.",
        )
        currency_of(self.price.currency)
        _require(self.price.minor_units >= 0, "A price is not below nothing.")
        _require(
            0 <= self.seller_share_bp <= WHOLE,
            f"Give the owners' share in basis points, 0 to {WHOLE}: 7000 is 70 %.",
        )


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A buyer's contract: volume, end, and `terms` in chronological order.

    `version` grows with each change: whoever changes it says which one they saw.
    """

    contract_id: str
    buyer: str
    is_active: bool
    starts_at: datetime
    ends_at: datetime
    bytes_a_month: int
    terms: tuple[Terms, ...]
    version: int = 1

    def __post_init__(self) -> None:
        _require(
            _BUYER.fullmatch(self.buyer) is not None,
            "Name the buyer by small letters, digits, dots and hyphens, such as acme-research; never by a person's name.",
        )
        _require(self.starts_at <= self.ends_at, "A contract ends after it has begun.")
        _require(
            0 < self.bytes_a_month <= BYTES_MAX, "Let a month bring one byte at least, and 1 PiB at most."
        )
        invariant(bool(self.terms), "a contract has terms")
        _require(
            len({terms.price.currency for terms in self.terms}) == 1,
            "A contract keeps its currency; open another one for another currency.",
        )

    @property
    def currency(self) -> str:
        return self.terms[0].price.currency

    def terms_in(self, period: Period) -> Terms:
        """The terms in effect in a month; the first ones for earlier months."""
        return next((terms for terms in reversed(self.terms) if terms.since <= period), self.terms[0])

    def holds_in(self, period: Period) -> bool:
        """Whether the contract is in effect at any time of the month."""
        return max(self.starts_at, period.starts_at) < min(self.ends_at, period.ends_at)


@dataclass(frozen=True, kw_only=True)
class Share:
    """One owner's share for one dataset. `weight` out of the dataset's total: its people, or 1 of 1."""

    dataset_id: str
    credited: str
    weight: int
    minor_units: int


@dataclass(frozen=True, kw_only=True)
class Split:
    """A month's amount, divided: platform fee and shares add up to `owed`."""

    owed: Money
    fee: Money
    shares: tuple[Share, ...]


class NobodyToCredit(Conflict):
    """A dataset's share would be nobody's."""

    code = "data_nobody_to_credit"


def owed_for(terms: Terms, used: Mapping[str, int]) -> Money:
    """The price of a month. By GiB it is rounded down to the minor unit once, over all datasets."""
    if terms.per is Per.MONTH:
        return terms.price
    total = terms.price.minor_units * sum(used.values())
    return Money(minor_units=total // GIB, currency=terms.price.currency)


def by_dataset(terms: Terms, used: Mapping[str, int]) -> dict[str, int]:
    """Divide a month's price among datasets by bytes; evenly if nothing was used."""
    weights = {name: used[name] for name in sorted(used) if used[name] > 0}
    return weights or dict.fromkeys(sorted(terms.datasets), 1)


def split(
    owed: Money, *, weights: Mapping[str, int], seller_share_bp: int, owners: Mapping[str, Mapping[str, int]]
) -> Split:
    """Divide the amount: among datasets, then into fee and share, then each share among its owners.

    Each step is by largest remainder; what is equal goes to the fee first, then by name, so that nothing is lost and
    whoever divides again finds the same.

    Raises:
        NobodyToCredit: A share above zero has no owner.
    """
    names = sorted(weights)
    parts = divide(owed.minor_units, [weights[name] for name in names])
    shares: list[Share] = []
    for name, part in zip(names, parts, strict=True):
        shares.extend(_shares(name, _of_sellers(part, seller_share_bp), owners.get(name, {})))
    fee = owed.minor_units - sum(share.minor_units for share in shares)
    return Split(owed=owed, fee=Money(minor_units=fee, currency=owed.currency), shares=tuple(shares))


def _of_sellers(part: int, seller_share_bp: int) -> int:
    if seller_share_bp in (0, WHOLE):
        return part if seller_share_bp else 0
    return divide(part, [WHOLE - seller_share_bp, seller_share_bp])[1]


def _shares(dataset_id: str, minor_units: int, owners: Mapping[str, int]) -> Sequence[Share]:
    credited = sorted(name for name, weight in owners.items() if weight > 0)
    if not credited:
        if minor_units:
            raise NobodyToCredit(
                f"Nobody is there to credit with the share of {dataset_id}; see who owns it, or settle an agreed amount."
            )
        return ()
    amounts = divide(minor_units, [owners[name] for name in credited])
    return [
        Share(dataset_id=dataset_id, credited=name, weight=owners[name], minor_units=amount)
        for name, amount in zip(credited, amounts, strict=True)
    ]


def is_name(said: str) -> bool:
    """Whether this is a valid dataset name in Delta Sharing."""
    return _NAME.fullmatch(said) is not None


def is_credited(owner: str) -> bool:
    """Whether a dataset's owner has ledger accounts."""
    return is_id(owner, prefix="org")


def checked_reason(said: str) -> str:
    """Validate a reason for the public log.

    Raises:
        ContractNotAcceptable: It is not a code.
    """
    _require(
        _REASON.fullmatch(said) is not None,
        "Give the reason as a code of small letters, such as volume_disputed: it is public.",
    )
    return said


def _require(holds: bool, sentence: str) -> None:  # noqa: FBT001 -- reads as a sentence, as `invariant` does
    if not holds:
        raise ContractNotAcceptable(sentence)
