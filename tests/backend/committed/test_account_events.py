"""How organisations' accounts stand: told by events in any order, asked for, and looked after when nobody tells."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
import structlog

from amply.infra.database import Database
from amply.modules import onboarding, organizations, payments, webhooks
from tests.backend.committed.test_donate import Desk
from tests.backend.committed.test_provider_events import Books
from tests.backend.onboarding_world import deliver, onboarding_work
from tests.backend.world import NOW, FakeProcessor

DEAUTHORIZED, AUTHORIZED = "account.application.deauthorized", "account.application.authorized"
CHANGED = "v2.core.account[configuration.merchant].capability_status_updated"


class Accounts(Desk):
    """A desk whose organisation's account is followed."""

    def __init__(self, database: Database, processor: FakeProcessor | None = None) -> None:
        super().__init__(database)
        if processor is not None:
            self.processor = processor
        self.work = onboarding_work(database, processor=self.processor)
        self.account_id: str = self.row().account_id

    def row(self) -> Any:
        (row,) = self.rows("processor_account")
        return row

    def hear(self, event_id: str, event_type: str) -> webhooks.Outcome | None:
        deliver(self.database, event_id, event_type, account_id=self.account_id)
        return self.handle(event_id)

    def handle(self, event_id: str) -> webhooks.Outcome | None:
        return onboarding.handle_provider_event(self.work.handling, event_id=event_id, now=self.clock())

    def shut_out(self) -> None:
        self.processor.shut_out_of.add(self.account_id)

    def let_in(self) -> None:
        self.processor.shut_out_of.discard(self.account_id)

    def organization(self) -> organizations.Organization:
        with self.database.transaction() as session:
            return organizations.get(session, organization_id=self.organization_id)

    def look(self, **later: float) -> int:
        self.clock.advance(**later)
        return onboarding.look_at_accounts(self.work, now=self.clock())

    def told_donors(self) -> str | None:
        with self.database.transaction() as session:
            return payments.readiness_of(session, organization_id=self.organization_id).for_donors


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


@pytest.mark.parametrize("event_type", sorted(webhooks.ACCOUNT_TYPES))
def test_whichever_event_tells_of_an_account_the_processor_is_asked(
    accounts: Accounts, event_type: str
) -> None:
    accounts.processor.tell_account(accounts.account_id, "restricted", "requirements_past_due")
    assert accounts.hear("evt_1", event_type) == webhooks.Outcome.APPLIED
    assert (accounts.row().status, accounts.row().reason) == ("restricted", "requirements_past_due")
    with pytest.raises(payments.OrganizationNotReady, match="cannot take gifts at the moment"):
        accounts.give()

    accounts.processor.tell_account(accounts.account_id, "active")
    assert accounts.hear("evt_2", event_type) == webhooks.Outcome.APPLIED
    assert accounts.hear("evt_3", event_type) == webhooks.Outcome.NO_CHANGE
    assert accounts.handle("evt_2") is None, "handled once"
    accounts.give()


@pytest.mark.parametrize("order", list(permutations(("evt_out", "evt_in", "evt_changed"))))
def test_in_whatever_order_events_come_the_account_stands_as_it_does(
    accounts: Accounts, order: tuple[str, ...]
) -> None:
    kinds = {"evt_out": DEAUTHORIZED, "evt_in": AUTHORIZED, "evt_changed": CHANGED}
    for event_id, kind in kinds.items():
        deliver(accounts.database, event_id, kind, account_id=accounts.account_id)
    for event_id in order:
        accounts.handle(event_id)
    assert accounts.row().status == "active", "it was let in again before anybody asked"


def test_who_is_shut_out_takes_no_gifts_until_let_in_again(accounts: Accounts) -> None:
    accounts.shut_out()
    accounts.hear("evt_1", DEAUTHORIZED)
    assert accounts.row().status == "disconnected"
    assert accounts.told_donors() == (
        "This organisation takes no gifts here any more; ask it for another way to give."
    )
    with pytest.raises(payments.OrganizationNotReady, match="takes no gifts here any more"):
        accounts.give()

    accounts.let_in()
    accounts.hear("evt_2", AUTHORIZED)
    assert (accounts.row().status, accounts.row().unreachable_since) == ("active", None)
    accounts.give()


def test_a_closed_account_is_closed_for_good(accounts: Accounts) -> None:
    accounts.processor.tell_account(accounts.account_id, "closed")
    accounts.hear("evt_1", "v2.core.account.closed")
    assert accounts.row().status == "closed"
    assert accounts.look(days=1) == 0, "nobody looks at it any more"


def test_out_of_reach_without_an_event_is_disconnected_after_a_day(accounts: Accounts) -> None:
    """A key of ours that is wrong looks the same, and must not send every organisation away."""
    accounts.shut_out()
    assert accounts.look(hours=6) == 0
    accounts.hear("evt_1", CHANGED)
    assert accounts.row().status == "active"
    assert accounts.look(hours=23) == 0
    assert accounts.look(hours=6) == 1
    assert accounts.row().status == "disconnected"
    accounts.let_in()
    assert accounts.look(hours=6) == 1
    assert accounts.row().status == "active"


