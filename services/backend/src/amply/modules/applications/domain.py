"""Review actions on an application, who may take them, and the errors of applying. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import Conflict, InvalidRequest, NotFound, NotOffered
from amply.modules.organizations import OrganizationState as State

TOPIC_LETTER_OWED: Final = "applications.letter_owed"
"""A letter about an application or a tier is due."""
TOPIC_REGISTER_ASKED: Final = "applications.register_asked"
"""A register lookup was requested."""
TOPIC_DOCUMENT_REMOVED: Final = "applications.document_removed"
"""A removed document's bytes are to be deleted."""

PROMISED_WITHIN: Final = timedelta(days=7)
"""Five working days have a weekend among them: who has waited for longer has waited for longer than is promised."""

APPLICATIONS_MAX: Final = 3
"""Undecided applications of a person, enforced by the database (`found_organization`)."""

_SLUG_LENGTH_MAX: Final = 60


class Kind(StrEnum):
    """What sort of body it is, in the words of whoever asks."""

    NONPROFIT = "nonprofit"
    CHARITY = "charity"
    FOUNDATION = "foundation"
    FISCALLY_SPONSORED = "fiscally_sponsored"
    ASSOCIATION = "association"
    NGO = "ngo"


class ReviewAction(StrEnum):
    """What can be done with an application."""

    SUBMIT = "submit"
    REVIEW = "review"
    ASK = "ask"
    VERIFY = "verify"
    REFUSE = "refuse"
    SUSPEND = "suspend"
    RESTORE = "restore"


@dataclass(frozen=True, kw_only=True)
class TransitionRule:
    """The states an action leads from and to, and whether it requires a reason for the organisation."""

    of: frozenset[State]
    to: State
    by_staff: bool = True
    wants_reason: bool = False


REVIEW_ACTIONS: Final[Mapping[ReviewAction, TransitionRule]] = {
    ReviewAction.SUBMIT: TransitionRule(
        of=frozenset({State.DRAFT, State.MORE_ASKED}), to=State.SUBMITTED, by_staff=False
    ),
    ReviewAction.REVIEW: TransitionRule(of=frozenset({State.SUBMITTED}), to=State.IN_REVIEW),
    ReviewAction.ASK: TransitionRule(of=frozenset({State.IN_REVIEW}), to=State.MORE_ASKED, wants_reason=True),
    ReviewAction.VERIFY: TransitionRule(of=frozenset({State.IN_REVIEW}), to=State.VERIFIED),
    ReviewAction.REFUSE: TransitionRule(
        of=frozenset({State.IN_REVIEW, State.MORE_ASKED}), to=State.REFUSED, wants_reason=True
    ),
    ReviewAction.SUSPEND: TransitionRule(
        of=frozenset({State.VERIFIED}), to=State.SUSPENDED, wants_reason=True
    ),
    ReviewAction.RESTORE: TransitionRule(
        of=frozenset({State.SUSPENDED}), to=State.VERIFIED, wants_reason=True
    ),
}
"""All state transitions; the trigger `keep_organization_moves` has the same, and a test compares them."""

WAITING: Final = frozenset({State.SUBMITTED, State.IN_REVIEW})
"""States in which staff must act."""

OPEN: Final = frozenset({State.DRAFT, State.MORE_ASKED})
"""States in which the organisation may edit its application, enforced by the database."""


class ApplicationNotFound(NotFound):
    """The organisation never applied: staff made it."""

    code = "application_not_found"


class ApplicationNotAcceptable(InvalidRequest):
    """Something that is said of the organisation cannot be so."""

    code = "application_not_acceptable"


class ApplicationIncomplete(Conflict):
    """Something is missing before staff can look at it."""

    code = "application_incomplete"


class ApplicationNotOpen(Conflict):
    """Staff look at it, or have decided: nothing is changed about it now."""

    code = "application_not_open"


class TooManyApplications(Conflict):
    """As many of a person's applications are undecided as may be."""

    code = "too_many_applications"


class AddressNotProven(Conflict):
    """Whoever applies has to have shown that an e-mail address is theirs."""

    code = "address_not_proven"


class ApplicationsNotOffered(NotOffered):
    """Nobody can sign in here, or there is no place for documents."""

    code: ClassVar[str] = "applications_not_offered"


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """A public register's answer about a number, with its time (UTC): evidence for staff, not proof."""

    country: str
    tax_id: str
    asked_at: datetime
    answered_at: datetime | None
    outcome: str | None
    register: str | None
    name: str | None
    status: str | None


def slug_of(text: str) -> str:
    """A slug from the desired name, within the length limit.

    Raises:
        ApplicationNotAcceptable: It is too long.
    """
    if len(text) > _SLUG_LENGTH_MAX:
        raise ApplicationNotAcceptable(f"A slug has {_SLUG_LENGTH_MAX} characters at most.", param="slug")
    return text
