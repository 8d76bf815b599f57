"""Hypothesis profiles: few deterministic examples by day, many random ones by night."""

import secrets
from typing import Final

from hypothesis import settings

BY_DAY: Final = "day"
"""A change is red for what it did, not for what happened to be drawn while somebody waited for it."""
BY_NIGHT: Final = "night"

# No property is a timed test.
settings.register_profile(BY_DAY, deadline=None, derandomize=True, database=None)
settings.register_profile(BY_NIGHT, deadline=None, derandomize=False, max_examples=300)


def is_night(marks: str) -> bool:
    """Whether these tests are chosen, by pytest's `-m`, that no change waits for."""
    return "nightly" in marks and "not nightly" not in marks


def seed(*, day: int) -> int:
    """For what draws by a number of its own; to be said with what was found, so that it can be drawn again."""
    return secrets.randbelow(2**32) if _is_by_night() else day


def examples(*, day: int, night: int) -> int:
    return night if _is_by_night() else day


def _is_by_night() -> bool:
    return settings.get_current_profile_name() == BY_NIGHT
