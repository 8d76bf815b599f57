"""An organisation with a member of every role, a second organisation, and the API, on a real database.

Who is signed in is told by a header: how people come to be is another matter, and tested where that is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi.testclient import TestClient
from sqlalchemy import text

from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints import application
from amply.infra.database import Database, forbid_transaction
from amply.infra.settings import CacheSettings
from amply.modules import (
    applications,
    federation,
    keys,
    mail,
    members,
    onboarding,
    people,
    recurring,
    scim,
    sharing,
    trials,
)
from amply.modules.access import Caller, PersonCaller, Role
from tests.backend.application_world import FakeShelf
from tests.backend.conftest import Databases
from tests.backend.export_shelf import FakeExports
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.intake_world import FakeIntake
from tests.backend.onboarding_world import KEY as INVITATIONS
from tests.backend.onboarding_world import FakeLinks
from tests.backend.people_world import KEY as ACCOUNTS
from tests.backend.people_world import people_parts
from tests.backend.plan_world import KEY as LINKS
from tests.backend.plan_world import FakeSavedMethods
from tests.backend.seller_data import FakeSellerData
from tests.backend.unit.test_stripe_signatures import SECRET
from tests.backend.world import (
    NOW,
    FakeClock,
    FakeMailer,
    FakeProcessor,
    NoLimit,
    open_gate,
    ready_organization,
)

KEY: Final = members.JoinKey(b"k" * 43)
PAGE: Final = "https://edge.example/join/"
PERSON, CONFIRMED = "x-test-person", "x-test-confirmed"


def inviting_work(database: Database, *, mailer: mail.Mailer | None = None) -> members.InvitationDependencies:
    """What the worker needs to write to those who are invited."""
    return members.InvitationDependencies(
        database=database, mailer=mailer or FakeMailer(), key=KEY, page=PAGE
    )


class HeaderCallers:
    """People by a header, who showed that it is them as many minutes ago as another one says."""

    def caller_of(
        self, *, headers: Mapping[str, str], cookies: Mapping[str, str], address: str, now: datetime
    ) -> Caller | None:
        person_id = headers.get(PERSON)
        if person_id is None:
            return None
        ago = timedelta(minutes=int(headers.get(CONFIRMED, "0")))
        return PersonCaller(
            person_id=person_id,
            session_id="ses_1",
            signed_in_at=now - timedelta(days=1),
            confirmed_at=now - ago,
        )


@dataclass
class FakePeople:
    """People with the addresses they have verified."""

    addresses: dict[str, str] = field(default_factory=dict)

    def verified_address(self, *, person_id: str) -> str | None:
        forbid_transaction("verified address")
        return self.addresses.get(person_id)

    def names(self, *, person_ids: Collection[str]) -> Mapping[str, str]:
        forbid_transaction("names")
        return {each: f"Name of {each}" for each in person_ids if each != "usr_viewer"}

    def is_registered(self, *, address: str) -> bool:
        return address in self.addresses.values()

    def register(
        self, *, address: str, password: str, language: mail.Language, network_address: str, now: datetime
    ) -> bool:
        del password, language, network_address, now
        if self.is_registered(address=address):
            return False
        self.addresses["usr_registered"] = address
        return True


@dataclass
class FakeRecords:
    """What the DNS would say, by name."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def texts(self, name: str) -> list[str]:
        forbid_transaction("texts")
        return self.found.get(name, [])


