"""Dependencies of the application routes, beyond those that all routes share."""

from dataclasses import dataclass

from amply.modules.applications.ports import DocumentStore, People


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the application routes."""

    people: People
    shelf: DocumentStore
