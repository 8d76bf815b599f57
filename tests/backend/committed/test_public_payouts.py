"""What a stranger sees of payouts: only what can be checked against the log, and as much as an organisation shows."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from amply.entrypoints import application
from amply.modules import ledger
from amply.modules.payouts import PayoutStatus
from ledger_format.entries import decode
from tests.backend.conftest import Databases
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.ledger_world import LedgerWorld
from tests.backend.payout_world import PAYOUT, Treasury, euros, of_payout, payout, transaction
from tests.backend.public_ledger import FULL, HIDDEN, SUMS, WEEK_LATE
from tests.backend.world import NOW, FakeClock, FakeProcessor, NoLimit, open_gate

RECONCILED = "payout.reconciliation_completed"
SHOP = transaction(id="txn_shop", intent_id="pi_shop", source_id="ch_shop", gross=euros(900), fee=euros(40))


class Stranger:
    """Reads an organisation's payouts with no more rights than the API."""

    def __init__(self, books: LedgerWorld, databases: Databases) -> None:
        self.books = books
        self.treasury = Treasury(books.app)
        self.treasury.succeed()
        self.treasury.remote.items = [of_payout(), transaction()]
        self.clock = FakeClock()
        self.own = databases.as_role("amply_api")
        self.client = TestClient(
            application.create(
                application.Parts(
                    database=self.own,
                    processor=FakeProcessor(),
                    method_cloning=FakeMethodCloning(),
                    verifier=None,
                    limiter=NoLimit(),
                    gate=open_gate(self.own),
                    clock=self.clock,
                    livemode=False,
                    log_url="http://edge.example/log",
                    allowed_origins=(),
                    client_address_header="",
                )
            ),
            raise_server_exceptions=False,
        )

    def publish(self) -> None:
        self.books.sequence()
        self.books.publish()

    def get(self, path: str = "", **query: Any) -> Any:
        organization_id = self.treasury.organization_id
        return self.client.get(f"/v1/public/organisations/{organization_id}/payouts{path}", params=query)

    def show(self, policy: ledger.VisibilityPolicy) -> None:
        with self.books.app.transaction() as session:
            ledger.set_visibility(
                session, organization_id=self.treasury.organization_id, policy=policy, now=NOW
            )


@pytest.fixture
def stranger(books: LedgerWorld, databases: Databases) -> Any:
    made = Stranger(books, databases)
    with made.client:
        yield made
    made.own.close()


def test_a_statement_can_be_computed_again_from_the_log(stranger: Stranger) -> None:
    """All that docs/books.md tells a stranger to do, with the log's own bytes."""
    stranger.treasury.hear(RECONCILED, PayoutStatus.PAID)
    stranger.publish()
    statement = stranger.get(f"/{PAYOUT}").json()

    log = [decode(leaf) for leaf in stranger.books.leaves()]
    assert statement["published_size"] == len(log)
    balance = f"{statement['organization_id']}/processor_balance"
    for item in statement["data"]:
        entry = log[item["index"]]
        moved = sum(
            transfer.amount_minor if transfer.debit == balance else -transfer.amount_minor
            for transfer in entry.transfers
            if balance in (transfer.debit, transfer.credit)
        )
        assert (entry.id, str(moved)) == (item["entry_id"], item["amount"])
    steps = {step["kind"]: log[step["index"]] for step in statement["payout"]["steps"]}
    assert set(steps) == {"payout.created", "payout.paid"}
    for entry in steps.values():
        assert entry.ref == statement["payout"]["reference"]
        assert [str(transfer.amount_minor) for transfer in entry.transfers] == [statement["payout"]["amount"]]
    assert sum(int(item["amount"]) for item in statement["data"]) == int(statement["payout"]["amount"])


