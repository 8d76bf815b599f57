"""The whole way of people in an organisation over HTTP: they register, are let in, work by role and by key, leave, are forgotten.

Every room is the real one: accounts, sessions in the cache, members, keys, gifts and the audit log, with the API's own rights.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from amply.entrypoints import application
from amply.entrypoints.member_directory import MemberDirectory, people_leaving
from amply.infra.database import Database
from amply.infra.settings import CacheSettings
from amply.modules import keys, mail, members, people
from tests.backend.conftest import Databases
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.member_world import KEY, PAGE, inviting_work
from tests.backend.people_world import EDGE, PASSWORD, Browser, emptied, people_parts, people_work
from tests.backend.world import FakeClock, FakeMailer, FakeProcessor, NoLimit, open_gate, ready_organization

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

ADA, BOB, CAROL = "ada@example.org", "bob@example.org", "carol@example.org"
GIFT: Final = {
    "amount": {"minor_units": "2500", "currency": "EUR"},
    "donor": {"name": "Dora", "email": "dora@example.org"},
}


@dataclass
class Platform:
    """The API, its worker, and staff."""

    app: FastAPI
    worker: Database
    operator: Database
    organization_id: str
    clock: FakeClock
    mailer: FakeMailer

    def letter(self) -> mail.Mail:
        """The one that the worker writes now."""
        people.send_letters(people_work(self.worker, mailer=self.mailer), now=self.clock())
        members.send_invitations(inviting_work(self.worker, mailer=self.mailer), now=self.clock())
        (written,), self.mailer.sent = self.mailer.sent, []
        return written

    def member(self, email: str) -> "Member":
        """Somebody who has registered, used the letter's link and signed in."""
        browser = Browser(self.app)
        assert browser.post("register", {"email": email, "password": PASSWORD}).is_success
        token = _after(f"{EDGE}/account/?verify#", self.letter())
        assert browser.post("verify-email", {"token": token, "password": PASSWORD}).is_success
        assert browser.signs_in(email).is_success
        return Member(self, browser, browser.get("me").json()["id"])

    def staff_invite(self, email: str) -> str:
        """`admin organization invite-owner`; the token of the letter."""
        with self.operator.transaction() as session:
            members.invite_owner(
                session,
                organization_id=self.organization_id,
                email=email,
                language=mail.Language.EN,
                now=self.clock(),
            )
        return _after(f"{PAGE}#", self.letter())

    def by_key(self, secret: str, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "gift-1"}
        return TestClient(self.app).request(method, path, headers=headers, **more)

    def rows(self, statement: str) -> list[Any]:
        with self.worker.transaction() as session:
            return list(session.execute(text(statement)))


@dataclass
class Member:
    """A person with their browser."""

    platform: Platform
    browser: Browser
    id: str

    def asks(self, method: str, path: str, body: Any = None) -> Any:
        """A request about the organisation, or one that begins with `/v1`."""
        whole = path if path.startswith("/v1") else f"/v1/organisations/{self.platform.organization_id}{path}"
        return self.browser.client.request(method, whole, json=body, headers=self.browser.headers)

    def joins(self, token: str) -> Any:
        return self.asks("POST", "/v1/me/organisations", {"token": token})

    def invites(self, email: str, role: str) -> str:
        made = self.asks("POST", "/invitations", {"email": email, "role": role})
        assert made.status_code == 201, made.text
        return _after(f"{PAGE}#", self.platform.letter())

    def confirms(self) -> None:
        assert self.browser.post("confirm", {"password": PASSWORD}).is_success


def _after(beginning: str, letter: mail.Mail) -> str:
    (line,) = [line.strip() for line in letter.text.splitlines() if line.strip().startswith(beginning)]
    return line.removeprefix(beginning)


@pytest.fixture
def platform(database: Database, databases: Databases, people_cache: CacheSettings) -> Iterator[Platform]:
    own, worker, operator = (databases.as_role(each) for each in ("amply_api", "amply_app", "amply_operator"))
    emptied(people_cache).close()
    clock, processor = FakeClock(), FakeProcessor()
    accounts = people_parts(own, people_cache, before_leaving=people_leaving)
    app = application.create(
        application.Parts(
            database=own,
            processor=processor,
            method_cloning=FakeMethodCloning(),
            verifier=None,
            limiter=NoLimit(),
            gate=open_gate(own),
            clock=clock,
            livemode=False,
            log_url="http://edge.example/log",
            allowed_origins=(EDGE,),
            client_address_header="X-Amply-Client",
            membership=members.Dependencies(key=KEY, people=MemberDirectory(accounts)),
            callers=(keys.KeyCallers(database=own, livemode=False), people.SessionCallers(accounts)),
            accounts=accounts,
        )
    )
    yield Platform(
        app=app,
        worker=worker,
        operator=operator,
        organization_id=ready_organization(database, processor),
        clock=clock,
        mailer=FakeMailer(),
    )
    for each in (own, worker, operator):
        each.close()


