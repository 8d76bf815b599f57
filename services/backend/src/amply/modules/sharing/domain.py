"""Consents to data sharing, and their states."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import NotOffered

GIFTS_MAX: Final = 5_000
"""Gifts in one file."""


class Purpose(StrEnum):
    """What facts may be used for. Nothing that would have to reach a person: facts lead to nobody (ADR 0137)."""

    ANALYTICS = "analytics"


class Decision(StrEnum):
    """What somebody decided."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class DecisionChannel(StrEnum):
    """Where they did. `ERASURE`: they were forgotten. `CONSENT_TABLE`: the table knew of it, and the database no longer did."""

    DONATION_PAGE = "donation_page"
    OWN_PAGE = "own_page"
    ERASURE = "erasure"
    CONSENT_TABLE = "consent_table"


class Extent(StrEnum):
    """Of which gifts facts are shared: of none, of those whose box was ticked, or of all of a donor's."""

    NONE = "none"
    TICKED = "ticked"
    ALL = "all"


class DataSharingNotOffered(NotOffered):
    """This environment shares no data."""

    code: ClassVar[str] = "data_sharing_not_offered"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A donor's current decision. `since`: its time; None if there never was one."""

    purpose: Purpose
    extent: Extent
    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class PublishedConsent:
    """A person's consent in the lake's consent table, at a version.

    Attributes:
        changed_at: When it was decided.
        told_at: When the table is told, which may be days later: by its day whoever reads the table finds what is new there.
    """

    subject: str
    purpose: Purpose
    state: Decision
    version: int
    changed_at: datetime
    told_at: datetime


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of a facts file: a gift, or a later change to it. Unknown texts are empty.

    Attributes:
        event_id: This line's own name.
        donor_id: Who gave, under a name of the lake alone.
        gift_id: The gift, under another one: its lines add up to what the organisation keeps.
        given_at: A day, UTC: when the gift arrived, or when it was seen that some of it went back.
        amount_minor: Minor units; below zero for what went back.
        amount_band: The power of ten that it begins in, in major units: exact amounts are for the anonymiser.
    """

    event_id: str
    donor_id: str
    gift_id: str
    given_at: date
    kind: str
    amount_minor: int
    amount_band: str
    currency: str
    organization: str
    country: str
    fund_kind: str
    cause: str
    method: str
    is_recurring: bool


def band_of(major_units: int) -> str:
    """The band of an amount in whole major units, such as `10-99`, without its sign."""
    size = abs(major_units)
    if size == 0:
        return "0"
    low = 10 ** (len(str(size)) - 1)
    return f"{low}-{low * 10 - 1}"
