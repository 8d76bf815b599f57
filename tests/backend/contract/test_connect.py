"""Organisations' accounts and thin events at Stripe's API as the sandbox speaks it, with its webhooks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from amply.adapters.stripe import StripeAccountLinks
from amply.infra.database import Database, ExternalCallInTransaction
from amply.kernel.clock import system_clock
from amply.modules import onboarding, payments, webhooks
from stripe_sandbox.settings import Settings
from tests.backend.contract.test_money_back import ENDS, Life
from tests.backend.contract.test_processor import settings_at, stripe_at
from tests.backend.onboarding_world import KEY, PAGE
from tests.backend.world import FakeMailer
from tests.stripe_sandbox.running import (
    Endpoint,
    Sandbox,
    receiving,
    running,
    settings_in,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
CAPABILITY = "v2.core.account[configuration.merchant].capability_status_updated"
Running = tuple[Sandbox, Endpoint]


def settings_of(tmp_path: Path, endpoint: Endpoint) -> Settings:
    return settings_in(tmp_path, endpoint)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    with receiving() as endpoint, running(settings_of(tmp_path, endpoint)) as sandbox:
        yield sandbox, endpoint


@pytest.fixture
def thin(tmp_path: Path) -> Iterator[Running]:
    with receiving() as endpoint:
        settings = replace(settings_of(tmp_path, endpoint), webhook_payload="thin")
        with running(settings) as sandbox:
            yield sandbox, endpoint


class Connected(Life):
    """A life whose account's events are handled as well."""

    @property
    def onboarding(self) -> onboarding.OnboardingTaskDependencies:
        return onboarding.OnboardingTaskDependencies(
            database=self.database, processor=self.processor, mailer=FakeMailer(), key=KEY, page=PAGE
        )

    def hear(self, *types: str) -> None:
        """Wait for events about the account, and handle them."""
        self.receive(*types)
        for event_id in self.waiting:
            onboarding.handle_provider_event(self.onboarding.handling, event_id=event_id, now=system_clock())
        self.waiting = []

    def status(self) -> payments.Readiness:
        with self.database.transaction() as session:
            return payments.readiness_of(session, organization_id=self.organization_id)


@pytest.mark.parametrize(
    ("decided", "reason"),
    [
        ("active", None),
        ("pending", "determining_status"),
        ("restricted", "requirements_past_due"),
        ("rejected", "rejected_other"),
        ("unsupported", "unsupported_business"),
    ],
)
def test_an_account_stands_as_the_processor_decides(
    decided: str, reason: str | None, sandbox: Running
) -> None:
    processor = stripe_at(sandbox[0].url)
    opened = processor.create_account(
        organization_id="org_1", name="River Trust", country="DE", email="t@river.example"
    )
    sandbox[0].hook(f"accounts/{opened.id}/card_payments", {"status": decided})

    found = processor.account(account_id=opened.id)
    assert (found.status.value, found.reason) == (decided, reason)


def test_each_account_in_turn_has_its_own_number(sandbox: Running) -> None:
    processor = stripe_at(sandbox[0].url)

    def opened(number: int) -> str:
        return processor.create_account(
            organization_id="org_1", name="River", country="DE", email="t@river.example", number=number
        ).id

    assert (opened(0), opened(1)) == (opened(0), opened(1))
    assert opened(0) != opened(1)


def test_who_is_shut_out_is_told_from_who_asks_for_nonsense(sandbox: Running) -> None:
    processor = stripe_at(sandbox[0].url)
    account_id = processor.create_account(
        organization_id="org_1", name="River Trust", country="DE", email="t@river.example"
    ).id
    with pytest.raises(payments.ProcessorRefused) as refused:
        processor.cancel_intent(remote_id="pi_unknown", account_id=account_id)
    assert not isinstance(refused.value, payments.AccountUnreachable)

    sandbox[0].hook(f"accounts/{account_id}/disconnect")
    with pytest.raises(payments.AccountUnreachable):
        processor.account(account_id=account_id)
    with pytest.raises(payments.AccountUnreachable):
        processor.refunds(remote_id="pi_unknown", account_id=account_id)
    with pytest.raises(payments.AccountUnreachable):
        processor.account(account_id="acct_unknown")