def test_items_are_added_up_by_what_they_are(stranger: Stranger) -> None:
    stranger.treasury.remote.items.append(SHOP)
    stranger.treasury.hear(RECONCILED, PayoutStatus.PAID, amount=euros(2437 + 860))
    stranger.publish()
    statement = stranger.get(f"/{PAYOUT}").json()

    assert statement["sums"] == [
        {"item": "fee", "items": 1, "amount": "-63"},
        {"item": "gift", "items": 1, "amount": "2500"},
        {"item": "other", "items": 2, "amount": "860"},
    ]
    assert statement["total"] == statement["payout"]["amount"] == "3297"
    outside = [item for item in statement["data"] if item["state"] == "outside"]
    assert [item["entry_id"] for item in outside] == [None, None], "said, and not hidden in a sum"


def test_nothing_is_said_of_the_bank_or_of_a_payment(stranger: Stranger) -> None:
    stranger.treasury.hear(RECONCILED, PayoutStatus.PAID, bank_reference="TRACE7", failure_code="no_account")
    stranger.publish()
    said = stranger.get().text + stranger.get(f"/{PAYOUT}").text
    for word in ("TRACE7", "no_account", "pi_0", "ch_0", "txn_", "sha256:", "acct_"):
        assert word not in said


def test_what_no_checkpoint_covers_is_not_shown(stranger: Stranger) -> None:
    stranger.treasury.hear(RECONCILED, PayoutStatus.PAID)
    assert stranger.get().json()["data"] == []
    assert stranger.get(f"/{PAYOUT}").json()["code"] == "payout_not_shown"

    stranger.publish()
    assert [each["id"] for each in stranger.get().json()["data"]] == [PAYOUT]
    assert stranger.get(f"/{PAYOUT}").headers["cache-control"] == "public, max-age=60"


def test_a_payout_whose_items_are_not_known_is_shown_without_them(stranger: Stranger) -> None:
    stranger.treasury.hear("payout.created")
    stranger.publish()
    statement = stranger.get(f"/{PAYOUT}").json()
    assert (statement["payout"]["reconciled"], statement["data"], statement["total"]) == (False, [], "0")


def test_payouts_come_in_pages_newest_first(stranger: Stranger) -> None:
    for number in range(5):
        event_id = f"evt_po_{number}"
        made = {"id": f"po_{number}", "object": "payout"}
        stranger.treasury.remote.told = payout(created_at=NOW + timedelta(minutes=number // 2))
        stranger.treasury.deliver(event_id, "payout.created", object=made)
        stranger.treasury.follow(event_id)
    stranger.publish()

    found = list[str]()
    cursor = dict[str, str]()
    for _ in range(10):
        page = stranger.get(limit=2, **cursor).json()
        found += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == ["po_4", "po_3", "po_2", "po_1", "po_0"]


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (HIDDEN, "ledger_not_shown"),
        (SUMS, "ledger_shown_in_sums"),
        (WEEK_LATE, "payout_not_shown"),
        (FULL, None),
    ],
)
def test_an_organisation_shows_payouts_as_it_shows_entries(
    policy: ledger.VisibilityPolicy, code: str | None, stranger: Stranger
) -> None:
    stranger.treasury.hear(RECONCILED, PayoutStatus.PAID)
    stranger.publish()
    stranger.show(policy)
    stranger.clock.advance(days=6)
    assert stranger.get(f"/{PAYOUT}").json().get("code") == code
    listed = stranger.get()
    assert listed.json().get("code") == (None if policy is WEEK_LATE else code)
    if policy is WEEK_LATE:
        assert listed.json()["data"] == []
        stranger.clock.advance(days=2)
        assert stranger.get(f"/{PAYOUT}").status_code == 200


@pytest.mark.parametrize("payout_id", ["po_unknown", PAYOUT])
def test_another_organisations_payout_is_not_found(payout_id: str, stranger: Stranger) -> None:
    stranger.treasury.hear(RECONCILED, PayoutStatus.PAID)
    with stranger.books.app.transaction() as session:
        session.execute(text("UPDATE payout SET owner = 'org_' || repeat('9', 26)"))
    stranger.publish()
    assert stranger.get(f"/{payout_id}").json()["code"] == "payout_not_shown"


@pytest.mark.parametrize("payout_id", ["PO_1", "po_1;drop", "po_" + "x" * 200])
def test_what_is_no_payouts_id_is_refused(payout_id: str, stranger: Stranger) -> None:
    assert stranger.get(f"/{payout_id}").status_code == 422
