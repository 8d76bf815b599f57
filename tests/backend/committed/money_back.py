"""A succeeded gift, and a processor that refunds or disputes it."""

from typing import Any

from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import donations, ledger, payments, webhooks
from amply.modules.donations import queries
from amply.modules.ledger.chart import CHART
from tests.backend.committed.test_provider_events import SECRETS, Books

COVER = 63
INTENT, REFUND, DISPUTE, WARNING = "pi_0", "re_1", "dp_1", "issfr_1"


class Returns(Books):
    """Books whose gift of 25.00 EUR in all succeeded; `tell_…` of the processor, then `news` of it.

    With `covered` 0.63 EUR of it is for the fee.
    """

    def __init__(self, database: Database, *, arrives: bool = True, covered: bool = False) -> None:
        super().__init__(database)
        if covered:
            self.give(minor_units=2500 - COVER, fee_cover=COVER)
        else:
            self.give()
        self._events = 0
        if arrives:
            self.succeed("evt_gift")

    @property
    def refunding(self) -> donations.RefundDependencies:
        return donations.RefundDependencies(
            database=self.database, processor=self.processor, secrets=SECRETS, clock=self.clock
        )

    @property
    def donation_id(self) -> str:
        (gift,) = self.rows("donation")
        found: str = gift.id
        return found

    def store(self, event_type: str, *, object_id: str | None = None) -> str:
        """An event of this type about the gift, stored; returns its id."""
        self._events += 1
        event_id = f"evt_return_{self._events}"
        self.deliver(event_id, event_type, object=thing(event_type, object_id))
        return event_id

    def news(self, event_type: str, *, object_id: str | None = None) -> webhooks.Outcome | None:
        """An event of this type about the gift comes and is handled."""
        return self.handle(self.store(event_type, object_id=object_id))

    def refund(self, amount: str | None = None) -> donations.Refunded:
        return donations.refund(
            self.refunding,
            donation_id=self.donation_id,
            amount=amount,
            reason=payments.RefundReason.REQUESTED_BY_DONOR,
        )

    def balance(self, code: str) -> ledger.Balance:
        (gift,) = self.rows("donation")
        with self.database.transaction() as session:
            return ledger.standing_balance(
                session, account=ledger.account(gift.organization_id, code), currency="EUR"
            )

    def balances(self) -> dict[str, int]:
        """All accounts that hold something, and what is reserved on the processor's balance."""
        found = {code: self.balance(code).minor_units for code in CHART}
        held = {code: amount for code, amount in found.items() if amount}
        balance = self.balance("processor_balance")
        reserved = balance.minor_units - balance.available_minor_units
        return held | ({"reserved": reserved} if reserved else {})

    def shown(self) -> tuple[str, int]:
        """What the API shows: the gift's standing, and what was refunded."""
        donation_id = self.donation_id
        with self.database.transaction() as session:
            found = queries.get(session, donation_id=donation_id)
        return found.standing, found.refunded.minor_units

    def run(self, statement: str) -> None:
        with self.database.transaction() as session:
            session.execute(text(statement))

    def entries(self) -> list[Any]:
        with self.database.transaction() as session:
            return list(session.execute(text("SELECT id, kind, reverses, reason FROM entry ORDER BY number")))

    def entry(self, kind: str) -> Any:
        (found,) = [entry for entry in self.entries() if entry.kind == kind]
        return found


def thing(event_type: str, object_id: str | None = None) -> dict[str, Any]:
    """The object of an event about the gift, as much of it as is kept."""
    if event_type == "charge.refunded":
        return {"object": "charge", "id": "ch_0", "payment_intent": INTENT}
    if event_type.startswith("charge.dispute."):
        return {"object": "dispute", "id": object_id or DISPUTE, "payment_intent": INTENT, "charge": "ch_0"}
    if event_type.startswith("radar."):
        return {"object": "radar.early_fraud_warning", "id": object_id or WARNING, "payment_intent": INTENT}
    return {"object": "refund", "id": object_id or REFUND, "payment_intent": INTENT, "charge": "ch_0"}