def test_what_no_event_told_is_found_by_looking(accounts: Accounts) -> None:
    accounts.processor.tell_account(accounts.account_id, "pending", "determining_status")
    assert accounts.look() == 0, "it was looked at when it was opened"
    assert accounts.look(hours=6) == 1
    accounts.processor.tell_account(accounts.account_id, "active")
    assert accounts.look(minutes=4) == 0
    assert accounts.look(minutes=1) == 1, "an undecided one is looked at every few minutes"


def test_one_that_nobody_answers_for_holds_back_no_other(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: str) -> payments.Account:
        raise payments.ProcessorUnavailable("Nobody answers.")

    monkeypatch.setattr(accounts.processor, "account", away)
    assert accounts.look(hours=6) == 0
    assert accounts.row().checked_at == accounts.clock()
    assert accounts.row().status == "active"


def test_an_event_of_nobody_we_know_changes_nothing(accounts: Accounts) -> None:
    deliver(accounts.database, "evt_1", CHANGED, account_id="acct_of_somebody")
    assert accounts.handle("evt_1") == webhooks.Outcome.NOT_OURS
    deliver(accounts.database, "evt_2", "account.updated", account_id=None)
    assert accounts.handle("evt_2") == webhooks.Outcome.NOT_OURS


class Overtaken(FakeProcessor):
    """While it answers, somebody else learns something of the account."""

    meanwhile: Callable[[], object] | None = None

    def account(self, *, account_id: str) -> payments.Account:
        answer = super().account(account_id=account_id)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return answer


def test_an_answer_that_was_overtaken_is_asked_for_again(database: Database) -> None:
    processor = Overtaken()
    accounts = Accounts(database, processor)
    deliver(database, "evt_1", CHANGED, account_id=accounts.account_id)
    deliver(database, "evt_2", CHANGED, account_id=accounts.account_id)

    def restricted_meanwhile() -> None:
        processor.tell_account(accounts.account_id, "restricted")
        accounts.handle("evt_2")

    processor.meanwhile = restricted_meanwhile
    assert accounts.handle("evt_1") == webhooks.Outcome.NO_CHANGE
    assert accounts.row().status == "restricted", "the older answer said active"


def test_ten_workers_with_ten_events_end_where_the_processor_stands(accounts: Accounts) -> None:
    accounts.processor.tell_account(accounts.account_id, "restricted", "requirements_past_due")
    ids = [f"evt_{number}" for number in range(10)]
    for event_id in ids:
        deliver(accounts.database, event_id, CHANGED, account_id=accounts.account_id)

    def handled(event_id: str) -> None:
        for _ in range(10):
            try:
                accounts.handle(event_id)
            except payments.AnswerOutdated:
                continue
            return

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(handled, ids))
    assert accounts.row().status == "restricted"
    outcomes = sorted(row.outcome for row in accounts.rows("provider_event"))
    assert outcomes == ["applied", *["no_change"] * 9]


def test_money_in_flight_is_booked_though_we_are_shut_out(database: Database) -> None:
    books = Books(database)
    books.give()
    (payment,) = books.rows("payment")
    books.processor.shut_out_of.add(payment.account_id)

    assert books.succeed() == webhooks.Outcome.APPLIED
    assert books.kinds() == ["donation.succeeded"], "the fee is not invented"
    assert books.donation_status() == "succeeded"

    books.deliver("evt_2", "charge.updated", object=books.charge())
    with pytest.raises(payments.AccountUnreachable):
        books.handle("evt_2")
    books.processor.shut_out_of.clear()
    books.handle("evt_2")
    assert books.kinds() == ["donation.succeeded", "processor.fee"], "once we are let in again"


def test_a_left_account_is_remembered_when_another_takes_its_place(accounts: Accounts) -> None:
    accounts.give()
    accounts.processor.tell_account(accounts.account_id, "closed")
    accounts.hear("evt_1", "v2.core.account.closed")
    organization = accounts.organization()

    def reopened() -> payments.Account:
        return payments.connect_organization(
            accounts.database,
            accounts.processor,
            organization=organization,
            email="a@example.org",
            reopens=True,
            now=NOW,
        )

    again = reopened()
    assert (again.id, again.status) == (f"{accounts.account_id}_1", "active")
    assert reopened() == again
    (former,) = accounts.rows("former_account")
    assert former.account_id == accounts.account_id
    with accounts.database.transaction() as session:
        for account_id in (accounts.account_id, again.id):
            owner = payments.owner_of_account(session, account_id=account_id)
            assert owner == accounts.organization_id
        assert payments.has_left(
            session, organization_id=accounts.organization_id, account_id=accounts.account_id
        )
    assert accounts.hear("evt_2", AUTHORIZED) == webhooks.Outcome.NOT_OURS, "the old one comes back too late"


def test_operators_refresh_and_never_replace(accounts: Accounts) -> None:
    accounts.processor.tell_account(accounts.account_id, "closed")
    organization = accounts.organization()
    with structlog.testing.capture_logs() as lines:
        found = payments.connect_organization(
            accounts.database, accounts.processor, organization=organization, email="a@example.org", now=NOW
        )
    assert (found.id, accounts.row().status) == (accounts.account_id, "closed")
    assert lines == [], "a command's output is read by programs"
