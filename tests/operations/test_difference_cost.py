"""What the reviewer's program says of money, and of environments that come or go as a whole."""

from decimal import Decimal

from operations.assembly import Deployed
from operations.difference.changes import Kind
from operations.difference.comment import write
from operations.difference.review import CannotPriceError, Review, review
from operations.difference.vendor import Library
from tests.operations import states
from tests.operations.conftest import TODAY
from tests.operations.states import deployed, recorded


def _monthly(environment: Deployed) -> Decimal:
    return Decimal(len(environment.templates)) * Decimal("10.25")


def _reviewed_with_cost(library: Library, before: Deployed | None, after: Deployed | None) -> Review:
    return review(
        "production", before, after, compare=library.compare, approved=(), today=TODAY, monthly=_monthly
    )


def test_the_cost_of_a_month_is_compared(library: Library) -> None:
    cheaper = recorded()
    del cheaper["observability"]
    text = write(_reviewed_with_cost(library, deployed(recorded()), deployed(cheaper)))
    assert "Monthly cost: 61.50 → 51.25 USD (-10.25)." in text


def test_a_cost_nobody_can_compute_hides_nothing_else(library: Library) -> None:
    def monthly(_: Deployed) -> Decimal:
        raise CannotPriceError("No price is known for AWS::New::Thing.")

    found = review(
        "production",
        deployed(recorded()),
        deployed(states.without(recorded(), states.BUCKET)),
        compare=library.compare,
        approved=(),
        today=TODAY,
        monthly=monthly,
    )
    assert len(found.blocking) == 1
    assert "Monthly cost: not computed, `No price is known for AWS::New::Thing.`" in write(found)


def test_a_new_environment_endangers_nothing_and_costs_all_of_it(library: Library) -> None:
    found = _reviewed_with_cost(library, None, deployed(recorded()))
    assert {change.kind for change in found.changes} == {Kind.ADDED}
    assert "## production: a new environment" in write(found)
    assert "Monthly cost: 0.00 → 61.50 USD (+61.50)." in write(found)


def test_an_environment_that_is_gone_leaves_all_its_data(library: Library) -> None:
    found = _reviewed_with_cost(library, deployed(recorded()), None)
    assert len(found.blocking) == 5
    assert {change.stack_leaves for change in found.changes} == {True}
