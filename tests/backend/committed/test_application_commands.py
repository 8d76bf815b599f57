"""What staff type about applications: what it prints, that it is recorded, and that reasons and documents do not end up in the record."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from amply.entrypoints import admin_recorded
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.modules import applications, audit
from tests.backend.application_world import BEGUN, COMPLETE, Applicant, applying_work
from tests.backend.conftest import Databases
from tests.backend.member_world import House


@pytest.fixture
def house(database: Database, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    databases.sign_commands_in(monkeypatch, user="amply_operator")
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    for name, value in (
        ("AMPLY_DOCUMENTS_BUCKET", "documents"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "made-up"),
        ("AWS_SECRET_ACCESS_KEY", "made-up"),
    ):
        monkeypatch.setenv(name, value)
    admin_recorded._task_id.cache_clear()
    made = House(database, databases)
    with made.client:
        yield made
    made.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(admin, ["organization", *words])


def printed(*words: str) -> Any:
    done = run(*words)
    assert done.exit_code == 0, done.output + str(done.exception)
    return [json.loads(line) for line in done.output.splitlines()]


def test_staff_look_read_ask_and_verify(house: House) -> None:
    ada = Applicant(house)
    organization_id = ada.apply()
    applications.ask_registers(applying_work(house.database), now=house.clock())
    [listed] = printed("applications")
    assert (listed["id"], listed["state"]) == (organization_id, "submitted")
    assert printed("review", "--id", organization_id) == [{"id": organization_id, "state": "in_review"}]
    [shown] = printed("application", "--id", organization_id)
    assert (shown["legal_name"], shown["register"]["outcome"]) == (BEGUN["legal_name"], "found")
    assert [each["scanned"] for each in shown["documents"]] == [False]
    assert len(shown["to_check"]) == 3
    [link] = printed("document", "--id", shown["documents"][0]["id"])
    assert "X-Amz-Expires=300" in link["url"]

    printed("ask", "--id", organization_id, "--reason", "Which river do you mean?")
    assert ada.ask("POST", "/application/submit").is_success
    printed("review", "--id", organization_id)
    [verified] = printed("verify", "--id", organization_id, "--slug", "river-of-the-vale")
    assert verified == {"id": organization_id, "state": "verified", "slug": "river-of-the-vale"}
    assert printed("applications") == []
    [receipts] = printed("receipts", "--id", organization_id)
    assert (receipts["legal_name"], receipts["registration_number"]) == (
        BEGUN["legal_name"],
        COMPLETE["tax_id"],
    )
    assert (receipts["jurisdiction"], receipts["missing"]) == ("GB", ["address"])
    printed("suspend", "--id", organization_id, "--reason", "We have questions.")
    printed("restore", "--id", organization_id, "--reason", "They are answered.")

    rows = house.rows("SELECT content::jsonb AS said FROM audit_record ORDER BY id")
    done = [row.said for row in rows if row.said["actor"]["kind"] == "operator"]
    assert [said["action"] for said in done] == [
        *("organization.reviewed", "document.read", "organization.more_asked", "organization.reviewed"),
        *("organization.verified", "organization.suspended", "organization.restored"),
    ]
    assert {said["organization"] for said in done} == {organization_id}
    assert done[2]["reason"] == audit.digested("Which river do you mean?")
    assert ada.ask("GET", "/audit").json()["data"][0]["action"] == "organization.restored"


def test_what_is_not_where_it_should_be_is_refused_in_a_sentence_and_recorded(house: House) -> None:
    refused = run("verify", "--id", house.organization_id)
    assert refused.exit_code == 1
    assert "made by" in str(getattr(refused.exception, "detail", refused.output))
    [record] = house.rows("SELECT content::jsonb AS said FROM audit_record ORDER BY id")
    assert (record.said["outcome"], record.said["error"]) == ("refused", "application_not_found")


def test_a_slug_that_is_taken_is_not_taken_away(house: House) -> None:
    organization_id = Applicant(house).apply()
    printed("review", "--id", organization_id)
    taken = run("verify", "--id", organization_id, "--slug", "hill-trust")
    assert "belongs to another organisation" in str(getattr(taken.exception, "detail", taken.output))
    assert printed("applications")[0]["state"] == "in_review", "nothing has changed"


def test_the_first_number_is_said_with_the_name_that_was_verified(house: House) -> None:
    said = ("receipts", "--id", house.organization_id)
    number = ("--jurisdiction", "GB", "--registration-number", "1234567")
    refused = run(*said, *number)
    assert refused.exit_code != 0
    assert "--legal-name" in refused.output
    assert printed(*said)[0]["registration_number"] == ""
    [kept] = printed(*said, *number, "--legal-name", "River Trust of the Vale")
    assert (kept["legal_name"], kept["registration_number"]) == ("River Trust of the Vale", "1234567")
    [other] = printed(*said, "--registration-number", "7654321")
    assert other["legal_name"] == "River Trust of the Vale", "which was verified with the number before"
