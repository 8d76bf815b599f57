"""The double of Stripe.js in a real browser, on a page of another origin as the donation page is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import stripe
from playwright.sync_api import Browser, Page, expect

from tests.browser.loopback import Request, Response, serving
from tests.stripe_sandbox.onboarding import wanted
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, WAIT_SECONDS_MAX, Endpoint, Sandbox

# The browser is a process of its own; Playwright talks to it through pipes.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

PAGE = """<!doctype html><html lang="en"><title>Donate</title><meta charset="utf-8">
<form id="form"><div id="card"></div><button>Pay</button></form><output></output>
<script src="SANDBOX/v3/"></script>
<script>
  const { clientSecret, account, key, options } = JSON.parse('VALUES');
  const stripe = Stripe(key, { stripeAccount: account });
  const elements = stripe.elements({ clientSecret });
  const element = elements.create('payment');
  element.on('ready', () => document.body.dataset.ready = 'yes');
  element.mount('#card');
  document.querySelector('#form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const confirm = clientSecret.startsWith('seti_') ? 'confirmSetup' : 'confirmPayment';
    const result = await stripe[confirm]({ elements, confirmParams: {}, redirect: 'if_required', ...options });
    document.querySelector('output').textContent = JSON.stringify(result);
  });
</script></html>"""


@dataclass
class Site:
    """The organisation's page; a real server, for a browser asks where a page that calls this machine comes from."""

    page: str = ""

    def answer(self, _request: Request) -> Response:
        """The page, whatever was asked."""
        return Response(body=self.page.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


@dataclass(frozen=True)
class Donor:
    """A person with a browser."""

    tab: Page
    site: Site
    origin: str

    def open(
        self,
        sandbox: Sandbox,
        intent: stripe.PaymentIntent | stripe.SetupIntent,
        account: str | None = None,
        **options: Any,
    ) -> None:
        """Open a page that takes the payment, or stores the card; `options` go to `confirmPayment`."""
        values = {
            "clientSecret": intent.client_secret,
            "account": account,
            "key": PUBLISHABLE_KEY,
            "options": options,
        }
        self.site.page = PAGE.replace("SANDBOX", sandbox.url).replace("VALUES", json.dumps(values))
        self.tab.goto(f"{self.origin}/donate/")
        expect(self.tab.locator("body[data-ready=yes]")).to_be_attached()

    def pay(self, number: str) -> None:
        """Fill the form in and send it."""
        self.tab.get_by_label("Card number").fill(number)
        self.tab.get_by_label("Expiration date").fill("12 / 34")
        self.tab.get_by_label("Security code").fill("123")
        self.tab.get_by_role("button", name="Pay").click()

    def result(self) -> dict[str, Any]:
        """What `confirmPayment` returned to the page."""
        expect(self.tab.locator("output")).not_to_be_empty()
        found: dict[str, Any] = json.loads(self.tab.locator("output").inner_text())
        return found


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(WAIT_SECONDS_MAX * 1000)
    expect.set_options(timeout=WAIT_SECONDS_MAX * 1000)
    yield page
    page.close()


@pytest.fixture
def donor(tab: Page) -> Iterator[Donor]:
    site = Site()
    with serving(site) as origin:
        yield Donor(tab, site, origin)
        tab.goto("about:blank")


def test_a_donor_pays_with_a_card(
    donor: Donor, sandbox: Sandbox, client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    intent = client.v1.payment_intents.create(wanted(), {"stripe_account": account})
    donor.open(sandbox, intent, account)
    expect(donor.tab.get_by_role("group", name="TEST")).to_be_visible()
    donor.pay("4242 4242 4242 4242")
    assert donor.result()["paymentIntent"]["status"] == "succeeded"
    assert endpoint.take_type("payment_intent.succeeded").event["account"] == account


def test_a_declined_card_is_told_to_the_donor_who_may_try_another(
    donor: Donor, sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    intent = client.v1.payment_intents.create(wanted())
    donor.open(sandbox, intent)
    donor.pay("4000000000000002")
    assert donor.result()["error"]["message"] == "Your card was declined."
    donor.pay("4242424242424242")
    expect(donor.tab.locator("output")).to_contain_text('"status":"succeeded"')


def test_an_incomplete_card_is_not_sent(donor: Donor, sandbox: Sandbox, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted())
    donor.open(sandbox, intent)
    donor.tab.evaluate("document.querySelector('#form').noValidate = true")
    donor.pay("4242")
    error = donor.result()["error"]
    assert (error["type"], error["code"]) == ("validation_error", "incomplete_number")


@pytest.mark.parametrize(
    ("button", "status"),
    [("Complete authentication", "succeeded"), ("Fail authentication", "requires_payment_method")],
)
def test_the_donors_bank_is_asked(
    donor: Donor, sandbox: Sandbox, client: stripe.StripeClient, button: str, status: str
) -> None:
    intent = client.v1.payment_intents.create(wanted())
    donor.open(sandbox, intent)
    donor.pay("4000002500003155")
    donor.tab.get_by_role("button", name=button).click()
    found = donor.result()
    assert ("error" in found) == (status != "succeeded")
    assert client.v1.payment_intents.retrieve(intent.id).status == status


def test_a_redirect_carries_the_outcome_back(
    donor: Donor, sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    intent = client.v1.payment_intents.create(wanted())
    back = {"return_url": f"{donor.origin}/donate/?thanks=1"}
    donor.open(sandbox, intent, confirmParams=back, redirect="always")
    donor.pay("4242424242424242")
    donor.tab.wait_for_url(
        f"{donor.origin}/donate/?thanks=1&payment_intent={intent.id}&**redirect_status=succeeded"
    )


def test_a_card_is_stored_after_the_donors_bank_was_asked(
    donor: Donor, sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({"name": "Grace"}).id
    intent = client.v1.setup_intents.create({"customer": customer})
    donor.open(sandbox, intent)
    donor.pay("4000002500003155")
    donor.tab.get_by_role("button", name="Complete authentication").click()
    assert donor.result()["setupIntent"]["status"] == "succeeded"
    (stored,) = client.v1.customers.payment_methods.list(customer).data
    assert stored.id == client.v1.setup_intents.retrieve(intent.id).payment_method
