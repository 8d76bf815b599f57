"""Dependencies of recurring gifts, and the error where they are not configured."""

from dataclasses import dataclass

from amply.kernel.errors import NotOffered
from amply.modules import payments
from amply.modules.recurring.links import LinkKey


class RecurringNotOffered(NotOffered):
    """This environment has no key for donors' links, so that it takes no recurring gifts."""

    code = "recurring_not_offered"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the recurring routes."""

    saved: payments.SavedMethods
    links: LinkKey
