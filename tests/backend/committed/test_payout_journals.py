"""All journals of an organisation together are what its accounts moved, whatever happened; and none changes later."""

import csv
import io
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import organizations, payouts, webhooks
from amply.modules.donations import keeps_event
from amply.modules.donations.options import GiftOptions
from amply.modules.payouts import PayoutStatus, ReportFormat
from tests.backend.committed.each_example import database_of_its_own
from tests.backend.committed.money_back import COVER
from tests.backend.committed.test_provider_events import SECRETS, Books
from tests.backend.conftest import Server
from tests.backend.ledger_world import LedgerWorld
from tests.backend.payout_world import RECONCILED, FakePayouts, euros, of_payout, payout, transaction
from tests.backend.world import NOW
from tests.hypothesis_profiles import examples

DIVIDED: Final = ("gifts", "fee_cover", "dispute_hold", "exchange_fees")
"""Accounts, or those whose parts, that what was exchanged is divided among."""

Fact = tuple[str, int, int]
"""What happens, to which gift, and how much of it in percent."""
FACTS: Final = st.tuples(
    st.sampled_from(
        (
            *("gift", "gift", "gift_in_dollars", "gift_in_dollars", "refund", "refund_that_fails", "dispute"),
            *("lost", "won", "own_fee", "shop", "payout", "payout", "payout_that_fails"),
        )
    ),
    st.integers(0, 9),
    st.integers(1, 100),
)


class Gift:
    """A gift of 25.00, what of it has not gone back, and how its dispute stands."""

    def __init__(self, intent: str, currency: str, rate: int) -> None:
        self.intent, self.currency, self.rate = intent, currency, rate
        self.left, self.dispute, self.held, self.is_lost = 2500, "", 0, False
        self.movements: list[tuple[int, int]] = []

    @property
    def is_exchanged(self) -> bool:
        return self.currency != "EUR"


