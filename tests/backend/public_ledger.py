"""A published ledger with entries of several kinds and days, and an outside reader."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient

from amply.entrypoints import application
from amply.kernel.money import Money
from amply.modules import ledger
from ledger_format.merkle import leaf_hash
from tests.backend.conftest import Databases
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.ledger_world import NOW, ORG, LedgerWorld
from tests.backend.world import FakeClock, FakeProcessor, NoLimit, open_gate

LEDGER = f"/v1/public/organisations/{ORG}/ledger"


class PublicLedger:
    """A ledger with entries of several kinds and days, and a stranger who reads it with no more rights than the API."""

    def __init__(self, books: LedgerWorld, databases: Databases) -> None:
        self.books = books
        self.clock = FakeClock()
        self.limiter = NoLimit()
        self.own = databases.as_role("amply_api")
        app = application.create(
            application.Parts(
                database=self.own,
                processor=FakeProcessor(),
                method_cloning=FakeMethodCloning(),
                verifier=None,
                limiter=self.limiter,
                gate=open_gate(self.own),
                clock=self.clock,
                livemode=False,
                log_url="http://edge.example/log",
                allowed_origins=("http://edge.example",),
                client_address_header="X-Amply-Client",
            )
        )
        self.client = TestClient(app, raise_server_exceptions=False)

    def post(
        self, *, minor_units: int = 2_500, days_ago: int = 0, kind: str = "donation.succeeded", org: str = ORG
    ) -> str:
        amount = Money(minor_units=minor_units, currency="EUR")
        moved = ledger.processor_fee if kind == "processor.fee" else ledger.donation_succeeded
        entry = replace(
            self.books.entry(organization_id=org, minor_units=minor_units),
            kind=kind,
            transfers=moved(organization_id=org, amount=amount),
            event_at=NOW - timedelta(days=days_ago),
            reference=None,
        )
        with self.books.app.transaction() as session:
            return ledger.post(session, entry=entry, now=NOW, secrets=self.books.secrets).id

    def publish(self) -> None:
        self.books.sequence()
        self.books.publish()
        ledger.fold_days(self.books.app)

    def show(self, policy: ledger.VisibilityPolicy) -> None:
        with self.books.app.transaction() as session:
            ledger.set_visibility(session, organization_id=ORG, policy=policy, now=NOW)

    def get(self, path: str = "", **query: Any) -> Any:
        return self.client.get(
            f"{LEDGER}{path}", params={name.rstrip("_"): value for name, value in query.items()}
        )

    def every_page(self, **query: Any) -> list[dict[str, Any]]:
        """All entries by following cursors, which must end."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        for _ in range(1_000):
            page = self.get(**query, **cursor).json()
            found += page["data"]
            assert page["has_more"] == (page["next_cursor"] is not None)
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}
        raise AssertionError("the pages did not end")


FULL = ledger.VisibilityPolicy(visibility=ledger.Visibility.FULL)
SUMS = ledger.VisibilityPolicy(visibility=ledger.Visibility.AGGREGATED, minimum=3)
WEEK_LATE = ledger.VisibilityPolicy(visibility=ledger.Visibility.DELAYED, delay_days=7)
HIDDEN = ledger.VisibilityPolicy(visibility=ledger.Visibility.INTERNAL)


def ledger_hash(leaf: bytes) -> str:
    return leaf_hash(leaf).hex()
