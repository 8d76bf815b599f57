"""People's pages in a real browser with a virtual authenticator, against the real API, database and cache."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from amply.entrypoints.member_directory import MemberDirectory, people_leaving
from amply.infra.database import Database
from amply.modules import mail, members, people, trials
from tests.backend.conftest import Databases
from tests.backend.member_world import KEY, PAGE, inviting_work
from tests.backend.people_world import PASSWORD, PeopleWorld, application_with
from tests.backend.served import serving_api
from tests.backend.world import FakeProcessor, ready_organization
from tests.browser.axe import assert_accessible
from tests.browser.loopback import serving
from tests.browser.pressing import presses
from tests.browser.site_server import Site
from tests.ports import listener

_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class Place:
    """The `site` at `edge`; its people are in `world`, their browser in `page`, and an organisation that staff invite into."""

    edge: str
    site: Site
    world: PeopleWorld
    page: Page
    operator: Database
    organization_id: str

    def goes(self, path: str) -> None:
        """To a page of the site, as if by a letter: not from another place on the same one."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.edge}{path}")

    def comes_by_letter(self, step: str) -> None:
        """By the link of the letter that was written last."""
        self.goes(f"/account/?{step}#{self.world.link()}")

    def fills(self, **values: str) -> None:
        for name, value in values.items():
            self.page.locator(f"#{name.replace('_', '-')}").fill(value)

    def clicks(self, name: str) -> None:
        presses(self.page.get_by_role("button", name=name, exact=True))

    def signs_in(self, email: str, password: str = PASSWORD) -> None:
        self.fills(email=email, password=password)
        self.clicks("Sign in")
        self.page.get_by_text(f"You are signed in as {email}.").wait_for()

    def invited(self, email: str) -> str:
        """By staff, as an owner; the token of the letter."""
        with self.operator.transaction() as session:
            members.invite_owner(
                session,
                organization_id=self.organization_id,
                email=email,
                language=mail.Language.EN,
                now=self.world.clock(),
            )
        letters = inviting_work(self.world.worker, mailer=self.world.mailer)
        members.send_invitations(letters, now=self.world.clock())
        (written,), self.world.mailer.sent = self.world.mailer.sent, []
        (line,) = [each.strip() for each in written.text.splitlines() if PAGE in each]
        return line.removeprefix(f"{PAGE}#")

    def is_for_everybody(self) -> None:
        assert_accessible(self.page)


@pytest.fixture
def place(
    database: Database, world: PeopleWorld, databases: Databases, browser: Browser, dist: Path
) -> Iterator[Place]:
    listening = listener()
    organization_id = ready_organization(database, FakeProcessor())
    # A page for passkeys has a name: addresses of numbers are nobody's domain.
    site = Site(folder=dist, api=f"http://localhost:{listening.getsockname()[1]}")
    with serving(site) as origin:
        edge = origin.replace("127.0.0.1", "localhost")
        parts = replace(world.parts, site=people.Site.of(edge), before_leaving=people_leaving)
        if parts.oidc_sign_in is not None:
            parts = replace(parts, oidc_sign_in=replace(parts.oidc_sign_in, redirect=f"{edge}/account/"))
        membership = members.Dependencies(key=KEY, people=MemberDirectory(parts))
        test_organizations = trials.Dependencies(
            people=MemberDirectory(parts), processor_url="https://stripe.example"
        )
        beside = dict(world.beside)
        if "organization_sign_in" in beside:
            beside["organization_sign_in"] = replace(
                beside["organization_sign_in"], redirect=f"{edge}/account/"
            )
        app = application_with(
            world.own,
            parts,
            world.clock,
            **{
                "origins": (edge,),
                "membership": membership,
                "test_organizations": test_organizations,
                "site_url": edge,
                **beside,
            },
        )
        operator = databases.as_role("amply_operator")
        options: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
        with serving_api(app, listening), browser.new_context(locale="en-GB", **options) as context:
            page = context.new_page()
            tools = context.new_cdp_session(page)
            tools.send("WebAuthn.enable")
            tools.send("WebAuthn.addVirtualAuthenticator", {"options": _DEVICE})
            yield Place(
                edge=edge,
                site=site,
                world=world,
                page=page,
                operator=operator,
                organization_id=organization_id,
            )
        operator.close()
