"""Issues and sends receipts for any gifts."""

from datetime import datetime, timedelta
from typing import Any, Final

from amply.kernel.money import Money
from amply.modules import receipts, sharing, webhooks
from amply.modules.donations import (
    DataSharing,
    EventDependencies,
    ReceiptDependencies,
    handle_provider_event,
    keeps_event,
    send_due_receipts,
)
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.options import GiftOptions
from amply.modules.donations.service import donate
from tests.backend.committed.test_donate import Desk
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.ledger_world import LedgerWorld
from tests.backend.unit.receipt_samples import settings
from tests.backend.world import NOW, FakeMailer

ADA: Final = Donor(name="Ada", email="ada@example.org")


class ReceiptOffice(Desk):
    """An organisation, its donors, and their letters."""

    def __init__(self, world: LedgerWorld) -> None:
        super().__init__(world.app)
        self.world = world
        self.mailer = FakeMailer()
        self.sending = ReceiptDependencies(
            database=world.app,
            mailer=self.mailer,
            secrets=SECRETS,
            ledger_page="https://edge.example/ledger/",
        )

    def issues_in(self, jurisdiction: receipts.Jurisdiction, **changes: Any) -> receipts.ReceiptSettings:
        said = settings(jurisdiction, organization_id=self.organization_id, **changes)
        with self.database.transaction() as session:
            return receipts.save_settings(session, settings=said, now=NOW)

    def gives(
        self,
        minor_units: int = 2500,
        currency: str = "EUR",
        *,
        donor: Donor = ADA,
        at: datetime = NOW,
        options: GiftOptions = GiftOptions(),  # noqa: B008 -- it cannot change
        data_sharing: DataSharing | None = None,
        **for_receipt: Any,
    ) -> str:
        """A gift that has arrived at `at`; its id."""
        number = len(self.processor.intents)
        amount = Money(minor_units=minor_units, currency=currency)
        gift = Gift(
            organization_id=self.organization_id,
            amount=amount,
            donor=donor,
            message=None,
            for_receipt=receipts.DonorFacts(**for_receipt),
            options=options,
            data_sharing=data_sharing,
        )
        answer = donate(
            self.database,
            self.processor,
            gift=gift,
            key=f"key-{number}",
            request={"number": str(number)},
            clock=self.clock,
            consents=sharing.Ticks(),
        )
        donation_id: str = answer.body["id"]
        self._arrives(donation_id, number, amount, at=at)
        return donation_id

    def _arrives(self, donation_id: str, number: int, amount: Money, *, at: datetime) -> None:
        (payment,) = (row for row in self.rows("payment") if row.donation_id == donation_id)
        self.processor.gross, self.processor.fee = amount, None
        event = webhooks.ProviderEvent(
            id=f"evt_of_{donation_id}",
            type="payment_intent.succeeded",
            account_id=payment.account_id,
            livemode=False,
            occurred_at=at,
            object={"id": f"pi_{number}", "metadata": {"amply_payment_id": payment.id}},
        )
        with self.database.transaction() as session:
            webhooks.ingest(session, event=event, livemode=False, keeps=keeps_event, now=NOW)
        handling = EventDependencies(database=self.database, processor=self.processor, secrets=SECRETS)
        handle_provider_event(handling, event_id=event.id, now=self.clock())

    def make_public(self) -> None:
        self.world.sequence()
        assert self.world.publish() is not None

    def send(self, *, later: timedelta = timedelta()) -> int:
        return send_due_receipts(self.sending, now=NOW + later)

    def publish_and_send(self) -> None:
        self.make_public()
        self.send()

    def waiting(self, donation_id: str) -> Any:
        (row,) = (row for row in self.rows("receipt") if row.donation_id == donation_id)
        return row

    def issued(self) -> list[Any]:
        return sorted(self.rows("issued_receipt"), key=lambda row: (row.jurisdiction, row.serial))
