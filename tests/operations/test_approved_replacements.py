"""A replacement goes ahead when a reviewed line names it: this resource, this environment, until this day."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from operations.difference.approved_replacements import ApprovedReplacement, read_approved_replacements
from operations.difference.comment import write
from operations.difference.outcome import CannotCompareError
from tests.infrastructure.assembly import ROOT
from tests.operations import states
from tests.operations.conftest import TODAY, Reviewer
from tests.operations.states import State, recorded

AGREED = ApprovedReplacement(
    environment="production",
    stack="database",
    logical_id="InstanceC1063A87",
    reason="Restored from a snapshot on Sunday night, see the runbook.",
    until=TODAY,
)


def _another_database() -> State:
    state = recorded()
    states.properties(state, states.DATABASE)["StorageEncrypted"] = False
    return state


def test_a_replacement_that_an_approval_names_goes_ahead_and_is_still_shown(reviewed: Reviewer) -> None:
    found = reviewed(_another_database(), approved=(AGREED,))
    assert found.blocking == ()
    text = write(found)
    assert "1 resource that holds data is replaced or destroyed, as agreed" in text
    assert "until 2026-11-26: `Restored from a snapshot on Sunday night, see the runbook.`" in text


def test_an_approval_covers_nothing_after_its_last_day(reviewed: Reviewer) -> None:
    expired = replace(AGREED, until=TODAY - timedelta(days=1))
    found = reviewed(_another_database(), approved=(expired,))
    assert len(found.blocking) == 1
    assert "- expired on 2026-11-25, covers nothing: `database/InstanceC1063A87`" in write(found)


@pytest.mark.parametrize(
    "other",
    [
        replace(AGREED, environment="staging"),
        replace(AGREED, stack="storage"),
        replace(AGREED, logical_id="Instance"),
    ],
)
def test_an_approval_covers_only_what_it_names(reviewed: Reviewer, other: ApprovedReplacement) -> None:
    assert len(reviewed(_another_database(), approved=(other,)).blocking) == 1


def test_an_approval_that_nothing_needs_is_reported(reviewed: Reviewer) -> None:
    assert "- unused, take it out: `database/InstanceC1063A87`" in write(
        reviewed(recorded(), approved=(AGREED,))
    )


def test_one_approval_does_not_cover_two_replacements(reviewed: Reviewer) -> None:
    state = states.without(_another_database(), states.BUCKET)
    found = reviewed(state, approved=(AGREED,))
    assert [change.logical_id for change in found.blocking] == ["Documents7E5B2978"]
    assert "2 resources that hold data are replaced or destroyed, and no approval names 1 of them" in write(
        found
    )


COMPLETE = """
[[replacement]]
environment = "production"
stack = "database"
logical_id = "InstanceC1063A87"
reason = "Restored from a snapshot on Sunday night, see the runbook."
until = 2026-11-26
"""


def _file(folder: Path, text: str) -> Path:
    file = folder / "replacements.toml"
    file.write_text(text)
    return file


def test_a_complete_approval_is_read(tmp_path: Path) -> None:
    assert read_approved_replacements(_file(tmp_path, COMPLETE)) == (AGREED,)


def test_the_approvals_of_the_repository_can_be_read() -> None:
    for approval in read_approved_replacements(ROOT / "stacks" / "replacements.toml"):
        assert approval.until > date(2026, 1, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[replacement]", "cannot be read"),
        ("title = 1", "entries and nothing else"),
        ("replacement = 1", "entries and nothing else"),
        ("replacement = [1]", "replacement 1: give environment"),
        (COMPLETE.replace('stack = "database"', ""), "replacement 1: give environment"),
        (COMPLETE.replace("stack =", "stacks ="), "replacement 1: give environment"),
        (COMPLETE + 'ticket = "1"', "replacement 1: give environment"),
        (COMPLETE.replace("2026-11-26", '"soon"'), "until is a day such as 2027-01-31"),
        (COMPLETE.replace("2026-11-26", "2026-11-26T12:00:00"), "until is a day such as 2027-01-31"),
        (COMPLETE.replace('"database"', "7"), "stack is a text"),
        (COMPLETE.replace("from a snapshot on Sunday night, see the runbook", ""), "needs a reason"),
        (COMPLETE + COMPLETE, "names production/database/InstanceC1063A87 twice"),
    ],
)
def test_an_approval_that_is_not_complete_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CannotCompareError, match=says):
        read_approved_replacements(_file(tmp_path, text))


def test_approvals_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotCompareError, match="cannot be read"):
        read_approved_replacements(tmp_path / "none.toml")
