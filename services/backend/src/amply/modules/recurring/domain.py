"""Plans, charges, and the decisions about them. Pure.

incomplete ──> active <──> past_due
    │            │  ^          │
    │            v  │          v
    │           paused <───────┘
    └──────────────┴──────> ended

`past_due`: a gift was declined and is tried again. `paused`: nothing is collected until the donor, a date or a new card
says so. Periods are numbered from the first gift, which is 0; each has at most one charge, and each charge one donation.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import AmplyError, Conflict, InvalidRequest, NotFound
from amply.kernel.money import Money
from amply.modules.donations import Anonymity
from amply.modules.recurring.due_dates import Schedule


class PlanStatus(StrEnum):
    """Where a plan stands."""

    INCOMPLETE = "incomplete"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    ENDED = "ended"


class Reason(StrEnum):
    """Why a plan is paused or ended.

    `REFUSED`: the processor takes no charge for it; `UNREACHABLE`: no letter arrives; `ORGANIZATION`: it has left the account
    that the plan pays to; `CONDITIONS`: the organisation does not take gifts like this any more: the fund is closed, or it has
    to know its donors; `CONTESTED`: the donor's bank wants a gift of it back or has kept it, or one was given back as fraud.
    """

    DONOR = "donor"
    STAFF = "staff"
    DECLINED = "declined"
    REFUSED = "refused"
    ORGANIZATION = "organization"
    UNREACHABLE = "unreachable"
    CONDITIONS = "conditions"
    CONTESTED = "contested"
    NEVER_STARTED = "never_started"
    ERASED = "erased"


class WaitsFor(StrEnum):
    """What a gift that is due waits for. `ORGANIZATION`: its account takes no payments; `NOTICE`: its donor is not told yet."""

    ORGANIZATION = "organization"
    NOTICE = "notice"


class GiftAid(StrEnum):
    """Whether Gift Aid is claimed on a plan's gifts. `CANCELED`: on those that arrived before the donor canceled it."""

    NONE = "none"
    DECLARED = "declared"
    CANCELED = "canceled"


class ChargeState(StrEnum):
    """Where one period's charge stands.

    `OPEN`: to be collected; `WAITING`: asked for, and its event decides; `GIVING_UP`: to be withdrawn at the processor.
    """

    OPEN = "open"
    WAITING = "waiting"
    PAID = "paid"
    SKIPPED = "skipped"
    GIVING_UP = "giving_up"
    GIVEN_UP = "given_up"


class Unanswered(StrEnum):
    """What the processor never said of a charge that was given up.

    `CHARGE`: whether it took the money, in two weeks; then it was withdrawn, and nothing was taken. `OUTCOME`: how it ended, in
    two months: nobody here knows whether anything was taken.
    """

    CHARGE = "charge"
    OUTCOME = "outcome"


UNDER_WAY: Final = (ChargeState.OPEN, ChargeState.WAITING, ChargeState.GIVING_UP)
"""States of charges that are still processed."""

CHANGEABLE: Final = (PlanStatus.ACTIVE, PlanStatus.PAST_DUE, PlanStatus.PAUSED)
"""Plans that a donor can still change."""


class PlanNotFound(NotFound):
    """No plan has this id for this caller."""

    code = "plan_not_found"


class PlanNotChangeable(Conflict):
    """The plan is not in a state for that."""

    code = "plan_not_changeable"


class PlanContested(Conflict):
    """A gift of the plan was disputed at the donor's bank, or given back as fraud: nothing more is taken until that is settled."""

    code = "plan_contested"


class PlanNeverStarted(Conflict):
    """The plan that a request began has ended, since nobody paid its first gift."""

    code = "plan_never_started"


class PauseNotAcceptable(InvalidRequest):
    """A pause ends in the past, or too far ahead."""

    code = "pause_not_acceptable"


class ScheduleNotAcceptable(InvalidRequest):
    """A time zone or a day is none."""

    code = "schedule_not_acceptable"


class LinkNotValid(AmplyError):
    """The link is not ours, or has expired."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "link_not_valid"
    title: ClassVar[str] = "The link is not valid"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A recurring plan of one donor to one organisation.

    Attributes:
        amount: Of each gift that is not opened yet.
        next_due_at: When the next gift is collected; None while none is.
        method_kind: The processor's word for what pays; None before the first gift.
        setup_id: A new way to pay that is being stored.
        fee_cover_max: What the donor adds to each gift for the processor's fee, at most; zero for nothing.
    """

    id: str
    organization_id: str
    account_id: str
    amount: Money
    schedule: Schedule
    status: PlanStatus
    reason: Reason | None
    next_period: int
    next_due_at: datetime | None
    customer_id: str | None
    method_id: str | None
    method_kind: str | None
    method_last4: str | None
    setup_id: str | None
    fund_id: str | None
    anonymity: Anonymity
    gift_aid: GiftAid
    fee_cover_max: Money
    created_at: datetime

    @property
    def next_due_on(self) -> date | None:
        """The next gift's day in the donor's calendar, or None."""
        return self.schedule.due_on(self.next_period) if self.next_due_at is not None else None


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One period of a plan: `fee_cover` is added to `amount`. `declines` counts refusals since the payment method last
    changed, `looks` attempts since a change.
    """

    plan_id: str
    period: int
    due_on: date
    amount: Money
    fee_cover: Money
    state: ChargeState
    donation_id: str | None
    declines: int
    retry_at: datetime | None
    decline_code: str | None
    opened_at: datetime

    @property
    def total(self) -> Money:
        """The charged total."""
        return self.amount + self.fee_cover

    @property
    def waits_for_donor(self) -> bool:
        """Whether the donor can pay it now."""
        return self.state is ChargeState.OPEN and self.declines > 0
