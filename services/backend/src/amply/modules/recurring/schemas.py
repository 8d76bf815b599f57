"""Plans as the API takes and shows them. Amounts are strings of minor units: JSON numbers lose digits."""

import hashlib
import zoneinfo
from datetime import date, datetime
from functools import cache
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, computed_field, model_validator

from amply.infra.web import Identifier
from amply.kernel.clock import iso
from amply.kernel.money import Money
from amply.modules.donations import AmountIn, AmountOut, DonationCreated, DonationIn, DonationStatus
from amply.modules.recurring.domain import Charge, Plan, ScheduleNotAcceptable
from amply.modules.recurring.due_dates import Interval, Schedule
from amply.modules.recurring.queries import PlanInView


@cache
def _time_zones() -> frozenset[str]:
    """Looking through the database of zones takes a while, and it changes with releases."""
    return frozenset(zoneinfo.available_timezones())


class Request(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored where money is concerned."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanIn(DonationIn):
    """A gift now, and the same again each month, quarter or year until the donor says otherwise.

    Plans keep none of what can be said of one gift: it is refused, rather than dropped after the first one.
    """

    every: Interval
    time_zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="IANA name of where the donor lives, such as `Europe/Berlin`: whose calendar counts."
    )
    day_of_month: Annotated[int, Field(ge=1, le=31)] | None = Field(
        default=None, description="Of the gifts after the first; the first gift's own, where none is named."
    )

    @model_validator(mode="after")
    def _says_nothing_of_one_gift(self) -> Self:
        if self.fund_id or self.dedication or self.company or "anonymity" in self.model_fields_set:
            raise ValueError(
                "recurring gifts have no fund_id, dedication, company or anonymity; give once to say one of them"
            )
        return self

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

    def money(self) -> Money:
        """The amount.

        Raises:
            CurrencyNotSupported, AmountNotAcceptable: As `Money.parse_gift` says.
        """
        return Money.parse_gift(minor_units=self.amount.minor_units, currency=self.amount.currency)


class PauseIn(Request):
    """How long nothing is collected."""

    until: date | None = Field(default=None, description="The day gifts go on; none: until resumed.")


class PeriodOut(BaseModel):
    """One period of a plan. `donation` names its gift; there is none where it was skipped."""

    due_on: date
    amount: AmountOut
    state: str
    donation_id: Identifier | None
    donation_status: str | None

    @classmethod
    def of(cls, charge: Charge, status: DonationStatus | None) -> "PeriodOut":
        """The donor's view of a period."""
        return cls(
            due_on=charge.due_on,
            amount=AmountOut.of(charge.amount),
            state=charge.state,
            donation_id=charge.donation_id,
            donation_status=status,
        )


class PlanOut(BaseModel):
    """A plan as its donor sees it.

    `waits_for_donor`: a gift was declined, and can be paid by the donor now.
    """

    id: str
    organization_id: str
    organization: str
    amount: AmountOut
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
        shown = self.model_dump_json(exclude={"version"})
        return f'"{hashlib.sha256(shown.encode()).hexdigest()[:32]}"'

    @classmethod
    def of(cls, seen: PlanInView) -> "PlanOut":
        """The wire form of what the donor sees."""
        plan: Plan = seen.plan
        return cls(
            id=plan.id,
            organization_id=plan.organization_id,
            organization=seen.organization,
            amount=AmountOut.of(plan.amount),
            every=plan.schedule.every,
            status=plan.status,
            reason=plan.reason,
            next_on=plan.next_due_on,
            method_kind=plan.method_kind,
            method_last4=plan.method_last4,
            waits_for_donor=any(charge.waits_for_donor for charge, _ in seen.periods),
            periods=[PeriodOut.of(charge, status) for charge, status in seen.periods],
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
