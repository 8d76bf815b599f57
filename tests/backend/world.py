"""A processor, a mailbox and a clock for tests: they implement the modules' ports and keep what they were told."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from amply.infra.database import Database, forbid_transaction
from amply.kernel.money import Money
from amply.modules import organizations, payments
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

    `fails` holds errors to raise on the next calls; `dies_after_create` ends the process once the intent exists there.
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

    def create_account(
        self, *, organization_id: str, name: str, country: str, email: str
    ) -> payments.Account:
        forbid_transaction("create account")
        return payments.Account(id=f"acct_{organization_id[-6:]}", status=payments.AccountStatus.ACTIVE)

    def account(self, *, account_id: str) -> payments.Account:
        forbid_transaction("account")
        return payments.Account(id=account_id, status=payments.AccountStatus.ACTIVE)

    def create_intent(
        self, *, payment_id: str, donation_id: str, account_id: str, amount: Money, idempotency_key: str
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

    def settlement(self, *, remote_id: str, account_id: str) -> payments.Settlement:
        forbid_transaction("settlement")
        return payments.Settlement(gross=self.gross, fee=self.fee)


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
    """A limiter that counts and always allows, or never does."""

    allowed: bool = True
    counted: list[tuple[str, str]] = field(default_factory=list)

    def allows(self, *, limit: str, caller: str) -> bool:
        self.counted.append((limit, caller))
        return self.allowed


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
