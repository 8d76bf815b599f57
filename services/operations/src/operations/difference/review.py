"""The review of one environment, and whether the change may be deployed. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from operations.assembly import Deployed
from operations.difference.access import Access, access
from operations.difference.approved_replacements import ApprovedReplacement
from operations.difference.changes import Change, Compare, compare_environments
from operations.difference.guards import Weakening, weakened
from operations.difference.quiet import Built, built
from operations.difference.references import Names, Place
from operations.difference.watching import Silence, silenced

Monthly = Callable[[Deployed], Decimal]
"""What an environment costs a month, in US dollars; raises CannotPriceError."""


class CannotPriceError(Exception):
    """There is no price for this environment; the comment says why, and everything else as ever."""


class Presence(StrEnum):
    """Whether the environment exists on both sides."""

    NEW = "new"
    STAYS = "stays"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """US dollars a month, before and after."""

    before: Decimal
    after: Decimal


@dataclass(frozen=True, kw_only=True)
class Approvals:
    """What the approvals for this environment did: `used` by the place they cover."""

    used: Mapping[Place, ApprovedReplacement]
    expired: tuple[ApprovedReplacement, ...]
    unused: tuple[ApprovedReplacement, ...]


@dataclass(frozen=True, kw_only=True)
class Review:
    """One environment's comment, before it is written."""

    environment: str
    presence: Presence
    names: Names
    changes: tuple[Change, ...]
    sections: tuple[tuple[str, str], ...]
    weakened: tuple[Weakening, ...]
    silenced: tuple[Silence, ...]
    access: Access
    built: Built
    approved: Approvals
    cost: Cost | str
    """Or why there is none."""

    @property
    def endangering(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.endangers_data)

    @property
    def blocking(self) -> tuple[Change, ...]:
        """What holds data, ends, and no valid approval names."""
        used = self.approved.used
        return tuple(it for it in self.endangering if (it.stack, it.logical_id) not in used)


def review(
    environment: str,
    before: Deployed | None,
    after: Deployed | None,
    *,
    compare: Compare,
    approved: tuple[ApprovedReplacement, ...],
    today: date,
    monthly: Monthly | None,
) -> Review:
    """Compare one environment, which at least one side has."""
    was, becomes = before or nothing(environment), after or nothing(environment)
    comparison = compare_environments(was, becomes, compare)
    ours = tuple(approval for approval in approved if approval.environment == environment)
    return Review(
        environment=environment,
        presence=_presence(before, after),
        names=comparison.names,
        changes=comparison.changes,
        sections=comparison.sections,
        weakened=weakened(comparison.changes, was, becomes),
        silenced=silenced(comparison.changes),
        access=access(comparison),
        built=built(was, becomes),
        approved=_approvals(ours, comparison.changes, today),
        cost=_cost(before, after, monthly) if monthly else "",
    )


def nothing(environment: str) -> Deployed:
    """An environment that is not there."""
    return Deployed(name=environment, templates={}, manifests={})


def _presence(before: Deployed | None, after: Deployed | None) -> Presence:
    if before is None:
        return Presence.NEW
    return Presence.GONE if after is None else Presence.STAYS


_FREE: Final = Decimal(0)


def _cost(before: Deployed | None, after: Deployed | None, monthly: Monthly) -> Cost | str:
    try:
        return Cost(
            before=monthly(before) if before else _FREE,
            after=monthly(after) if after else _FREE,
        )
    except CannotPriceError as reason:
        return str(reason)


def _approvals(
    approved: tuple[ApprovedReplacement, ...], changes: tuple[Change, ...], today: date
) -> Approvals:
    needed = {(change.stack, change.logical_id) for change in changes if change.endangers_data}
    valid = {(it.stack, it.logical_id): it for it in approved if it.holds_on(today)}
    return Approvals(
        used={place: approval for place, approval in valid.items() if place in needed},
        expired=tuple(it for it in approved if not it.holds_on(today)),
        unused=tuple(approval for place, approval in valid.items() if place not in needed),
    )
