"""An organisation with its own identity provider and name server, its people's browsers, and the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import text

from amply.adapters.dns import DnsRecords
from amply.adapters.oidc import OidcClient
from amply.entrypoints import application
from amply.infra.database import Database
from amply.modules import federation, members, people, scim
from tests.backend.conftest import Databases
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.identity_provider import CLIENT, CLIENT_SECRET, IdentityProvider, identity_provider
from tests.backend.member_world import KEY as JOINING
from tests.backend.member_world import FakePeople
from tests.backend.name_server import NameServer, name_server
from tests.backend.people_world import EDGE, Browser, PeopleWorld, people_parts
from tests.backend.world import FakeProcessor, NoLimit, open_gate, ready_organization

DOMAIN: Final = "river.example"
OWNER: Final = "owner@river.example"
REDIRECT: Final = f"{EDGE}/account/"
_PUT: Final = text("""
    INSERT INTO member (organization_id, person_id, role, joined_at)
    VALUES (:organization_id, :person_id, :role, :now)
""")


@dataclass
class FederationWorld:
    """`people` as everywhere; `owner` is signed in by a password."""

    people: PeopleWorld
    provider: IdentityProvider
    names: NameServer
    master: Database
    organization_id: str
    checking: federation.DomainCheckDependencies
    owner: Browser = None  # type: ignore[assignment] # there once the world stands

    def ask(self, browser: Browser, method: str, path: str = "", body: Any = None, **headers: str) -> Any:
        """A request about the organisation."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return browser.client.request(
            method,
            f"/v1/organisations/{self.organization_id}{path}",
            headers={**browser.headers, **named},
            json=body,
        )

    def put(self, browser: Browser, role: str, *, organization_id: str | None = None) -> str:
        """Make who is signed in a member, as if by an invitation; their id."""
        person_id = str(browser.get("me").json()["id"])
        with self.master.transaction() as session:
            session.execute(
                _PUT,
                {
                    "organization_id": organization_id or self.organization_id,
                    "person_id": person_id,
                    "role": role,
                    "now": self.people.clock(),
                },
            )
        return person_id

    def set_up(self, **changes: Any) -> Any:
        """The organisation's sign-in, by its owner."""
        body = {
            "issuer": self.provider.issuer,
            "client_id": CLIENT,
            "client_secret": CLIENT_SECRET,
            "default_role": "viewer",
            "group_roles": {"Treasurers": "finance", "Runners": "admin"},
            **changes,
        }
        return self.ask(self.owner, "POST", "/sign-in", body)

    def show_domain(self, domain: str = DOMAIN) -> Any:
        """Claim it, put the record where it belongs, and have it looked at."""
        claimed = self.ask(self.owner, "POST", "/sign-in/domains", {"domain": domain})
        assert claimed.status_code == 201, claimed.text
        self.names.texts[claimed.json()["record_name"]] = ["v=spf1 -all", claimed.json()["record_text"]]
        return self.ask(self.owner, "POST", f"/sign-in/domains/{domain}/check")

    def comes(self, name: str = "ada", *groups: str, browser: Browser | None = None) -> tuple[Browser, Any]:
        """Somebody of the organisation signs in by its provider."""
        browser = browser or self.people.browser()
        self.provider.person = {
            "sub": f"id-of-{name}",
            "email": f"{name}@{DOMAIN}",
            **({"groups": list(groups)} if groups else {}),
        }
        found = browser.post("outside/find", {"email": f"{name}@{DOMAIN}"}).json()
        begun = browser.post("outside", {"provider": found["provider"]})
        assert begun.is_success, begun.text
        return browser, browser.post("outside/finish", self.provider.signs_in(begun.json()["url"]))

    def role_of(self, name: str) -> str | None:
        """What the owner sees somebody is."""
        with self.master.transaction() as session:
            found = session.execute(
                text(
                    "SELECT role FROM member WHERE organization_id = :organization_id AND person_id = :name"
                ),
                {"organization_id": self.organization_id, "name": name},
            ).scalar_one_or_none()
        return None if found is None else str(found)

    def recorded(self) -> list[str]:
        """What the audit log says was done."""
        with self.master.transaction() as session:
            said = session.execute(
                text("SELECT content::jsonb ->> 'action' FROM audit_record ORDER BY id")
            ).scalars()
            return list(said)


def _signing_in(world: PeopleWorld, federated: federation.FederatedSignIn) -> people.OidcSignIn:
    return people.OidcSignIn(
        client=federated.client,
        redirect=REDIRECT,
        connection=partial(federation.connection_of, world.own, world.parts.key),
        arrived=federated.arrived,
    )


@contextmanager
def federation_world(
    world: PeopleWorld, database: Database, databases: Databases
) -> Iterator[FederationWorld]:
    """Around the world of people: the organisation has an owner, and nothing of a sign-in yet."""
    organization_id = ready_organization(database, FakeProcessor())
    master = databases.as_role("master")
    with identity_provider(world.clock) as provider, name_server() as names:
        client = OidcClient(allows_loopback=True)
        federated = federation.FederatedSignIn(
            database=world.own, key=world.parts.key, client=client, directory=scim.Listing(world.parts.key)
        )
        oidc_sign_in = _signing_in(world, federated)
        accounts = people_parts(
            world.own,
            world.settings,
            before_session=partial(federation.require_provider, world.parts.key),
            oidc_sign_in=oidc_sign_in,
        )
        records = DnsRecords(names.resolver)
        world.parts = accounts
        world.beside = {
            "organization_sign_in": federation.Dependencies(
                key=accounts.key, records=records, redirect=REDIRECT, allows_loopback=True
            ),
            "role_renewal": federated,
            "scim_directories": scim.Dependencies(
                database=world.own, key=accounts.key, sessions=accounts.sessions, clock=world.clock
            ),
        }
        world.app = application.create(
            application.Parts(
                database=world.own,
                processor=FakeProcessor(),
                method_cloning=FakeMethodCloning(),
                verifier=None,
                limiter=NoLimit(),
                gate=open_gate(world.own),
                clock=world.clock,
                livemode=False,
                log_url="http://edge.example/log",
                allowed_origins=(EDGE,),
                client_address_header="X-Amply-Client",
                accounts=accounts,
                membership=members.Dependencies(key=JOINING, people=FakePeople()),
                callers=(people.SessionCallers(accounts),),
                **world.beside,
            )
        )
        made = FederationWorld(
            people=world,
            provider=provider,
            names=names,
            master=master,
            organization_id=organization_id,
            checking=federation.DomainCheckDependencies(database=world.worker, records=records),
        )
        made.owner = world.member(OWNER)
        made.put(made.owner, "owner")
        yield made
    master.close()
