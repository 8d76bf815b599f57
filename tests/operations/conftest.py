"""One process of CDK's diff library for all tests of a worker."""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

import pytest

from operations.assembly import Deployed
from operations.difference.approved_replacements import ApprovedReplacement
from operations.difference.review import Review, review
from operations.difference.vendor import Library
from tests.operations.restore_world import Aws
from tests.operations.states import State, deployed, recorded
from tests.rds_engines import for_other_engines

TODAY = date(2026, 11, 26)


class Reviewer(Protocol):
    """Reviews the recorded production (or `before`) against `after`."""

    def __call__(
        self,
        after: State | Deployed,
        before: State | Deployed | None = None,
        *,
        approved: tuple[ApprovedReplacement, ...] = (),
    ) -> Review: ...


@pytest.fixture(scope="session")
def library() -> Iterator[Library]:
    with Library() as started:
        yield started


@pytest.fixture(scope="session")
def reviewed(library: Library) -> Reviewer:
    def reviewed(
        after: State | Deployed,
        before: State | Deployed | None = None,
        *,
        approved: tuple[ApprovedReplacement, ...] = (),
    ) -> Review:
        was, becomes = (
            it if isinstance(it, Deployed) else deployed(it) for it in (before or recorded(), after)
        )
        return review(
            "production",
            was,
            becomes,
            compare=library.compare,
            approved=approved,
            today=TODAY,
            monthly=None,
        )

    return reviewed


@pytest.fixture
def aws() -> Iterator[Aws]:
    """Whatever a test asks RDS for, it may ask of PostgreSQL: RDS would refuse the rest, and a stub takes it."""
    made = Aws()
    yield made
    assert [
        (name, told & for_other_engines(name)) for name, told in made.asked if told & for_other_engines(name)
    ] == []