class Charity(Books):
    """An organisation whose account holds euro, two funds, and everything that happens to its money."""

    def __init__(self, database: Database, world: LedgerWorld) -> None:
        super().__init__(database)
        self.world = world
        self.remote = FakePayouts()
        self.handling = payouts.PayoutDependencies(database=database, processor=self.remote, secrets=SECRETS)
        self.gifts: list[Gift] = []
        self.waiting: list[payouts.Transaction] = []
        self.paid: list[str] = []
        self.number = 0
        with database.transaction() as session:
            made = [
                organizations.create_fund(
                    session,
                    organization_id=self.organization_id,
                    name=name,
                    kind=organizations.FundKind.FUND,
                    now=NOW,
                )
                for name in ("Roof", "Wells")
            ]
        self.funds = [None, *(fund.id for fund in made)]

    # ---- what happens ------------------------------------------------------------------------------------------

    def happen(self, fact: Fact) -> None:
        what, which, share = fact
        if what.startswith("gift"):
            self.receive(fund=self.funds[which % 3], covered=share % 2 == 0, in_dollars=what != "gift")
        elif what.startswith("payout"):
            self.pay_out(fails=what != "payout")
        elif what == "own_fee":
            self.moves("fee", gross=euros(-share), source_id=None, intent_id=None)
        elif what == "shop":
            self.moves("charge", gross=euros(900), fee=euros(40), intent_id="pi_shop", source_id="ch_shop")
        elif self.gifts:
            getattr(self, what)(self.gifts[which % len(self.gifts)], share)

    def receive(self, *, fund: str | None, covered: bool, in_dollars: bool) -> None:
        number = len(self.gifts)
        gift = Gift(f"pi_{number}", "USD" if in_dollars else "EUR", 90 + number)
        self.processor.gross = Money(minor_units=2500, currency=gift.currency)
        self.processor.fee = None if in_dollars else euros(63)
        self.give(
            key=f"key-{number}",
            minor_units=2500 - COVER if covered else 2500,
            fee_cover=COVER if covered else 0,
            options=GiftOptions(fund_id=fund),
        )
        self.gifts.append(gift)
        self.hear(gift, "payment_intent.succeeded", "payment_intent", gift.intent)
        self.moves_of(gift, "charge", 2500, fee=63, source_id=f"ch_{number}")

    def refund(self, gift: Gift, share: int) -> str | None:
        amount = max(1, gift.left * share // 100)
        if gift.left == 0 or gift.dispute:
            return None
        name = self.name("re")
        self.processor.tell_refund(gift.intent, name, minor_units=amount, currency=gift.currency)
        self.hear(gift, "refund.created", "refund", name)
        self.moves_of(gift, "refund", -amount, source_id=name)
        gift.left -= amount
        return name

    def refund_that_fails(self, gift: Gift, share: int) -> None:
        before = gift.left
        name = self.refund(gift, share)
        if name is None:
            return
        amount = before - gift.left
        self.processor.tell_refund(
            gift.intent, name, minor_units=amount, currency=gift.currency, status="failed"
        )
        self.hear(gift, "refund.failed", "refund", name)
        self.moves_of(gift, "refund_failure", amount, source_id=name)
        gift.left = before

    def dispute(self, gift: Gift, _: int) -> None:
        if not gift.dispute and gift.left:
            gift.held = gift.left
            gift.dispute = f"dp_{gift.intent}"
            self.dispute_moves(gift, -gift.held, fee=1500, status="needs_response")

    def lost(self, gift: Gift, share: int) -> None:
        self.dispute(gift, share)
        if gift.dispute and gift.held and not gift.is_lost:
            self.tell(gift, "lost")
            gift.is_lost = True

    def won(self, gift: Gift, share: int) -> None:
        """After it was lost, too."""
        self.dispute(gift, share)
        if gift.dispute and gift.held:
            self.dispute_moves(gift, gift.held, fee=0, status="won")
            gift.held = 0

    def dispute_moves(self, gift: Gift, amount: int, *, fee: int, status: str) -> None:
        name = f"txn_{gift.dispute}_{len(gift.movements)}"
        gift.movements.append((amount, 0 if gift.is_exchanged else fee))
        self.tell(gift, status)
        category = "dispute" if amount < 0 else "dispute_reversal"
        self.moves_of(gift, category, amount, fee=fee, source_id=gift.dispute, id=name)

    def tell(self, gift: Gift, status: str) -> None:
        self.processor.tell_dispute(
            gift.intent, gift.dispute, *gift.movements, status=status, currency=gift.currency
        )
        self.hear(gift, "charge.dispute.updated", "dispute", gift.dispute)

    # ---- at the processor --------------------------------------------------------------------------------------

    def name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}_{self.number}"

    def hear(self, gift: Gift, event_type: str, thing: str, name: str) -> None:
        (payment,) = (row for row in self.rows("payment") if row.remote_id == gift.intent)
        about = {"object": thing, "id": name, "payment_intent": gift.intent}
        self.follow(event_type, payment.account_id, about)

    def follow(self, event_type: str, account_id: str, about: dict[str, Any]) -> None:
        event = webhooks.ProviderEvent(
            id=self.name("evt"),
            type=event_type,
            account_id=account_id,
            livemode=False,
            occurred_at=NOW,
            object=about,
        )
        with self.database.transaction() as session:
            webhooks.ingest(session, event=event, livemode=False, keeps=keeps_event, now=NOW)
        if event_type.startswith("payout."):
            payouts.handle_provider_event(self.handling, event_id=event.id, now=NOW)
        else:
            assert self.handle(event.id) == webhooks.Outcome.APPLIED, (event_type, about)

    def moves(self, category: str, **said: Any) -> None:
        plain = {"id": self.name("txn"), "fee": euros(0)}
        self.waiting.append(transaction(**{"category": category, **plain, **said}))

    def moves_of(self, gift: Gift, category: str, amount: int, *, fee: int = 0, **said: Any) -> None:
        """A donor's dollars are worth another number of cents each time."""
        self.number += 1
        worth = amount * (gift.rate + self.number % 7) // 100 or 1 if gift.is_exchanged else amount
        self.moves(
            category,
            gross=euros(worth),
            fee=euros(fee),
            intent_id=gift.intent,
            is_exchanged=gift.is_exchanged,
            source_amount=Money(minor_units=abs(amount), currency=gift.currency),
            **said,
        )

    def pay_out(self, *, fails: bool = False) -> None:
        total = sum(each.net for each in self.waiting)
        if total == 0:
            return
        name = self.name("po")
        own = replace(of_payout(name=self.name("txn"), minor_units=-total), source_id=name)
        self.remote.items = [own, *reversed(self.waiting)]
        self.waiting = []
        self.remote.told = payout(amount=euros(total), status=PayoutStatus.PAID)
        self.follow(RECONCILED, self.account_id, {"object": "payout", "id": name})
        self.paid.append(name)
        if fails:
            self.remote.told = replace(self.remote.told, status=PayoutStatus.FAILED)
            self.follow("payout.failed", self.account_id, {"object": "payout", "id": name})
            back = of_payout(name=self.name("txn"), category="payout_reversal", minor_units=total)
            self.waiting.append(replace(back, source_id=name))

    @property
    def account_id(self) -> str:
        (account,) = self.rows("processor_account")
        found: str = account.account_id
        return found

    # ---- what is written and what is booked --------------------------------------------------------------------

    def journal(self, payout_id: str) -> dict[str, int]:
        """Minor units by account; it comes to nothing."""
        with self.database.transaction() as session:
            written = payouts.report(session, payout_id=payout_id, file_format=ReportFormat.JOURNAL)
        found: dict[str, int] = defaultdict(int)
        for line in csv.DictReader(io.StringIO(written, newline="")):
            found[line["*AccountCode"]] += int(Decimal(line["*Amount"]) * 100)
        assert sum(found.values()) == 0
        return found

    def journals(self) -> dict[str, dict[str, int]]:
        while self.world.sequence():
            pass
        return {payout_id: self.journal(payout_id) for payout_id in self.paid}

    def books(self, currency: str) -> dict[str, int]:
        """What each account moved in all, debits positive."""
        with self.database.transaction() as session:
            rows = session.execute(
                text("""
                    SELECT debit, credit, amount_minor FROM transfer
                    WHERE currency = :currency AND (phase IS NULL OR phase = 'post')
                """),
                {"currency": currency},
            ).all()
        found: dict[str, int] = defaultdict(int)
        for row in rows:
            found[row.debit.partition("/")[2]] += int(row.amount_minor)
            found[row.credit.partition("/")[2]] -= int(row.amount_minor)
        return found


