"""API schemas of plans. Amounts are strings of minor units: JSON numbers lose digits."""

import zoneinfo
from datetime import date, datetime
from functools import cache
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, computed_field, model_validator

from amply.infra.conditional import etag_of
from amply.infra.web import Identifier
from amply.kernel.clock import iso
from amply.kernel.money import Money
from amply.modules.donations import (
    AmountIn,
    AmountOut,
    Anonymity,
    CostsOut,
    DonationCreated,
    FeeCoverIn,
    GiftIn,
    LongText,
)
from amply.modules.recurring.changes import CoverChange, OptionsChange
from amply.modules.recurring.domain import GiftAid, Plan, ScheduleNotAcceptable
from amply.modules.recurring.due_dates import Interval, Schedule
from amply.modules.recurring.queries import PeriodInView, PlanInView


@cache
def _time_zones() -> frozenset[str]:
    """Looking through the database of zones takes a while, and it changes with releases."""
    return frozenset(zoneinfo.available_timezones())


class Request(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored where money is concerned."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanIn(GiftIn):
    """A gift now, and the same again each month, quarter or year until the donor says otherwise.

    Every gift of the plan says what this one says: `fund_id`, `company`, `message`, `anonymity` and `dedication`, whose
    `notify` is written to once, about the first gift. `gift_aid` is an enduring declaration: show words that speak of this
    gift and of all later ones of the plan. `fee_cover` is what the donor adds to each gift, at most: it is quoted again for
    each, and less is charged where less covers the fee.
    """

    every: Interval
    time_zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="IANA name of where the donor lives, such as `Europe/Berlin`: whose calendar counts."
    )
    day_of_month: Annotated[int, Field(ge=1, le=31)] | None = Field(
        default=None, description="Of the gifts after the first; the first gift's own, where none is named."
    )

    def schedule(self, *, now: datetime) -> Schedule:
        """When the gifts are due, the first one given now.

        Raises:
            ScheduleNotAcceptable: There is no such time zone.
        """
        if self.time_zone not in _time_zones():
            raise ScheduleNotAcceptable(
                "Name the donor's time zone as IANA does, such as 'Europe/Berlin'.", param="time_zone"
            )
        return Schedule.beginning(
            now=now, every=self.every, time_zone=self.time_zone, day_of_month=self.day_of_month
        )


class PlanCreated(BaseModel):
    """A plan that begins once its first gift's payment is confirmed."""

    plan_id: str
    donation: DonationCreated


class AmountChange(Request):
    """What is given from the next gift on."""

    amount: AmountIn
    fee_cover: FeeCoverIn | None = Field(
        default=None,
        description=(
            "What is added to each gift for the fee from now on, at most, as `GET /v1/donations/quote` told it for this amount; "
            "null: nothing. Left out, what the donor agreed to before stays the most that is added."
        ),
    )

    def cover(self) -> CoverChange | None:
        """What is said of the fee; None where nothing is."""
        if "fee_cover" not in self.model_fields_set:
            return None
        return CoverChange(cover=self.fee_cover.cover(self.amount.currency) if self.fee_cover else None)

    def money(self) -> Money:
        """The amount.

        Raises:
            CurrencyNotSupported, AmountNotAcceptable: As `Money.parse_gift` says.
        """
        return Money.parse_gift(minor_units=self.amount.minor_units, currency=self.amount.currency)


class OptionsIn(Request):
    """What the gifts to come say. What is left out stays as it is; name at least one."""

    fund_id: Identifier | None = Field(
        default=None, description="One of the organisation's open funds; null: for anything."
    )
    anonymity: Anonymity = Anonymity.PUBLIC
    message: LongText | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name what should change: fund_id, anonymity or message")
        return self

    def change(self) -> OptionsChange:
        """What changes."""
        return OptionsChange(
            changes=frozenset(self.model_fields_set),
            fund_id=self.fund_id,
            anonymity=self.anonymity,
            message=self.message or None,
        )


class PauseIn(Request):
    """How long nothing is collected."""

    until: date | None = Field(default=None, description="The day gifts go on; none: until resumed.")


