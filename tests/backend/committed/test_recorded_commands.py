"""What operators do by command stands in the audit log: done and recorded together, or recorded as refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from amply.entrypoints import admin_database, admin_recorded
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.modules import audit
from tests.backend.conftest import Databases
from tests.backend.world import FakeProcessor, ready_organization

EMAIL = "zoe.lindqvist@example.org"


@pytest.fixture
def operator(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    databases.sign_commands_in(monkeypatch, user="amply_operator")
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    admin_recorded._task_id.cache_clear()
    opened = databases.as_role("amply_operator")
    yield opened
    opened.close()


@pytest.fixture
def organization_id(operator: Database) -> str:
    return ready_organization(operator, FakeProcessor())


def run(*words: str) -> Result:
    return CliRunner().invoke(admin, list(words))


def recorded(database: Database) -> list[dict[str, Any]]:
    with database.transaction() as session:
        found = audit.search(session, audit.Search()).items
    return list(reversed(found))


def test_what_is_changed_is_recorded_with_what_it_made(operator: Database, organization_id: str) -> None:
    made = run("organization", "fund", "create", "--id", organization_id, "--name", "Roof")
    fund_id = json.loads(made.output)["id"]
    closed = run("organization", "fund", "close", "--id", organization_id, "--fund", fund_id)
    assert closed.exit_code == 0, closed.output

    told = [(said["action"], said["targets"], said["outcome"]) for said in recorded(operator)]
    assert told == [("fund.created", [fund_id], "done"), ("fund.closed", [fund_id], "done")]
    assert {said["organization"] for said in recorded(operator)} == {organization_id}
    assert recorded(operator)[0]["actor"] == {"kind": "operator", "id": "local"}


def test_what_is_refused_is_recorded_with_its_code_and_changes_nothing(
    operator: Database, organization_id: str
) -> None:
    refused = run("defence", "reopen", "--id", organization_id, "--reason", "Zoë says so")
    assert refused.exit_code == 1
    (said,) = recorded(operator)
    assert (said["outcome"], said["error"]) == ("refused", "form_not_closed")
    assert said["reason"] == audit.digested("Zoë says so")


def test_without_its_record_nothing_is_done(
    operator: Database, organization_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def record(self, *_: object, **__: object) -> None:
            raise OSError

    monkeypatch.setattr(admin_database, "audit", Broken())
    failed = run("organization", "fund", "create", "--id", organization_id, "--name", "Roof")
    assert failed.exit_code == 1
    with operator.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM fund")) == 0
    assert [said["outcome"] for said in recorded(operator)] == ["failed"]


def test_what_takes_several_steps_is_recorded_before_and_after(operator: Database) -> None:
    made = run("organization", "create", "--name", "River Trust", "--slug", "river", "--country", "DE")
    made_id = json.loads(made.output)["id"]
    assert [(said["outcome"], said.get("organization")) for said in recorded(operator)] == [
        ("begun", None),
        ("done", made_id),
    ]


def test_a_refusal_after_the_beginning_has_its_end(operator: Database) -> None:
    run("disputes", "answer", f"dsp_{'0' * 26}", "--statement", "-")
    begun, ended = recorded(operator)
    assert begun["outcome"] == "begun"
    assert ended["outcome"] in ("refused", "failed")


def test_an_address_typed_in_the_wrong_place_does_not_stay(operator: Database) -> None:
    run("webhooks", "replay", "--id", EMAIL)
    run("donation", "resend-receipt", EMAIL)
    run("recurring", "cancel", EMAIL)
    with operator.transaction() as session:
        written = "".join(session.scalars(text("SELECT content FROM audit_record")))
    assert written.count(audit.digested(EMAIL)) == 3
    assert "zoe" not in written


def test_a_command_that_reads_cannot_change_anything(
    operator: Database, organization_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of those that only read is not believed: the database refuses."""

    def change(session: Any, **_: object) -> None:
        session.execute(text("UPDATE organization SET takes_anonymous_gifts = true"))

    monkeypatch.setattr("amply.entrypoints.admin_funds.organizations.funds_of", change)
    tried = run("organization", "fund", "list", "--id", organization_id)
    assert "read-only transaction" in str(tried.exception)
    assert recorded(operator) == []


def test_settings_that_are_only_looked_at_are_not_recorded(operator: Database, organization_id: str) -> None:
    assert run("organization", "receipts", "--id", organization_id).exit_code == 0
    assert recorded(operator) == []
    changed = run("organization", "receipts", "--id", organization_id, "--legal-name", "River Trust e.V.")
    assert changed.exit_code == 0, changed.output
    assert [said["action"] for said in recorded(operator)] == ["organization.receipts_set"]


def test_records_are_searched_and_verified_by_command(organization_id: str) -> None:
    for _ in range(3):
        run("organization", "anonymous-gifts", "--id", organization_id, "--take")
    *page, cursor = run(
        "audit", "search", "--organization", organization_id, "--limit", "2"
    ).output.splitlines()
    assert len(page) == 2
    rest = run("audit", "search", "--limit", "2", "--cursor", json.loads(cursor)["next_cursor"])
    assert len(rest.output.splitlines()) == 1
    assert run("audit", "search", "--until", "2020-01-01").output == ""
    verified = run("audit", "verify")
    assert (verified.exit_code, json.loads(verified.output)["records"]) == (0, 3)


def test_verifying_says_what_is_wrong_and_fails(organization_id: str, databases: Databases) -> None:
    run("organization", "anonymous-gifts", "--id", organization_id, "--take")
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE audit_record SET content = replace(content, 'done', 'none')"))
    master.close()
    verified = run("audit", "verify")
    assert verified.exit_code == 1
    assert "Record 1, aud_" in verified.output
