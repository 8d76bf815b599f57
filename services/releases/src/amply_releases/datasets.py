"""A dataset's state: definition, progress of its releases, next due date. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from amply_lake import Policy, shipped_policy

EVERYBODY: Final = "all"
"""Whom the dataset's own releases are made to. Each buyer's follow them (docs/adr/0147-each-buyers-own-pseudonyms.md)."""
PLATFORM: Final = "platform"
"""Who owns what is made of donors' gifts: what it brings is their organisations' (docs/adr/0143-what-data-brings-and-whose-it-is.md)."""
WITHDRAWALS_EVERY: Final = timedelta(hours=6)
"""How often a dataset of donors is looked at for who has withdrawn, whether or not anything came in."""


class FileState(StrEnum):
    """What became of a file."""

    WAITING = "waiting"
    RELEASED = "released"
    SET_ASIDE = "set_aside"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a dataset comes from. `asked_for`: since when a release is wanted without waiting for its day."""

    dataset_id: str
    owner: str
    title: str
    kind: str
    policy: Policy
    release_every: timedelta
    is_open: bool
    asked_for: datetime | None
    of_donors: bool
    """Whether people in it are known to the table of consents: then nobody is released who is not given there."""


def built_in(dataset_id: str, *, asked_for: datetime | None, is_open: bool) -> Source:
    """The facts of gifts that donors let be shared."""
    return Source(
        dataset_id=dataset_id,
        owner=PLATFORM,
        title="Gifts whose donors let facts of them be shared",
        kind="gifts",
        policy=shipped_policy("donations-v1"),
        release_every=timedelta(days=14),
        is_open=is_open,
        asked_for=asked_for,
        of_donors=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a dataset has come. `tried_at`: when a release was last tried, whatever came of it.

    `withdrawn_until`: the day up to which withdrawals have been honoured. `kept_from`: all revisions of lower numbers are served to
    nobody any more. `served_days`: how long a revision is served, as the policy said when it could last be read.
    """

    began_at: datetime
    tried_at: datetime | None = None
    withdrawals_at: datetime | None = None
    withdrawn_until: date
    latest: int = 0
    kept_from: int = 1
    served_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A file that waits to be released, as it stood when it was noted."""

    dataset_id: str
    key: str
    name: str
    etag: str
    size_bytes: int


def is_due(source: Source, standing: Standing, *, now: datetime) -> bool:
    """Whether a release is to be tried of what waits."""
    if not source.is_open:
        return False
    since = standing.tried_at
    asked = source.asked_for
    if asked is not None and asked <= now and (since is None or asked > since):
        return True
    return now - (since or standing.began_at) >= source.release_every


def withdrawals_are_due(source: Source, standing: Standing, *, now: datetime) -> bool:
    """Whether it is to be looked for who has withdrawn since; also of a dataset that is closed to what is new."""
    if not (source.of_donors and standing.latest):
        return False
    return standing.withdrawals_at is None or now - standing.withdrawals_at >= WITHDRAWALS_EVERY