class PeriodOut(BaseModel):
    """One period of a plan. `donation_id` names its gift; there is none where it was skipped."""

    due_on: date
    amount: AmountOut = Field(description="The gift, without what was added for the fee.")
    total: AmountOut = Field(description="What is charged: the gift and what was added for the fee.")
    costs: CostsOut | None = Field(description="What was added, what the fee was, and the difference.")
    state: str
    donation_id: Identifier | None
    donation_status: str | None

    @classmethod
    def of(cls, seen: PeriodInView) -> "PeriodOut":
        """The donor's view of a period."""
        charge = seen.charge
        return cls(
            due_on=charge.due_on,
            amount=AmountOut.of(charge.amount),
            total=AmountOut.of(charge.total),
            costs=CostsOut.of(seen.costs) if seen.costs is not None else None,
            state=charge.state,
            donation_id=charge.donation_id,
            donation_status=seen.status,
        )


class PlanCoverOut(BaseModel):
    """What is added to the gifts of a plan for the processor's fee."""

    at_most: AmountOut = Field(description="What the donor agreed to; more is never added.")
    next: AmountOut = Field(description="What would be added today, for the card or account that is stored.")
    next_total: AmountOut = Field(description="What would be charged in all.")

    @classmethod
    def of(cls, plan: Plan, cover: Money) -> "PlanCoverOut":
        """The wire form of it."""
        return cls(
            at_most=AmountOut.of(plan.fee_cover_max),
            next=AmountOut.of(cover),
            next_total=AmountOut.of(plan.amount + cover),
        )


class PlanOut(BaseModel):
    """A plan as its donor sees it.

    `waits_for_donor`: a gift was declined, and can be paid by the donor now.
    """

    id: str
    organization_id: str
    organization: str
    amount: AmountOut = Field(description="Of each gift, without what is added for the fee.")
    fee_cover: PlanCoverOut | None = Field(description="Null where the donor adds nothing.")
    fund_id: str | None
    fund: str | None = Field(description="The name of what the gifts are for; null: for anything.")
    anonymity: Anonymity
    gift_aid: GiftAid = Field(
        description="`declared` covers every gift of the plan; after `canceled` nothing more is claimed."
    )
    every: Interval
    status: str
    reason: str | None
    next_on: date | None
    method_kind: str | None
    method_last4: str | None
    waits_for_donor: bool
    periods: list[PeriodOut]
    created_at: str

    @computed_field(description="Differs whenever anything of the plan does: what `If-Match` takes.")  # type: ignore[prop-decorator] # as pydantic's own page has it
    @property
    def version(self) -> str:
        """Of what is shown (RFC 9110 §8.8.3)."""
        return etag_of(self, without=frozenset({"version"}))

    @classmethod
    def of(cls, seen: PlanInView) -> "PlanOut":
        """The wire form of what the donor sees."""
        plan: Plan = seen.plan
        return cls(
            id=plan.id,
            organization_id=plan.organization_id,
            organization=seen.organization,
            amount=AmountOut.of(plan.amount),
            fee_cover=PlanCoverOut.of(plan, seen.next_cover) if plan.fee_cover_max.minor_units else None,
            fund_id=plan.fund_id,
            fund=seen.fund,
            anonymity=plan.anonymity,
            gift_aid=plan.gift_aid,
            every=plan.schedule.every,
            status=plan.status,
            reason=plan.reason,
            next_on=plan.next_due_on,
            method_kind=plan.method_kind,
            method_last4=plan.method_last4,
            waits_for_donor=any(period.charge.waits_for_donor for period in seen.periods),
            periods=[PeriodOut.of(period) for period in seen.periods],
            created_at=iso(plan.created_at),
        )


class PlanList(BaseModel):
    """A donor's plans, the newest first."""

    data: list[PlanOut]


class AtProcessorOut(BaseModel):
    """What the donor's browser needs to carry on at the processor."""

    client_secret: str
    publishable_key: str
    stripe_account: str
