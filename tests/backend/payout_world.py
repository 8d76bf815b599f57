"""In-memory payouts and events of a processor, an organisation with gifts, and its ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from sqlalchemy import text

from amply.infra.database import Database, forbid_transaction
from amply.kernel.money import Money
from amply.modules import ledger, payouts, webhooks
from amply.modules.donations import keeps_event
from tests.backend.committed.test_provider_events import SECRETS, Books
from tests.backend.ledger_world import ORIGIN
from tests.backend.world import NOW

PAYOUT = "po_1"
RECONCILED = "payout.reconciliation_completed"


def euros(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


def payout(**changes: Any) -> payouts.Payout:
    """An automatic payout of 24.37 EUR that was just made."""
    return replace(
        payouts.Payout(
            id=PAYOUT,
            amount=euros(2437),
            status=payouts.PayoutStatus.PENDING,
            is_automatic=True,
            is_itemised=True,
            created_at=NOW,
            arrives_on=date(2026, 11, 24),
            bank_reference=None,
            failure_code=None,
        ),
        **changes,
    )


def transaction(**changes: Any) -> payouts.Transaction:
    """The first gift's: 25.00 EUR less a fee of 0.63."""
    return replace(
        payouts.Transaction(
            id="txn_gift",
            category="charge",
            gross=euros(2500),
            fee=euros(63),
            application_fee=euros(0),
            source_id="ch_0",
            intent_id="pi_0",
            payment_id=None,
            is_exchanged=False,
            occurred_at=NOW,
        ),
        **changes,
    )


def of_payout(
    *, name: str = "txn_payout", category: str = "payout", minor_units: int = -2437
) -> payouts.Transaction:
    """The payout's own transaction."""
    return transaction(
        id=name, category=category, gross=euros(minor_units), fee=euros(0), source_id=PAYOUT, intent_id=None
    )


@dataclass
class FakePayouts:
    """A processor that tells of one payout, of transactions newest first, and of a balance; in pages of `page`.

    `platform` holds the transactions of the platform's own account.
    """

    told: payouts.Payout = field(default_factory=payout)
    items: list[payouts.Transaction] = field(default_factory=list)
    transactions: list[payouts.Transaction] = field(default_factory=list)
    platform: list[payouts.Transaction] = field(default_factory=list)
    balances: list[Mapping[str, int]] = field(default_factory=list)
    page: int = 100
    asked: int = 0
    fails: list[BaseException] = field(default_factory=list)

    def payout(self, *, payout_id: str, account_id: str | None) -> payouts.Payout:
        forbid_transaction("payout")
        if self.fails:
            raise self.fails.pop(0)
        self.asked += 1
        return replace(self.told, id=payout_id)

    def transactions_of(
        self, *, payout_id: str, account_id: str | None, older_than: str | None
    ) -> payouts.TransactionPage:
        forbid_transaction("transactions of payout")
        return self._page(self.items, older_than)

    def transactions_between(
        self, *, account_id: str | None, since: datetime, until: datetime, older_than: str | None
    ) -> payouts.TransactionPage:
        forbid_transaction("transactions")
        listed = self.platform if account_id is None else self.transactions
        return self._page([each for each in listed if since <= each.occurred_at < until], older_than)

    def balance(self, *, account_id: str | None) -> Mapping[str, int]:
        """What was put into `balances`, in turn, the last of them for ever; without any what the transactions come to."""
        forbid_transaction("balance")
        if self.balances and account_id is not None:
            return self.balances.pop(0) if len(self.balances) > 1 else self.balances[0]
        held: dict[str, int] = {}
        for each in self.platform if account_id is None else self.transactions:
            held[each.gross.currency] = held.get(each.gross.currency, 0) + each.net
        return held

    def _page(self, found: Sequence[payouts.Transaction], older_than: str | None) -> payouts.TransactionPage:
        ids = [each.id for each in found]
        start = 0 if older_than is None else ids.index(older_than) + 1
        page = found[start : start + self.page]
        more = start + self.page < len(found)
        return payouts.TransactionPage(items=page, older_than=page[-1].id if more else None)


