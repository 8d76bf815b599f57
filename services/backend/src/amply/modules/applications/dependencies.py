"""What applying needs of the application besides its other parts."""

from dataclasses import dataclass

from amply.modules.applications.ports import DocumentShelf, People


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What applying needs of the application besides its other parts."""

    people: People
    shelf: DocumentShelf
