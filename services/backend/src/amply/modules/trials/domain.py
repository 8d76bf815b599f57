"""Limits and errors of test organisations."""

from typing import Final

from amply.kernel.errors import Conflict, NotOffered
from amply.modules.access import Scope

OF_A_PERSON_A_DAY: Final = 3
OF_ALL_A_DAY: Final = 100
"""Enforced by the database (`found_test_organization`), also against concurrent requests."""

KEY_NAME: Final = "first key"
SCOPES: Final = frozenset(Scope)


class TrialsNotOffered(NotOffered):
    """This environment is not for trying."""

    code = "test_organisations_not_offered"


class TooManyTrials(Conflict):
    """As many test organisations were made today as may be."""

    code = "too_many_test_organisations"


def are_offered(*, environment: str, livemode: bool) -> bool:
    """Whether this environment offers test organisations: a laptop or a sandbox, never with live money."""
    return not livemode and (environment in ("local", "sandbox") or environment.startswith("sandbox-"))
