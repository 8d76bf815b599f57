"""Dependencies of the application routes, beyond those that all routes share."""

from dataclasses import dataclass

from amply.modules.applications.ports import DocumentShelf, People


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What the routes of applications depend on, beside what all routes have."""

    people: People
    shelf: DocumentShelf