def is_divided(code: str) -> bool:
    return code.partition("/")[0] in DIVIDED


@example(
    facts=[("gift", 1, 2), ("payout", 0, 1), ("lost", 0, 1), ("payout", 0, 1), ("gift", 2, 1), ("won", 0, 1)]
)
@example(facts=[("gift_in_dollars", 1, 2), ("dispute", 0, 1), ("payout", 0, 1), ("lost", 0, 1)])
@example(
    facts=[("gift_in_dollars", 2, 2), ("payout", 0, 1), ("won", 0, 1), ("gift", 1, 1), ("refund", 1, 40)]
)
@given(facts=st.lists(FACTS, min_size=3, max_size=14))
@settings(max_examples=examples(day=4, night=60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_journals_together_are_what_the_accounts_moved(facts: list[Fact], server: Server) -> None:
    with database_of_its_own(server) as (app, world):
        charity = Charity(app, world)
        before: dict[str, dict[str, int]] = {}
        for fact in facts:
            charity.happen(fact)
            if fact[0] == "payout":
                before = charity.journals() | before
        charity.receive(fund=None, covered=False, in_dollars=False)
        charity.happen(("own_fee", 0, 7 if sum(each.net for each in charity.waiting) != 7 else 8))
        charity.pay_out()
        journals = charity.journals()
        assert {name: journals[name] for name in before} == before, "no journal changes later"

        written: dict[str, int] = defaultdict(int)
        for journal in journals.values():
            for code, amount in journal.items():
                written[code] += amount
        ours, theirs = charity.books("EUR"), charity.books("USD")

        assert written["bank"] == ours["bank"] + ours["payout_in_transit"]
        assert written["other"] == ours["processor_balance"], "what was paid out and never booked"
        codes = {code for code in written.keys() | ours.keys() if not is_divided(code)}
        for code in codes - {"bank", "payout_in_transit", "other", "processor_balance", "liquidity"}:
            assert written[code] == ours[code], code
        assert sum(written[code] for code in written if is_divided(code)) == ours["liquidity"] + sum(
            ours[code] for code in ours if is_divided(code)
        )
        for code in {code for code in written.keys() | ours.keys() if is_divided(code)} - {"exchange_fees"}:
            if code not in theirs or (code == "dispute_hold" and theirs[code] == 0):
                assert written[code] == ours[code], (
                    code,
                    "nothing of it was exchanged, or all of it is over",
                )
