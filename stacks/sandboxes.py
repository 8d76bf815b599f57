"""Named sandboxes: copies of the shared sandbox, each with an owner and an expiry date.

Nothing here knows what day it is: that a sandbox has expired is the business of whoever takes it away
(`operations.sandboxes`), and a synthesis gives the same templates tomorrow.
"""

import re
from dataclasses import replace
from datetime import date

from stacks.environment import BudgetSettings, Environment, Lease, MailSettings
from stacks.environments import SANDBOX

NAME_MAX = 20
"""Characters; `sandbox-NAME-observability` and what AWS makes of it must fit everywhere."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ADDRESS = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
"""Of the characters a tag may hold."""
_ADDRESS_MAX = 254
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_BUDGET_USD = 200


def named_sandbox(name: object, *, owner: object, expires: object) -> Environment:
    """The environment `sandbox-NAME`, from command-line arguments.

    Raises:
        ValueError: One of the three is missing or cannot be what it should; the message says what to write.
    """
    called = _name(name)
    lease = Lease(owner=_address(owner), expires=_day(expires))
    domain = f"{called}.{SANDBOX.mail.domain}"
    return replace(
        SANDBOX,
        name=f"{SANDBOX.name}-{called}",
        log_origin=f"{SANDBOX.log_origin}-{called}",
        # SES verifies a domain once an account: two sandboxes cannot send from the same.
        mail=MailSettings(domain=domain, sender=f"receipts@{domain}"),
        # The account already trusts GitHub, once.
        delivery=None,
        budget=BudgetSettings(monthly_usd=_BUDGET_USD, tell=lease.owner, shares_account=True),
        lease=lease,
    )


def _name(name: object) -> str:
    if name is None:
        raise ValueError(
            "A sandbox of its own needs a name: -c sandbox=NAME -c owner=MAIL -c expires=YYYY-MM-DD"
        )
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > NAME_MAX:
        raise ValueError(
            f"{name!r} names no sandbox: up to {NAME_MAX} small letters, digits and single hyphens, a letter first."
        )
    return name


def _address(owner: object) -> str:
    if owner is None:
        raise ValueError("A named sandbox has an owner who reads mail: -c owner=MAIL")
    if not isinstance(owner, str) or not _ADDRESS.fullmatch(owner) or len(owner) > _ADDRESS_MAX:
        raise ValueError(f"A named sandbox has an owner who reads mail, not {owner!r}: -c owner=MAIL")
    return owner


def _day(expires: object) -> date:
    if expires is None:
        raise ValueError("A named sandbox has a last day: -c expires=YYYY-MM-DD")
    if not isinstance(expires, str) or not _DAY.fullmatch(expires):
        raise ValueError(f"A named sandbox has a last day, not {expires!r}: -c expires=YYYY-MM-DD")
    try:
        return date.fromisoformat(expires)
    except ValueError:
        raise ValueError(f"{expires} is no day of the calendar: -c expires=YYYY-MM-DD") from None