def test_a_link_leads_through_onboarding_and_back_once(database: Database, sandbox: Running) -> None:
    life = Connected(database, *sandbox)
    life.hook(f"accounts/{life.account_id}/card_payments", {"status": "restricted"})
    life.hear("account.updated", CAPABILITY)
    assert "answer what is left" in (life.status().for_staff or "")
    links = StripeAccountLinks(settings_at(life.sandbox.url))

    def link() -> payments.OnboardingLink:
        return links.onboarding(
            account_id=life.account_id, again_url=f"{PAGE}?again", back_url=f"{PAGE}?back"
        )

    made = link()
    assert made.expires_at - system_clock() <= timedelta(minutes=10)
    assert made.url not in repr(made)
    path = made.url.removeprefix(life.sandbox.settings.public_url)
    visits = [life.sandbox.http.get(path, follow_redirects=False).headers["location"] for _ in range(2)]
    assert visits == [f"{PAGE}?back", f"{PAGE}?again"]
    life.hear("account.updated", CAPABILITY)
    assert life.status().takes_gifts

    with pytest.raises(ExternalCallInTransaction), database.transaction():
        link()
    life.hook(f"accounts/{life.account_id}/disconnect")
    with pytest.raises(payments.AccountUnreachable):
        link()


def test_a_gift_on_its_way_is_booked_though_the_organisation_leaves_and_the_rest_when_it_is_back(
    database: Database, sandbox: Running
) -> None:
    life = Connected(database, *sandbox)
    life.give()
    life.receive("payment_intent.succeeded", "charge.updated")
    told, life.waiting = life.waiting, []
    life.hook(f"accounts/{life.account_id}/disconnect")
    life.hear("account.application.deauthorized")
    assert life.status().status is payments.AccountStatus.DISCONNECTED

    life.waiting = [each for each in told if _kind(life, each) == "payment_intent.succeeded"]
    life.handle_all()
    assert life.balances() == {"gifts": 2500, "processor_balance": 2500}
    life.waiting = [each for each in told if _kind(life, each) != "payment_intent.succeeded"]
    with pytest.raises(payments.AccountUnreachable):
        life.handle_all()

    life.hook(f"accounts/{life.account_id}/reconnect")
    kept, life.waiting = life.waiting, []
    life.hear("account.application.authorized")
    assert life.status().takes_gifts
    life.waiting = kept
    life.handle_all()
    assert life.balances() == {"gifts": 2500, "processor_balance": 2437, "processor_fees": 63}
    assert life.balances()["processor_balance"] == life.balance_at_processor()


def test_a_closed_account_is_told_by_v2s_own_event(database: Database, sandbox: Running) -> None:
    life = Connected(database, *sandbox)
    life.hook(f"accounts/{life.account_id}/close")
    life.hear("v2.core.account.closed")
    assert life.status().status is payments.AccountStatus.CLOSED


def test_from_thin_events_alone_the_books_end_as_from_snapshots(database: Database, thin: Running) -> None:
    """A life with refund, failed refund and dispute: nothing but references arrive."""
    life = Life(database, *thin)
    life.give()
    life.receive("payment_intent.succeeded", "charge.updated")
    life.handle_all()
    life.refund("10.00")
    life.receive("refund.created", "charge.refunded")
    fallen = life.hook(f"charges/{life.charge_id}/refund", {"amount": 700})
    life.receive("refund.created", "charge.refunded")
    life.hook(f"refunds/{fallen['id']}/fail")
    life.receive("refund.failed", "refund.updated", "charge.refund.updated")
    life.hook(f"charges/{life.charge_id}/refund", {"amount": 500})
    life.receive("refund.created", "charge.refunded")
    dispute = life.hook(f"charges/{life.charge_id}/dispute")
    life.receive("charge.dispute.created", "charge.dispute.funds_withdrawn")
    life.handle_some()
    life.hook(f"disputes/{dispute['id']}/conclude", {"verdict": "losing_evidence"})
    life.receive("charge.dispute.closed")
    life.handle_all()

    balances, shown, _ = ENDS["losing_evidence"]
    assert life.balances() == balances
    assert life.shown() == shown
    assert life.balances()["processor_balance"] == life.balance_at_processor()


def test_what_both_destinations_tell_is_stored_once(database: Database, thin: Running) -> None:
    life = Life(database, *thin)
    life.give()
    life.receive("payment_intent.succeeded", "charge.updated")
    with database.transaction() as session:
        before = {event_id: webhooks.type_of(session, event_id=event_id) for event_id in life.waiting}
    for event_id, kind in before.items():
        snapshot = life.sandbox.client().v1.events.retrieve(event_id, {}, life.options)
        assert snapshot.type == kind, "the thin event has its snapshot's name here"
    gaps = webhooks.MissedEventDependencies(
        database=database, source=life.source, livemode=False, keeps=lambda _session, _event: False
    )
    found = webhooks.find_missed(gaps, account_id=life.account_id, now=system_clock() + timedelta(minutes=11))
    assert found.missed == 0, "the list holds nothing that a thin event had not brought"


def _kind(life: Life, event_id: str) -> str | None:
    with life.database.transaction() as session:
        return webhooks.type_of(session, event_id=event_id)
