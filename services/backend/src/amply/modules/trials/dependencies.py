"""Dependencies of test organisations, beyond those that all routes share."""

from dataclasses import dataclass

from amply.modules.members import People


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the route. `processor_url` is where test cards are charged."""

    people: People
    processor_url: str
