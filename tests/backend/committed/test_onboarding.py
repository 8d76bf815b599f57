"""From an operator's command to an organisation that takes gifts: letter, link, and what staff and donors are told."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from sqlalchemy import text

from amply.entrypoints import application
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.kernel.clock import system_clock
from amply.kernel.errors import AmplyError
from amply.modules import mail, onboarding, organizations, payments
from tests.backend.conftest import Databases
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.onboarding_world import KEY, PAGE, FakeLinks, onboarding_work
from tests.backend.world import NOW, FakeClock, FakeMailer, FakeProcessor, NoLimit, open_gate


class Bureau:
    """Operators with their commands, the worker, and the API with no more rights than it has."""

    def __init__(self, database: Database, own: Database) -> None:
        self.database = database
        self.processor, self.mailer, self.links = FakeProcessor(), FakeMailer(), FakeLinks()
        # Commands look at the true clock.
        self.clock = FakeClock(system_clock() + timedelta(hours=1))
        self.work = onboarding_work(database, processor=self.processor, mailer=self.mailer)
        self.client = TestClient(
            application.create(
                application.Parts(
                    database=own,
                    processor=self.processor,
                    method_cloning=FakeMethodCloning(),
                    verifier=None,
                    limiter=NoLimit(),
                    gate=open_gate(own),
                    clock=self.clock,
                    livemode=False,
                    log_url="http://edge.example/log",
                    allowed_origins=(),
                    client_address_header="",
                    invitations=onboarding.Dependencies(links=self.links, key=KEY, page=PAGE),
                )
            ),
            raise_server_exceptions=False,
        )

    def organization(self, country: str = "DE") -> str:
        with self.database.transaction() as session:
            return organizations.create(
                session, name="River Trust", slug=f"river-{country.lower()}", country=country, now=NOW
            ).id

    def send(self) -> int:
        return onboarding.send_invitations(self.work, now=self.clock())

    def token(self) -> str:
        letter = self.mailer.sent[-1]
        (link,) = [line.strip() for line in letter.text.splitlines() if line.strip().startswith(PAGE)]
        return link.removeprefix(f"{PAGE}#")

    def ask(self, method: str, path: str, *, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        return self.client.request(method, f"/v1/onboarding{path}", headers=headers)

    def rows(self, table: str) -> list[Any]:
        with self.database.transaction() as session:
            return list(session.execute(text(f"SELECT * FROM {table}")))  # noqa: S608 -- the test's own table names


@pytest.fixture
def bureau(database: Database, databases: Databases) -> Iterator[Bureau]:
    own = databases.as_role("amply_api")
    made = Bureau(database, own)
    with made.client:
        yield made
    own.close()


@pytest.fixture
def command(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Any:
    databases.sign_commands_in(monkeypatch, user="amply_operator")

    def run(*words: str) -> Result:
        return CliRunner().invoke(admin, ["organization", *words])

    return run


def invited(command: Any, organization_id: str, *more: str) -> Result:
    result: Result = command("invite", "--id", organization_id, "--email", "t@river.example", *more)
    return result


def test_an_invitation_opens_the_account_and_leads_staff_to_the_processor(
    bureau: Bureau, command: Any
) -> None:
    organization_id = bureau.organization()
    bureau.processor.tell_account(f"acct_{organization_id[-6:]}", "restricted", "requirements_past_due")
    told = invited(command, organization_id)
    assert json.loads(told.output) == {"id": organization_id, "invited": True}, str(told.exception)

    assert (bureau.send(), bureau.send()) == (1, 0)
    assert bureau.mailer.sent[0].to == "t@river.example"
    assert bureau.rows("onboarding_invitation") == [], "who was invited is forgotten"

    seen = bureau.ask("GET", "").json()
    assert (seen["name"], seen["takes_gifts"], seen["can_continue"]) == ("River Trust", False, True)
    assert "answer what is left" in seen["reason"]
    first, second = bureau.ask("POST", "/links"), bureau.ask("POST", "/links")
    assert (first.status_code, first.headers["cache-control"]) == (201, "no-store")
    assert first.json()["url"] != second.json()["url"], "each is good for one visit"
    assert bureau.links.asked[0] == {
        "account_id": f"acct_{organization_id[-6:]}",
        "again_url": f"{PAGE}?again",
        "back_url": f"{PAGE}?back",
    }


def test_neither_token_nor_link_is_stored_or_logged(
    bureau: Bureau, command: Any, databases: Databases
) -> None:
    with structlog.testing.capture_logs() as lines:
        told = invited(command, bureau.organization())
        bureau.send()
        link = bureau.ask("POST", "/links").json()["url"]
    token = bureau.token()
    master = databases.as_role("master")
    with master.transaction() as session:
        tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        rows = [session.execute(text(f"SELECT * FROM {table}")).all() for table in tables]  # noqa: S608 -- PostgreSQL's own list
    master.close()
    kept = str(rows) + str(lines) + told.output
    for secret in (token, token.rpartition(".")[2], link):
        assert secret not in kept
    assert "t@river.example" not in str(lines) + told.output


def test_donors_and_operators_are_told_why_it_takes_no_gifts(bureau: Bureau, command: Any) -> None:
    organization_id = bureau.organization()
    address = f"/v1/public/organisations/{organization_id}/takes-gifts"
    assert bureau.client.get(address).json() == {
        "takes_gifts": False,
        "reason": "This organisation cannot take gifts yet; try again once it has finished its onboarding.",
    }
    told = json.loads(command("account", "--id", organization_id).output)
    assert (told["stripe_account"], told["status"]) == (None, None)
    assert "ask us for an invitation" in told["for_staff"]

    invited(command, organization_id)
    bureau.send()
    assert bureau.client.get(address).json() == {"takes_gifts": True, "reason": None}
    assert json.loads(command("account", "--id", organization_id).output)["takes_gifts"] is True
    missing = bureau.client.get(f"/v1/public/organisations/org_{'0' * 26}/takes-gifts")
    assert missing.json()["code"] == "organization_not_found"


@pytest.mark.parametrize("token", ["", "nonsense", f"v1.9999999999.org_{'0' * 26}.{'m' * 43}"])
def test_without_an_invitation_nothing_is_shown_and_no_link_made(bureau: Bureau, token: str) -> None:
    for method, path in (("GET", ""), ("POST", "/links")):
        refused = bureau.ask(method, path, token=token)
        assert (refused.status_code, refused.json()["code"]) == (401, "invitation_not_valid")
    assert bureau.client.get("/v1/onboarding").status_code == 401
    assert bureau.links.asked == []


def test_an_invitation_ends_after_a_week(bureau: Bureau, command: Any) -> None:
    invited(command, bureau.organization())
    bureau.send()
    bureau.clock.advance(days=7)
    refused = bureau.ask("POST", "/links")
    assert (refused.status_code, "ask us for a new one" in refused.json()["detail"]) == (401, True)


def test_where_nothing_can_be_answered_no_link_is_made(bureau: Bureau, command: Any) -> None:
    organization_id = bureau.organization()
    invited(command, organization_id)
    bureau.send()
    bureau.processor.tell_account(f"acct_{organization_id[-6:]}", "rejected", "rejected_other")
    onboarding.look_at_accounts(bureau.work, now=bureau.clock() + timedelta(hours=6))
    refused = bureau.ask("POST", "/links")
    assert (refused.status_code, refused.json()["code"]) == (409, "organization_not_ready")
    assert "support" in refused.json()["detail"]

    bureau.processor.tell_account(f"acct_{organization_id[-6:]}", "active")
    onboarding.look_at_accounts(bureau.work, now=bureau.clock() + timedelta(hours=12))
    bureau.links.refuses = payments.ProcessorUnavailable("The payment processor does not answer; try again.")
    assert bureau.ask("POST", "/links").status_code == 503


def test_a_country_that_is_not_admitted_is_refused_before_anything_is_made(
    bureau: Bureau, command: Any
) -> None:
    refused = invited(command, bureau.organization("AU"))
    assert isinstance(refused.exception, payments.CountryNotAdmitted)
    assert "offline gifts" in refused.exception.detail
    made = command(
        *("create", "--name", "Reef", "--slug", "reef", "--country", "TH", "--onboard"),
        *("--email", "t@reef.example"),
    )
    assert isinstance(made.exception, payments.CountryNotAdmitted)
    assert (bureau.rows("onboarding_invitation"), len(bureau.rows("organization"))) == ([], 1)

    singapore = bureau.organization("SG")
    assert isinstance(invited(command, singapore).exception, payments.CountryNotAdmitted)
    assert invited(command, singapore, "--confirm", "registered_charity").exit_code == 0
    assert bureau.send() == 1
    assert [row.confirmed for row in bureau.rows("processor_account")] == ["registered_charity"]


def test_an_address_that_is_none_is_refused(bureau: Bureau, command: Any) -> None:
    organization_id = bureau.organization()
    for address in ("nobody", "a b@example.org", "a@b"):
        refused = command("invite", "--id", organization_id, "--email", address).exception
        assert isinstance(refused, AmplyError)
        assert refused.param == "email"


def test_what_fails_is_tried_again_and_given_up_in_the_end(bureau: Bureau, command: Any) -> None:
    invited(command, bureau.organization())
    bureau.mailer.refuses = True
    with structlog.testing.capture_logs() as lines:
        assert bureau.send() == 0
        assert len(bureau.rows("processor_account")) == 1
        assert bureau.send() == 0, "not at once"
        bureau.mailer.refuses = False
        bureau.clock.advance(minutes=5)
        assert bureau.send() == 1

        invited(command, bureau.organization("FR"))
        bureau.mailer.refuses = True
        for _ in range(10):
            bureau.clock.advance(days=1)
            bureau.send()
    assert bureau.rows("onboarding_invitation") == []
    assert [line["event"] for line in lines].count("invitation_not_sent") == 11


def test_who_wants_no_letters_gets_none(bureau: Bureau, command: Any) -> None:
    with bureau.database.transaction() as session:
        session.execute(
            text("INSERT INTO mail_suppression VALUES (:digest, 'complaint', now())"),
            {"digest": mail.address_digest("t@river.example")},
        )
    invited(command, bureau.organization())
    assert bureau.send() == 0
    assert bureau.rows("processor_account") == []
    assert bureau.rows("onboarding_invitation") == []


def test_whoever_was_left_is_invited_to_another_account(bureau: Bureau, command: Any) -> None:
    organization_id = bureau.organization()
    invited(command, organization_id)
    bureau.send()
    (before,) = bureau.rows("processor_account")
    bureau.processor.tell_account(before.account_id, "closed")
    onboarding.look_at_accounts(bureau.work, now=bureau.clock() + timedelta(hours=6))
    told = json.loads(command("account", "--id", organization_id).output)
    assert (told["status"], told["takes_gifts"]) == ("closed", False)
    assert "new invitation" in told["for_staff"]

    invited(command, organization_id)
    assert bureau.send() == 1
    (after,) = bureau.rows("processor_account")
    assert (after.account_id, after.status) == (f"{before.account_id}_1", "active")


def test_without_a_key_nobody_is_onboarded_by_invitation(bureau: Bureau) -> None:
    bureau.client.app.state.invitations = None  # type: ignore[attr-defined] # Starlette's own way
    assert bureau.ask("GET", "", token="x").json()["code"] == "onboarding_not_offered"