class House:
    """Two organisations, `usr_owner` to `usr_viewer` in the first, `usr_stranger` the second's owner.

    With a cache people have sessions too, besides the header.
    """

    def __init__(
        self, database: Database, databases: Databases, *, cache: CacheSettings | None = None
    ) -> None:
        self.database, self.databases = database, databases
        self.own, self.master = databases.as_role("amply_api"), databases.as_role("master")
        self.accounts = None if cache is None else people_parts(self.own, cache)
        self.processor, self.mailer, self.people = FakeProcessor(), FakeMailer(), FakePeople()
        self.records, self.exports, self.stall = FakeRecords(), FakeExports(), FakeSellerData()
        self.intake = FakeIntake()
        self.clock, self.limiter, self.shelf = FakeClock(), NoLimit(), FakeShelf()
        self.organization_id = ready_organization(database, self.processor)
        self.other_id = ready_organization(database, self.processor, slug="hill-trust")
        for role in Role:
            self.put(f"usr_{role}", role)
        self.put("usr_stranger", Role.OWNER, organization_id=self.other_id)
        self.parts = application.Parts(
            database=self.own,
            processor=self.processor,
            method_cloning=FakeMethodCloning(),
            verifier=StripeEventVerifier(SECRET),
            limiter=self.limiter,
            gate=open_gate(self.own),
            clock=self.clock,
            livemode=False,
            log_url="http://edge.example/log",
            allowed_origins=(),
            client_address_header="",
            plans=recurring.Dependencies(saved=FakeSavedMethods(), links=LINKS),
            invitations=onboarding.Dependencies(
                links=FakeLinks(), key=INVITATIONS, page="https://edge.example/onboarding/"
            ),
            membership=members.Dependencies(key=KEY, people=self.people),
            callers=(
                HeaderCallers(),
                keys.KeyCallers(database=self.own, livemode=False),
                *([people.SessionCallers(self.accounts)] if self.accounts else []),
            ),
            accounts=self.accounts,
            test_organizations=trials.Dependencies(
                people=self.people, processor_url="https://stripe.example"
            ),
            organization_sign_in=federation.Dependencies(
                key=ACCOUNTS, records=self.records, redirect="https://edge.example/account/"
            ),
            scim_directories=None
            if self.accounts is None
            else scim.Dependencies(
                database=self.own, key=ACCOUNTS, sessions=self.accounts.sessions, clock=self.clock
            ),
            organization_applications=applications.Dependencies(people=self.people, shelf=self.shelf),
            image_uploads=self.shelf,
            site_url="https://edge.example",
            export_store=self.exports,
            consents=sharing.Ticks(),
            seller_data=self.stall.parts(),
            intake=self.intake,
        )
        self.app = application.create(self.parts)
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.inviting = inviting_work(database, mailer=self.mailer)

    def close(self) -> None:
        self.own.close()
        self.master.close()

    def put(self, person_id: str, role: Role, *, organization_id: str | None = None) -> None:
        """As if they had joined by an invitation."""
        self.run(
            """
            INSERT INTO member (organization_id, person_id, role, joined_at)
            VALUES (:organization_id, :person_id, :role, :now)
            ON CONFLICT (organization_id, person_id) DO UPDATE SET role = :role
            """,
            organization_id=organization_id or self.organization_id,
            person_id=person_id,
            role=role,
            now=NOW,
        )

    def run(self, statement: str, **values: Any) -> None:
        """As the owner of the tables."""
        with self.master.transaction() as session:
            session.execute(text(statement), values)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.master.transaction() as session:
            return list(session.execute(text(statement), values))

    def ask(
        self,
        method: str,
        path: str,
        *,
        by: str | None = None,
        key: str | None = None,
        confirmed: int = 0,
        of: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Any:
        """A request about the first organisation, by a person or a key. A path that begins with `/v1` is taken as it is."""
        sent = {**(headers or {})}
        if by is not None:
            sent |= {PERSON: by, CONFIRMED: str(confirmed)}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        whole = path if path.startswith("/v1") else f"/v1/organisations/{of or self.organization_id}{path}"
        return self.client.request(method, whole, headers=sent, **more)

    def key(self, *scopes: str, name: str = "site", days: int | None = None) -> tuple[str, str]:
        """A key's id and secret."""
        body = {"name": name, "scopes": list(scopes), "lifetime_days": days}
        made = self.ask("POST", "/keys", by="usr_owner", json=body)
        assert made.status_code == 201, made.text
        return made.json()["id"], made.json()["secret"]

    def arrive(self) -> None:
        """Whatever was begun is paid."""
        self.run("UPDATE donation SET status = 'succeeded', entry_id = 'ent_' || id WHERE status = 'pending'")

    def token(self) -> str:
        """Of the newest letter."""
        (link,) = [
            line.strip() for line in self.mailer.sent[-1].text.splitlines() if line.strip().startswith(PAGE)
        ]
        return link.removeprefix(f"{PAGE}#")

    def send(self) -> int:
        return members.send_invitations(self.inviting, now=self.clock())
