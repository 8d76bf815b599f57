"""What trying needs of the application besides its other parts."""

from dataclasses import dataclass

from amply.modules.members import People


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What trying needs of the application. `processor_url` is where test cards are charged."""

    people: People
    processor_url: str
