"""What gifts to several organisations expect of a processor, held against the fake and against Stripe's API as the sandbox speaks it."""

from dataclasses import dataclass
from typing import Any, Final

import pytest
import stripe
from pydantic import SecretStr

from amply.adapters.stripe import StripeMethodCloning, StripeProcessor
from amply.infra.database import Database
from amply.infra.settings import StripeSettings
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import organizations, payments
from amply.modules.donations import SplitGiftDependencies
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.split_domain import NewSplitGift, SplitGiftClosed
from amply.modules.donations.splits import give_to_many, new_setup, pay_parts
from amply.modules.payments import Paid
from tests.backend.contract.test_processor import endpoint, sandbox  # noqa: F401 -- fixtures
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.world import FakeProcessor, anybody
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, SECRET_KEY, Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
GIFT: Final = Money(minor_units=2500, currency="EUR")
SPLIT: Final = "spl_01k9z3v8x4e5t6y7m8n9p0q1r2"
DECLINED: Final = "pm_card_chargeCustomerFail"
"""It can be kept, and pays nothing."""


@dataclass
class Partners:
    """A processor, its cloning of payment methods, and what a donor does in the browser."""

    processor: payments.Processor
    method_cloning: payments.PaymentMethodCloning
    client: stripe.StripeClient | None

    def intent(self, number: int) -> tuple[str, str]:
        """An organisation's account, and a gift of 25.00 EUR to it."""
        account = self.processor.create_account(
            organization_id=f"org_{number}", name="River Trust", country="DE", email="t@river.example"
        )
        made = self.processor.create_intent(
            payment_id=f"pay_{number}",
            donation_id=f"don_{number}",
            account_id=account.id,
            amount=GIFT,
            idempotency_key=f"payment:pay_{number}:create",
        )
        return made.remote_id, account.id

    def enter(self, setup_id: str, card: str) -> None:
        if self.client is not None:
            self.client.v1.setup_intents.confirm(setup_id, {"payment_method": card})
            return
        assert isinstance(self.method_cloning, FakeMethodCloning)
        self.method_cloning.entered[setup_id] = card
        if card == DECLINED:
            self.method_cloning.declines.add(card)

    def with_card(self, card: str, *, number: int = 1) -> tuple[str, str]:
        """A payer and a method that is kept with them."""
        payer = self.method_cloning.open_payer(split_id=SPLIT)
        setup = self.method_cloning.open_setup(split_id=SPLIT, payer_id=payer, number=number)
        self.enter(setup.remote_id, card)
        method = self.method_cloning.method_of(setup_id=setup.remote_id)
        assert method is not None
        return payer, method


@pytest.fixture(params=["fake", "stripe"])
def partners(request: pytest.FixtureRequest) -> Partners:
    if request.param == "fake":
        return Partners(processor=FakeProcessor(), method_cloning=FakeMethodCloning(), client=None)
    running: Sandbox = request.getfixturevalue("sandbox")
    settings = StripeSettings(
        api_url=running.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
    )
    return Partners(
        processor=StripeProcessor(settings),
        method_cloning=StripeMethodCloning(settings),
        client=running.client(),
    )


def test_the_same_gift_gets_the_same_payer_and_setup(partners: Partners) -> None:
    payer = partners.method_cloning.open_payer(split_id=SPLIT)
    assert partners.method_cloning.open_payer(split_id=SPLIT) == payer

    first = partners.method_cloning.open_setup(split_id=SPLIT, payer_id=payer, number=1)
    assert partners.method_cloning.open_setup(split_id=SPLIT, payer_id=payer, number=1) == first
    assert partners.method_cloning.open_setup(split_id=SPLIT, payer_id=payer, number=2) != first
    assert first.client_secret.startswith(f"{first.remote_id}_secret_")


def test_there_is_no_method_before_the_donor_entered_one(partners: Partners) -> None:
    payer = partners.method_cloning.open_payer(split_id=SPLIT)
    setup = partners.method_cloning.open_setup(split_id=SPLIT, payer_id=payer, number=1)
    assert partners.method_cloning.method_of(setup_id=setup.remote_id) is None

    partners.enter(setup.remote_id, "pm_card_visa")
    assert partners.method_cloning.method_of(setup_id=setup.remote_id) is not None


