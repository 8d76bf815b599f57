"""An integrator's way in a sandbox over HTTP, alone: an account, a test organisation, and the three commands of `/integrate/`.

The commands are those that the page shows, run by a shell; Stripe is its stand-in, which opens the test account and charges the
test card; the receipt is verified with the log's key alone.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints.member_directory import MemberDirectory
from amply.infra.settings import CacheSettings
from amply.kernel.clock import system_clock
from amply.modules import donations, onboarding, trials
from amply_verify.cli import cli
from tests.backend.conftest import Databases
from tests.backend.contract.test_processor import stripe_at
from tests.backend.ledger_world import LedgerWorld
from tests.backend.onboarding_world import KEY, PAGE
from tests.backend.people_world import (
    ADA,
    EDGE,
    Browser,
    PeopleWorld,
    application_with,
    emptied,
    people_parts,
)
from tests.backend.served import serving_api
from tests.backend.world import FakeMailer
from tests.browser.pages_code import run_in_node
from tests.ports import listener
from tests.stripe_sandbox.running import (
    WEBHOOK_SECRET,
    Endpoint,
    Sandbox,
    receiving,
    running,
    settings_in,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

COMMANDS = ("src/integrate/commands.ts",)


@dataclass
class Place:
    """A sandbox: the API at `url`, Stripe's stand-in, and the worker's turns in between."""

    url: str
    people: PeopleWorld
    books: LedgerWorld
    stripe: Sandbox
    endpoint: Endpoint

    def opens_accounts(self) -> None:
        """The worker's turn."""
        work = onboarding.OnboardingTaskDependencies(
            database=self.books.app,
            processor=stripe_at(self.stripe.url),
            mailer=self.people.mailer,
            key=KEY,
            page=PAGE,
        )
        assert onboarding.send_invitations(work, now=system_clock()) == 1

    def books_gifts(self) -> None:
        """Stripe's signed event, the worker's and the log's turns."""
        handling = donations.EventDependencies(
            database=self.books.app, processor=stripe_at(self.stripe.url), secrets=self.books.secrets
        )
        event_id = self.hears("payment_intent.succeeded")
        donations.handle_provider_event(handling, event_id=event_id, now=system_clock())
        self.books.sequence()
        self.books.publish()

    def hears(self, kind: str) -> str:
        """The next webhook of this type, put through to the API; its id."""
        webhook = self.endpoint.take_type(kind)
        headers = {"Stripe-Signature": webhook.signature, "Content-Type": "application/json"}
        taken = httpx2.post(f"{self.url}/v1/webhooks/stripe", content=webhook.payload, headers=headers)
        assert taken.status_code == 202, taken.text
        return str(webhook.event["id"])


@pytest.fixture
def place(
    books: LedgerWorld, databases: Databases, people_cache: CacheSettings, tmp_path: Path
) -> Iterator[Place]:
    own, opened, listening = databases.as_role("amply_api"), emptied(people_cache), listener()
    accounts = people_parts(own, people_cache)
    with receiving() as endpoint:
        settings = settings_in(tmp_path, endpoint)
        with running(settings) as stripe:
            parts: dict[str, Any] = {
                "processor": stripe_at(stripe.url),
                "verifier": StripeEventVerifier(WEBHOOK_SECRET),
                "test_organizations": trials.Dependencies(
                    people=MemberDirectory(accounts), processor_url=stripe.url
                ),
                "client_address_header": "",
            }
            app = application_with(own, accounts, system_clock, **parts)
            people = PeopleWorld(
                app=app,
                own=own,
                worker=books.app,
                parts=accounts,
                cache=opened,
                settings=people_cache,
                clock=system_clock,  # type: ignore[arg-type] # Stripe's stand-in lives in the present
                mailer=FakeMailer(),
            )
            with serving_api(app, listening):
                url = f"http://127.0.0.1:{listening.getsockname()[1]}"
                yield Place(url, people, books, stripe, endpoint)
    opened.close()
    own.close()


def test_an_integrator_takes_a_verified_test_gift_without_talking_to_anyone(
    place: Place, tmp_path: Path
) -> None:
    browser: Browser = place.people.member(ADA)
    made = browser.client.post(
        "/v1/me/test-organisations", json={"name": "Relief of Ada"}, headers={"Origin": EDGE}
    )
    assert made.status_code == 201, made.text
    told = made.json()
    place.opens_accounts()
    ready = httpx2.get(f"{place.url}/v1/public/organisations/{told['organization_id']}/takes-gifts")
    assert ready.json()["takes_gifts"] is True

    trial = {
        "apiUrl": place.url,
        "processorUrl": told["processor_url"],
        "organizationId": told["organization_id"],
        "secret": told["key"]["secret"],
    }
    give, pay, look = run_in_node(COMMANDS, "(trial) => module.commandsOf(trial)", trial)
    _shell(give, tmp_path)
    assert json.loads(_shell(pay, tmp_path))["status"] == "succeeded"
    place.books_gifts()
    seen = json.loads(_shell(look, tmp_path))
    assert seen["status"] == "succeeded"
    assert seen["ledger"]["checkpoint_size"] > seen["ledger"]["index"]

    with place.books.app.transaction() as session:
        entry_id = session.scalar(text("SELECT entry_id FROM donation"))
    receipt, key = tmp_path / "receipt", tmp_path / "key"
    receipt.write_text(place.books.receipt(str(entry_id)) or "")
    key.write_text(str(place.books.verifier))
    assert CliRunner().invoke(cli, ["receipt", str(receipt), "--key", str(key)], env={}).exit_code == 0


def _shell(command: str, folder: Path) -> str:
    """What it prints, as somebody pastes it into a shell."""
    ran = subprocess.run(
        ["bash", "-ceu", command], cwd=folder, check=False, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