@dataclass
class FakeEvents:
    """A provider's list of events, newest first, in pages of `page`; `refuses` holds the accounts it does not know."""

    listed: dict[str | None, list[webhooks.ProviderEvent]] = field(default_factory=dict)
    refuses: dict[str | None, Exception] = field(default_factory=dict)
    asked: list[str | None] = field(default_factory=list)
    page: int = 100
    objects: dict[str, Mapping[str, Any] | Exception] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def events_between(
        self, *, account_id: str | None, since: datetime, until: datetime, older_than: str | None
    ) -> webhooks.EventPage:
        forbid_transaction("events")
        self.asked.append(account_id)
        if account_id in self.refuses:
            raise self.refuses[account_id]
        found = [each for each in self.listed.get(account_id, []) if since <= each.occurred_at < until]
        ids = [each.id for each in found]
        start = 0 if older_than is None else ids.index(older_than) + 1
        page = found[start : start + self.page]
        more = start + self.page < len(found)
        return webhooks.EventPage(items=page, older_than=page[-1].id if more else None)

    def about(self, event: webhooks.ProviderEvent) -> Mapping[str, Any]:
        forbid_transaction("about")
        self.fetched.append(str(event.fetch))
        found = self.objects[str(event.fetch)]
        if isinstance(found, Exception):
            raise found
        return found


class Treasury(Books):
    """An organisation with one gift of 25.00 EUR, whose payouts are followed. `sequencer`: who writes the log."""

    sequencer: Database | None = None

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.give()
        self.remote = FakePayouts()
        self.handling = payouts.PayoutDependencies(database=database, processor=self.remote, secrets=SECRETS)
        self._events = count()

    @property
    def account_id(self) -> str:
        (payment,) = self.rows("payment")
        account_id: str = payment.account_id
        return account_id

    def tell(self, event_type: str, status: payouts.PayoutStatus | None = None, **changes: Any) -> str:
        """The processor's payout is in this state, and an event says so; returns the event's id."""
        if status is not None:
            self.remote.told = replace(self.remote.told, status=status, **changes)
        event_id = f"evt_payout_{next(self._events)}"
        self.deliver(event_id, event_type, object={"id": PAYOUT, "object": "payout"})
        return event_id

    def follow(self, event_id: str) -> webhooks.Outcome | None:
        return payouts.handle_provider_event(self.handling, event_id=event_id, now=self.clock())

    def hear(
        self, event_type: str, status: payouts.PayoutStatus | None = None, **changes: Any
    ) -> webhooks.Outcome | None:
        return self.follow(self.tell(event_type, status, **changes))

    def sequence(self) -> None:
        """Everything that was booked gets its place in the log."""
        assert self.sequencer is not None, "the test's fixtures give it one"
        while ledger.Sequencer(origin=ORIGIN).step(self.sequencer, now=NOW):
            pass

    def close(self) -> list[payouts.BalanceComparison] | None:
        return payouts.close_books(
            self.handling, owner=self.organization_id, account_id=self.account_id, now=self.clock()
        )

    def balance(self, code: str, currency: str = "EUR") -> int:
        """What an account holds this moment, minor units."""
        with self.database.transaction() as session:
            return ledger.standing_balance(
                session, account=ledger.account(self.organization_id, code), currency=currency
            ).minor_units

    def payout_kinds(self) -> list[str]:
        """The steps of payouts in the books, in their order."""
        with self.database.transaction() as session:
            return list(
                session.scalars(
                    text("SELECT kind FROM entry WHERE kind LIKE 'payout.%' ORDER BY xid, number")
                )
            )

    def movements(self) -> dict[str, tuple[str, str | None]]:
        """State and reason of each movement, by what it is."""
        return {f"{row.category}.{row.part}": (row.state, row.reason) for row in self.rows("movement")}

    def gaps(self, source: FakeEvents) -> webhooks.MissedEventDependencies:
        return webhooks.MissedEventDependencies(
            database=self.database, source=source, livemode=False, keeps=keeps_event
        )


def moment(day: int) -> datetime:
    return datetime(2026, 11, day, 9, 0, tzinfo=UTC)


def one_gift_paid_out(database: Database) -> Treasury:
    """A gift that arrived, and the payout that carries it to the bank."""
    made = Treasury(database)
    made.succeed()
    made.remote.items = [of_payout(), transaction()]
    made.remote.transactions = list(made.remote.items)
    return made


REFUND = transaction(id="txn_refund", category="refund", gross=euros(-500), fee=euros(0), source_id="re_1")


def refund(treasury: Treasury, minor_units: int = 500) -> None:
    """Book the refund as modules/donations names it."""
    entry = ledger.NewEntry(
        kind=ledger.Kind.DONATION_REFUNDED,
        organization_id=treasury.organization_id,
        idempotency_key="stripe:refund:re_1:donation.refunded",
        transfers=ledger.postings.refund(organization_id=treasury.organization_id, amount=euros(minor_units)),
        event_at=NOW,
        reference=None,
    )
    with treasury.database.transaction() as session:
        ledger.post(session, entry=entry, now=NOW, secrets=SECRETS)
