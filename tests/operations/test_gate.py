"""A deployment stops before what holds data, by the approvals and the list of the reviewer's comment."""

from datetime import date, timedelta

import pytest

from operations.difference.approved_replacements import ApprovedReplacement
from operations.gate import Gate, WouldLoseDataError
from tests.operations import states
from tests.operations.conftest import TODAY
from tests.operations.states import deployed, recorded
from tests.operations.test_losses import recorded as change_set


def _approval(
    stack: str, logical_id: str, *, until: date = TODAY, environment: str = "production"
) -> ApprovedReplacement:
    return ApprovedReplacement(
        environment=environment,
        stack=stack,
        logical_id=logical_id,
        reason="Everything was copied to the new one last week.",
        until=until,
    )


def _gate(*approved: ApprovedReplacement) -> Gate:
    return Gate(running=lambda _: deployed(recorded()), approved=approved, today=TODAY)


BUCKET, DATABASE = _approval(*states.BUCKET), _approval(*states.DATABASE)


def test_a_dangerous_change_is_refused_with_the_names_of_what_it_ends() -> None:
    with pytest.raises(WouldLoseDataError) as refused:
        _gate().compare(deployed(states.dangerous()))
    assert str(refused.value).splitlines()[:3] == [
        "Nothing of production is deployed, because it would end what holds data and no approval names it:",
        "  database/InstanceC1063A87 (database) is replaced: its rows and automated backups",
        "  storage/Documents7E5B2978 (bucket) is left to nobody: its objects",
    ]


def test_a_harmless_change_passes() -> None:
    _gate().compare(deployed(states.harmless()))


def test_a_first_deployment_passes() -> None:
    gate = Gate(running=lambda _: deployed({}), approved=(), today=TODAY)
    gate.compare(deployed(recorded()))


def test_approvals_that_name_everything_let_it_pass() -> None:
    _gate(BUCKET, DATABASE).compare(deployed(states.dangerous()))


@pytest.mark.parametrize(
    "approval",
    [
        _approval("storage", "Documents7E5B2978", until=TODAY - timedelta(days=1)),
        _approval("storage", "Documents7E5B2978", environment="staging"),
        _approval("storage", "Documents00000000"),
        _approval("database", "Documents7E5B2978"),
    ],
    ids=["expired", "another environment", "another resource", "another stack"],
)
def test_an_approval_for_anything_else_lets_nothing_pass(approval: ApprovedReplacement) -> None:
    with pytest.raises(WouldLoseDataError, match="Documents7E5B2978"):
        _gate(DATABASE, approval).compare(deployed(states.dangerous()))
    with pytest.raises(WouldLoseDataError, match="Documents7E5B2978"):
        _gate(DATABASE, approval).read("production", "storage", change_set("a bucket is renamed"))


def test_a_change_set_that_ends_data_is_refused_whatever_was_compared() -> None:
    with pytest.raises(WouldLoseDataError) as refused:
        _gate().read("production", "database", change_set("the database is made anew"))
    assert str(refused.value).startswith("The change set of production/database is not executed, because")


def test_a_change_set_that_an_approval_names_passes() -> None:
    _gate(BUCKET).read("production", "storage", change_set("a bucket is renamed"))
