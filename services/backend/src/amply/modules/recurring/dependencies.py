"""What recurring gifts depend on, and the error where they are not set up."""

from dataclasses import dataclass

from amply.kernel.errors import NotOffered
from amply.modules import payments
from amply.modules.recurring.links import LinkKey


class RecurringNotOffered(NotOffered):
    """This environment has no key for donors' links, so that it takes no recurring gifts."""

    code = "recurring_not_offered"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What the routes of recurring gifts depend on, beside what all routes have."""

    saved: payments.SavedMethods
    links: LinkKey
