"""Fake processor, mailbox and clock that implement the modules' ports and record their calls."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from amply.infra.counters import Hit, HitCount, ProcessCounters
from amply.infra.database import Database, forbid_transaction
from amply.infra.gcra import Standing
from amply.infra.rate_limits import LIMITS
from amply.kernel.money import Money
from amply.modules import defence, organizations, payments, webhooks
from amply.modules.mail import FeedbackReceived, Mail

NOW = datetime(2026, 11, 21, 9, 0, 30, tzinfo=UTC)


class Died(BaseException):
    """What SIGKILL looks like from inside: nothing catches it."""


@dataclass
class FakeClock:
    """Time that moves when told to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **period: float) -> None:
        self.now += timedelta(**period)


@dataclass
class FakeProcessor:
    """A processor in memory, with Stripe's idempotency: the same key is the same intent.

    `fails` holds errors to raise on the next calls, `fails_to_list` on the next looks at refunds; `dies_after_create` ends the process once the intent exists there. `vouchers`
    are intents whose donors have something in hand to pay with later.
    """

    publishable_key: str = "pk_test_fake"
    intents: dict[str, payments.Intent] = field(default_factory=dict)
    payment_of: dict[str, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    dies_before_create: bool = False
    dies_after_create: bool = False
    fee: Money | None = field(default_factory=lambda: Money(minor_units=63, currency="EUR"))
    gross: Money = field(default_factory=lambda: Money(minor_units=2500, currency="EUR"))
    attempts: dict[str, payments.Attempt] = field(default_factory=dict)
    refunded: dict[str, dict[str, payments.RemoteRefund]] = field(default_factory=dict)
    disputed: dict[str, dict[str, payments.RemoteDispute]] = field(default_factory=dict)
    warned: dict[str, payments.RemoteWarning] = field(default_factory=dict)
    answered: dict[str, tuple[str, bool]] = field(default_factory=dict)
    canceled: list[str] = field(default_factory=list)
    vouchers: set[str] = field(default_factory=set)
    declined: dict[str, list[payments.RemoteDecline]] = field(default_factory=dict)
    accounts: dict[str, payments.Account] = field(default_factory=dict)
    shut_out_of: set[str] = field(default_factory=set)
    fails_to_list: list[Exception] = field(default_factory=list)

    def create_account(
        self, *, organization_id: str, name: str, country: str, email: str, number: int = 0
    ) -> payments.Account:
        forbid_transaction("create account")
        account_id = f"acct_{organization_id[-6:]}{f'_{number}' if number else ''}"
        return self.accounts.setdefault(
            account_id, payments.Account(id=account_id, status=payments.AccountStatus.ACTIVE)
        )

    def account(self, *, account_id: str) -> payments.Account:
        forbid_transaction("account")
        self._require(account_id)
        return self.accounts.get(
            account_id, payments.Account(id=account_id, status=payments.AccountStatus.ACTIVE)
        )

    def _require(self, account_id: str) -> None:
        if account_id in self.shut_out_of:
            raise payments.AccountUnreachable("We are shut out.")

    def create_intent(
        self,
        *,
        payment_id: str,
        donation_id: str,
        account_id: str,
        amount: Money,
        idempotency_key: str,
        customer: payments.Customer | None = None,
    ) -> payments.Intent:
        forbid_transaction("create intent")
        if self.dies_before_create:
            raise Died
        if self.fails:
            raise self.fails.pop(0)
        self.keys.append(idempotency_key)
        number = len(self.intents)
        intent = self.intents.setdefault(
            idempotency_key,
            payments.Intent(remote_id=f"pi_{number}", client_secret=f"pi_{number}_secret_x"),
        )
        self.payment_of[intent.remote_id] = payment_id
        if self.dies_after_create:
            raise Died
        return intent

    def find_intent(self, *, payment_id: str, account_id: str) -> payments.Intent | None:
        forbid_transaction("find intent")
        for intent in self.intents.values():
            if self.payment_of[intent.remote_id] == payment_id:
                return intent
        return None

    def cancel_intent(self, *, remote_id: str, account_id: str) -> None:
        forbid_transaction("cancel intent")
        if self.fails:
            raise self.fails.pop(0)
        self.canceled.append(remote_id)

    def cancel_abandoned(self, *, remote_id: str, account_id: str) -> bool:
        if remote_id in self.vouchers:
            return False
        self.cancel_intent(remote_id=remote_id, account_id=account_id)
        return True

    def cancel_setup(self, *, remote_id: str, account_id: str | None) -> None:
        self.cancel_intent(remote_id=remote_id, account_id=account_id or "")

    def declines(self, *, remote_id: str, account_id: str) -> tuple[payments.RemoteDecline, ...]:
        forbid_transaction("declines")
        return tuple(self.declined.get(remote_id, ()))

    def setup_declines(self, *, remote_id: str, account_id: str | None) -> tuple[payments.RemoteDecline, ...]:
        return self.declines(remote_id=remote_id, account_id=account_id or "")

    def attempt(self, *, remote_id: str, account_id: str) -> payments.Attempt:
        forbid_transaction("attempt")
        self._require(account_id)
        return self.attempts.get(
            remote_id, payments.Attempt(status=payments.PaymentStatus.PENDING, name=None)
        )

    def settlement(self, *, remote_id: str, account_id: str) -> payments.Settlement:
        forbid_transaction("settlement")
        self._require(account_id)
        return payments.Settlement(gross=self.gross, fee=self.fee)

    def refunds(self, *, remote_id: str, account_id: str) -> tuple[payments.RemoteRefund, ...]:
        forbid_transaction("refunds")
        self._require(account_id)
        if self.fails_to_list:
            raise self.fails_to_list.pop(0)
        return tuple(self.refunded.get(remote_id, {}).values())

    def create_refund(
        self,
        *,
        refund_id: str,
        payment_id: str,
        remote_id: str,
        account_id: str,
        amount: Money,
        reason: payments.RefundReason | None,
        idempotency_key: str,
    ) -> payments.RemoteRefund:
        forbid_transaction("create refund")
        if self.dies_before_create:
            raise Died
        if self.fails:
            raise self.fails.pop(0)
        self.keys.append(idempotency_key)
        made = self.tell_refund(
            remote_id,
            f"re_of_{idempotency_key}",
            minor_units=amount.minor_units,
            currency=amount.currency,
            refund_id=refund_id,
        )
        if self.dies_after_create:
            raise Died
        return made

    def disputes(self, *, remote_id: str, account_id: str) -> tuple[payments.RemoteDispute, ...]:
        forbid_transaction("disputes")
        self._require(account_id)
        return tuple(self.disputed.get(remote_id, {}).values())

    def answer_dispute(
        self, *, dispute_id: str, account_id: str, words: str, submits: bool
    ) -> payments.RemoteDispute:
        forbid_transaction("answer dispute")
        (found,) = [each[dispute_id] for each in self.disputed.values() if dispute_id in each]
        self.answered[dispute_id] = (words, submits)
        return replace(found, status="under_review") if submits else found

    def fraud_warning(self, *, warning_id: str, account_id: str) -> payments.RemoteWarning:
        forbid_transaction("fraud warning")
        return self.warned[warning_id]

    # ---- what happens at the processor -------------------------------------------------------------------------

    def tell_account(self, account_id: str, status: str, reason: str | None = None) -> None:
        """How an account stands from now on."""
        self.accounts[account_id] = payments.Account(
            id=account_id, status=payments.AccountStatus(status), reason=reason
        )

    def tell_attempt(self, intent_id: str, status: str, name: str | None = "ch_0") -> None:
        """How a payment stands from now on."""
        self.attempts[intent_id] = payments.Attempt(status=payments.PaymentStatus(status), name=name)

    def tell_refund(
        self,
        intent_id: str,
        refund_id_there: str,
        *,
        minor_units: int,
        currency: str = "EUR",
        refund_id: str | None = None,
        status: str = "succeeded",
        has_moved: bool = True,
        reason: payments.RefundReason | None = None,
    ) -> payments.RemoteRefund:
        """A refund as it stands from now on."""
        fallen = status in ("failed", "canceled") and has_moved
        told = payments.RemoteRefund(
            remote_id=refund_id_there,
            refund_id=refund_id,
            amount=Money(minor_units=minor_units, currency=currency),
            status=payments.RefundStatus(status),
            moved_at=NOW if has_moved else None,
            returned_at=NOW + timedelta(days=2) if fallen else None,
            reason=reason,
        )
        known = self.refunded.setdefault(intent_id, {})
        if refund_id_there in known and refund_id is None:
            told = replace(told, refund_id=known[refund_id_there].refund_id)
        known[refund_id_there] = told
        return told

    def tell_dispute(
        self,
        intent_id: str,
        dispute_id: str,
        *movements: tuple[int, int],
        status: str,
        minor_units: int = 2500,
        currency: str = "EUR",
    ) -> payments.RemoteDispute:
        """A dispute as it stands from now on; each movement is an amount and a fee, as balance transactions have them."""
        moved = [(Money(minor_units=amount, currency=currency), fee) for amount, fee in movements]
        told = payments.RemoteDispute(
            remote_id=dispute_id,
            amount=Money(minor_units=minor_units, currency=currency),
            reason="fraudulent",
            status=status,
            evidence_due_at=NOW + timedelta(days=14),
            opened_at=NOW,
            movements=tuple(
                payments.DisputeMovement(
                    remote_id=f"txn_{dispute_id}_{number}",
                    amount=amount,
                    fee=Money(minor_units=fee, currency=currency),
                    moved_at=NOW + timedelta(days=number),
                )
                for number, (amount, fee) in enumerate(moved)
            ),
        )
        self.disputed.setdefault(intent_id, {})[dispute_id] = told
        return told


def setup_failed(
    event_id: str, setup_id: str, *, account_id: str | None, now: datetime
) -> webhooks.ProviderEvent:
    """The processor tells that a setup did not take a card."""
    return webhooks.ProviderEvent(
        id=event_id,
        type="setup_intent.setup_failed",
        account_id=account_id,
        livemode=False,
        occurred_at=now,
        object={"id": setup_id, "object": "setup_intent"},
    )


@dataclass
class FakeMailer:
    """A mailbox; `dies_…` end the process around the hand-over, `refuses` is a mail service that says no.

    `meanwhile` happens once, while a letter is handed over.
    """

    sent: list[Mail] = field(default_factory=list)
    dies_before_send: bool = False
    dies_after_send: bool = False
    refuses: bool = False
    meanwhile: Callable[[], object] | None = None

    def send(self, *, mail: Mail) -> str:
        forbid_transaction("send")
        if self.dies_before_send:
            raise Died
        if self.refuses:
            raise ConnectionRefusedError("this address is on the suppression list")
        self.sent.append(mail)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        if self.dies_after_send:
            raise Died
        return f"mail-{len(self.sent)}"


@dataclass
class FakeFeedback:
    """A queue in memory of what became of letters; what is not done comes back."""

    waiting: list[FeedbackReceived] = field(default_factory=list)
    dies_before_done: bool = False

    def receive(self) -> Sequence[FeedbackReceived]:
        forbid_transaction("receive feedback")
        return self.waiting[:10]

    def done(self, *, receipt: str) -> None:
        forbid_transaction("feedback done")
        if self.dies_before_done:
            raise Died
        self.waiting = [message for message in self.waiting if message.receipt != receipt]


@dataclass
class NoLimit:
    """A limiter that counts and always allows, or never does; `refuses` names limits that are used up."""

    allowed: bool = True
    counted: list[tuple[str, str]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    def take(self, *, limit: str, caller: str) -> Standing:
        self.counted.append((limit, caller))
        policy = LIMITS[limit]
        if not self.allowed or limit in self.refuses:
            return Standing.of(limit, policy, is_allowed=False, used=policy.window, early=policy.interval)
        return Standing.of(limit, policy, is_allowed=True, used=policy.interval, early=0)


class CountsNothing:
    """Counters for whoever sends more gifts than all donors together."""

    def count(self, hits: Sequence[Hit], *, now: datetime) -> HitCount:
        return HitCount(numbers=(0.0,) * len(hits), is_shared=True)


def anybody(about: defence.SetupOf) -> defence.Fingerprints:
    """A gate that lets everybody enter a card, and remembers nobody."""
    return defence.Fingerprints.of_program(about.gifts[0].amount)


def open_gate(database: Database) -> defence.Gate:
    """The gate as it is, with its counters in this process, which is the only one."""
    return defence.gate(database, ProcessCounters(sees_all=True))


def ready_organization(database: Database, processor: FakeProcessor, *, slug: str = "river-trust") -> str:
    """An organisation that may take gifts; returns its id."""
    with database.transaction() as session:
        made = organizations.create(session, name="River Trust", slug=slug, country="DE", now=NOW)
    payments.connect_organization(database, processor, organization=made, email="a@example.org", now=NOW)
    return made.id


@contextmanager
def death() -> Iterator[None]:
    """The block is where a process dies."""
    try:
        yield
    except Died:
        return
    raise AssertionError("the process should have died here")