def test_one_method_pays_on_every_account_and_each_intent_once(partners: Partners) -> None:
    payer, method = partners.with_card("pm_card_visa")
    intents = [partners.intent(number) for number in range(3)]

    for _ in range(2):
        for remote_id, account_id in intents:
            told = partners.method_cloning.pay(
                remote_id=remote_id, account_id=account_id, payer_id=payer, method_id=method
            )
            assert told == payments.SharedOutcome(paid=Paid.PAID)
    if isinstance(partners.method_cloning, FakeMethodCloning):
        assert len(partners.method_cloning.charged) == len(intents)
    else:
        assert partners.client is not None
        for remote_id, account_id in intents:
            charges = partners.client.v1.charges.list(
                {"payment_intent": remote_id}, {"stripe_account": account_id}
            )
            assert [(charge.amount, charge.paid) for charge in charges.data] == [(2500, True)]


def test_a_declined_method_is_told_and_another_one_pays(partners: Partners) -> None:
    remote_id, account_id = partners.intent(1)
    payer, broke = partners.with_card(DECLINED)
    told = partners.method_cloning.pay(
        remote_id=remote_id, account_id=account_id, payer_id=payer, method_id=broke
    )
    assert told.paid is Paid.DECLINED

    payer, method = partners.with_card("pm_card_visa", number=2)
    told = partners.method_cloning.pay(
        remote_id=remote_id, account_id=account_id, payer_id=payer, method_id=method
    )
    assert told.paid is Paid.PAID


def test_what_was_paid_stays_paid_once_the_payer_is_released(partners: Partners) -> None:
    remote_id, account_id = partners.intent(1)
    payer, method = partners.with_card("pm_card_visa")
    asked = {"remote_id": remote_id, "account_id": account_id, "payer_id": payer, "method_id": method}
    partners.method_cloning.pay(**asked)

    for _ in range(2):
        partners.method_cloning.release(payer_id=payer)
    assert partners.method_cloning.pay(**asked).paid is Paid.PAID


def test_a_released_payers_method_pays_nothing_more(sandbox: Sandbox) -> None:  # noqa: F811 -- the fixture
    settings = StripeSettings(
        api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
    )
    partners = Partners(
        processor=StripeProcessor(settings),
        method_cloning=StripeMethodCloning(settings),
        client=sandbox.client(),
    )
    payer, method = partners.with_card("pm_card_visa")
    partners.method_cloning.release(payer_id=payer)
    remote_id, account_id = partners.intent(1)

    with pytest.raises(payments.ProcessorRefused):
        partners.method_cloning.pay(
            remote_id=remote_id, account_id=account_id, payer_id=payer, method_id=method
        )


def test_cards_that_a_setup_does_not_take_are_told_and_an_ended_setup_takes_none(sandbox: Sandbox) -> None:  # noqa: F811 -- the fixture
    settings = StripeSettings(
        api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
    )
    processor, cloning, client = StripeProcessor(settings), StripeMethodCloning(settings), sandbox.client()
    payer = cloning.open_payer(split_id=SPLIT)
    setup = cloning.open_setup(split_id=SPLIT, payer_id=payer, number=1)
    named: dict[str, Any] = {"remote_id": setup.remote_id, "account_id": None}
    assert processor.setup_declines(**named) == ()
    for card in ("pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds"):
        with pytest.raises(stripe.CardError):
            client.v1.setup_intents.confirm(setup.remote_id, {"payment_method": card})

    told = processor.setup_declines(**named)
    assert len({each.card for each in told} - {None}) == len({each.remote_id for each in told}) == 2
    processor.cancel_setup(**named)
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.setup_intents.confirm(setup.remote_id, {"payment_method": "pm_card_visa"})
    with pytest.raises(payments.ProcessorRefused):
        processor.cancel_setup(**named)


def test_a_payment_that_was_left_is_ended_and_one_under_way_is_not(sandbox: Sandbox) -> None:  # noqa: F811 -- the fixture
    settings = StripeSettings(
        api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
    )
    client = sandbox.client()
    partners = Partners(
        processor=StripeProcessor(settings), method_cloning=StripeMethodCloning(settings), client=client
    )
    left, account_id = partners.intent(1)
    client.v1.payment_intents.confirm(
        left,
        {"payment_method": "pm_card_authenticationRequired", "return_url": "https://edge.example/"},
        {"stripe_account": account_id},
    )
    assert partners.processor.cancel_abandoned(remote_id=left, account_id=account_id)
    with pytest.raises(payments.ProcessorRefused):
        partners.processor.cancel_abandoned(remote_id=left, account_id=account_id)

    debit, account_id = partners.intent(2)
    data: Any = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": "AT611904300234573201"},
        "billing_details": {"name": "Ada", "email": "ada@example.org"},
    }
    agreed: Any = {"customer_acceptance": {"type": "offline"}}
    client.v1.payment_intents.confirm(
        debit,
        {"payment_method_data": data, "mandate_data": agreed, "return_url": "https://edge.example/"},
        {"stripe_account": account_id},
    )
    assert not partners.processor.cancel_abandoned(remote_id=debit, account_id=account_id)