def test_an_organisation_is_handed_to_its_people_and_works_by_their_roles(platform: Platform) -> None:
    ada, bob = platform.member(ADA), platform.member(BOB)
    token = platform.staff_invite(ADA)
    assert bob.joins(token).json()["code"] == "member_invitation_not_valid", "it was sent to Ada's address"
    assert ada.asks("GET", "").json()["code"] == "organization_not_found"
    assert ada.joins(token).json() == {"organization_id": platform.organization_id}
    assert ada.joins(token).json()["code"] == "member_invitation_not_valid", "once"

    platform.clock.advance(minutes=11)
    late = ada.asks("POST", "/invitations", {"email": BOB, "role": "finance"})
    assert late.json()["code"] == "confirmation_required"
    ada.confirms()
    assert bob.joins(ada.invites(BOB, "finance")).is_success
    listed = ada.asks("GET", "/members").json()["data"]
    assert {(each["person_id"], each["role"], each["name"]) for each in listed} == {
        (ada.id, "owner", ADA),
        (bob.id, "finance", BOB),
    }
    assert bob.asks("GET", "/payouts").is_success
    bob.confirms()
    refused = bob.asks("POST", "/invitations", {"email": CAROL, "role": "viewer"})
    assert refused.json()["code"] == "not_allowed"


def test_who_has_no_account_makes_one_by_the_invitations_letter_alone(platform: Platform) -> None:
    token, browser = platform.staff_invite(ADA), Browser(platform.app)
    bearer = {"Authorization": f"Bearer {token}", **browser.headers}
    seen = browser.client.get("/v1/invitation", headers=bearer).json()
    assert (seen["email"], seen["role"], seen["invited_by"], seen["is_registered"]) == (
        *(ADA, "owner", None),
        False,
    )
    weak = browser.client.post("/v1/invitation/account", json={"password": "password1234"}, headers=bearer)
    assert weak.json()["code"] == "password_not_acceptable"
    made = browser.client.post("/v1/invitation/account", json={"password": PASSWORD}, headers=bearer)
    assert made.json() == {"email": ADA}
    again = browser.client.post("/v1/invitation/account", json={"password": PASSWORD}, headers=bearer)
    assert again.json()["code"] == "account_exists", "and its password stays what it is"
    assert browser.signs_in(ADA).is_success
    ada = Member(platform, browser, browser.get("me").json()["id"])
    assert ada.joins(token).is_success
    assert [each["name"] for each in ada.asks("GET", "/members").json()["data"]] == [ADA]
    actions = [each["action"] for each in ada.asks("GET", "/audit?limit=100").json()["data"]]
    assert actions[0] == "member.joined"


def test_a_key_takes_a_gift_reads_it_and_is_refused_once_revoked(platform: Platform) -> None:
    ada = platform.member(ADA)
    ada.joins(platform.staff_invite(ADA))
    scopes = ["donations:read", "donations:write"]
    made = ada.asks("POST", "/keys", {"name": "site", "scopes": scopes}).json()
    secret, gifts = made["secret"], f"/v1/organisations/{platform.organization_id}/gifts"
    given = platform.by_key(
        secret, "POST", "/v1/donations", json={**GIFT, "organization_id": platform.organization_id}
    )
    assert given.status_code == 201, given.text
    [seen] = platform.by_key(secret, "GET", gifts).json()["data"]
    assert (seen["id"], seen["amount"]) == (given.json()["id"], GIFT["amount"])
    assert ada.asks("GET", "/gifts").json()["data"] == [seen]
    assert ada.asks("DELETE", f"/keys/{made['id']}").is_success
    assert platform.by_key(secret, "GET", gifts).json()["code"] == "credential_not_valid"


def test_who_leaves_is_out_at_once(platform: Platform) -> None:
    ada, carol = platform.member(ADA), platform.member(CAROL)
    ada.joins(platform.staff_invite(ADA))
    carol.joins(ada.invites(CAROL, "viewer"))
    assert carol.asks("GET", "").is_success
    assert carol.asks("DELETE", "/membership").is_success
    assert carol.asks("GET", "").json()["code"] == "organization_not_found"
    assert carol.asks("GET", "/v1/me/organisations").json()["data"] == []


def test_the_last_owner_hands_over_before_they_are_forgotten(platform: Platform) -> None:
    ada, bob = platform.member(ADA), platform.member(BOB)
    ada.joins(platform.staff_invite(ADA))
    bob.joins(ada.invites(BOB, "finance"))
    refused = ada.browser.delete("me")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    assert ada.asks("GET", "").is_success, "nothing has changed"

    assert ada.asks("POST", "/ownership-offer", {"person_id": bob.id}).is_success
    assert bob.asks("POST", "/ownership-offer/accept").json()["role"] == "owner"
    assert ada.browser.delete("me").is_success
    assert platform.letter().to == ADA, "the last one"
    assert ada.asks("GET", "").status_code == 401
    assert Browser(platform.app).signs_in(ADA).json()["code"] == "sign_in_refused"
    [left] = bob.asks("GET", "/members").json()["data"]
    assert (left["person_id"], left["role"]) == (bob.id, "owner")


def test_of_who_is_forgotten_the_id_stays_and_no_address(platform: Platform) -> None:
    ada, bob = platform.member(ADA), platform.member(BOB)
    ada.joins(platform.staff_invite(ADA))
    bob.joins(ada.invites(BOB, "admin"))
    bob.invites(CAROL, "viewer")
    assert bob.browser.delete("me").is_success
    assert platform.letter().to == BOB
    done = ada.asks("GET", "/audit?limit=100").json()["data"]
    by_bob = [each["action"] for each in done if each["actor"]["id"] == bob.id]
    assert by_bob == ["member.left", "member.invited", "member.joined"], "the newest first"
    assert platform.rows("SELECT address_index, sealed_address FROM person WHERE erased_at IS NOT NULL") == [
        (None, None)
    ]
    assert platform.rows("SELECT id FROM member_invitation") == [], "nobody joins by their word"
    kept = [str(platform.rows(f"SELECT * FROM {table}")) for table in ("audit_record", "member", "outbox")]  # noqa: S608 -- this file's own words
    assert [BOB in each for each in kept] == [False, False, False]