def test_a_bank_that_asks_is_told_with_what_the_browser_needs(sandbox: Sandbox) -> None:  # noqa: F811 -- the fixture
    settings = StripeSettings(
        api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
    )
    client = sandbox.client()
    partners = Partners(
        processor=StripeProcessor(settings), method_cloning=StripeMethodCloning(settings), client=client
    )
    remote_id, account_id = partners.intent(1)
    payer, plain = partners.with_card("pm_card_visa")
    client.v1.payment_intents.confirm(
        remote_id,
        {"payment_method": "pm_card_authenticationRequired", "return_url": "https://edge.example/"},
        {"stripe_account": account_id},
    )

    told = partners.method_cloning.pay(
        remote_id=remote_id, account_id=account_id, payer_id=payer, method_id=plain
    )
    assert told.paid is Paid.NEEDS_DONOR
    assert (told.client_secret or "").startswith(f"{remote_id}_secret_")


def test_while_somebody_else_pays_it_nobody_can_say_and_it_is_not_declined(sandbox: Sandbox) -> None:  # noqa: F811 -- the fixture
    """Stripe locks an intent while it is confirmed; the vendor's client asks three times."""
    settings = StripeSettings(
        api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
    )
    partners = Partners(
        processor=StripeProcessor(settings),
        method_cloning=StripeMethodCloning(settings),
        client=sandbox.client(),
    )
    payer, method = partners.with_card("pm_card_visa")
    remote_id, account_id = partners.intent(1)
    asked = {"remote_id": remote_id, "account_id": account_id, "payer_id": payer, "method_id": method}
    for _ in range(3):
        path = f"/v1/payment_intents/{remote_id}/confirm"
        assert sandbox.hook("faults", {"method": "POST", "path": path, "kind": "lock"}).is_success

    with pytest.raises(payments.ProcessorUnavailable):
        partners.method_cloning.pay(**asked)
    assert partners.method_cloning.pay(**asked).paid is Paid.PAID


def test_a_whole_gift_arrives_on_two_accounts_and_again_nothing_more(
    sandbox: Sandbox,  # noqa: F811 -- the fixture
    database: Database,
) -> None:
    settings = StripeSettings(
        api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
    )
    processor, client = StripeProcessor(settings), sandbox.client()
    parts = SplitGiftDependencies(
        database=database,
        processor=processor,
        method_cloning=StripeMethodCloning(settings),
        clock=system_clock,
    )
    gifts = tuple(_gift(database, processor, number) for number in range(2))
    request = {"key": "one"}
    body = give_to_many(parts, split=NewSplitGift(gifts=gifts), key="one", request=request).body
    setup_id = body["setup"]["client_secret"].partition("_secret_")[0]
    client.v1.setup_intents.confirm(setup_id, {"payment_method": DECLINED})
    declined = pay_parts(parts, split_id=body["id"])
    assert [part.outcome and part.outcome.paid for part in declined.parts] == [Paid.DECLINED] * 2

    another = new_setup(parts, split_id=body["id"], admit=anybody)
    client.v1.setup_intents.confirm(
        another.client_secret.partition("_secret_")[0], {"payment_method": "pm_card_visa"}
    )
    paid = pay_parts(parts, split_id=body["id"])
    assert [part.outcome and part.outcome.paid for part in paid.parts] == [Paid.PAID] * 2
    for part in paid.parts:
        charges = client.v1.charges.list(options={"stripe_account": part.account_id}).data
        assert [(charge.amount, charge.paid) for charge in charges] == [(2500, True), (2500, False)]
    with pytest.raises(SplitGiftClosed):
        pay_parts(parts, split_id=body["id"])


def _gift(database: Database, processor: StripeProcessor, number: int) -> Gift:
    """25.00 EUR to an organisation with an account at the processor."""
    with database.transaction() as session:
        made = organizations.create(
            session, name="River Trust", slug=f"trust-{number}", country="DE", now=system_clock()
        )
    for _ in range(2):  # opened, and then looked at: by then it is ready
        payments.connect_organization(
            database, processor, organization=made, email="t@river.example", now=system_clock()
        )
    donor = Donor(name="Ada", email="ada@example.org")
    return Gift(organization_id=made.id, amount=GIFT, donor=donor, message=None)
