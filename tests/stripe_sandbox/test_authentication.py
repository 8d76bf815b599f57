"""Keys: what the platform may do, and what a browser may."""

import base64

import pytest
import stripe

from tests.stripe_sandbox.onboarding import donate, wanted
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, SECRET_KEY, Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_wrong_key_is_refused_in_stripes_shape(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided: sk_test_"):
        sandbox.client("sk_test_wrong").v1.payment_intents.list()
    response = sandbox.http.get("/v1/events")
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_the_error_does_not_repeat_the_key(sandbox: Sandbox) -> None:
    response = sandbox.call("GET", "/v1/events", key="sk_live_verysecretkey1234")
    assert "verysecret" not in response.text


def test_basic_authentication_carries_the_key_as_user_name(sandbox: Sandbox) -> None:
    encoded = base64.b64encode(f"{SECRET_KEY}:".encode()).decode()
    assert sandbox.http.get("/v1/events", headers={"Authorization": f"Basic {encoded}"}).status_code == 200


def test_a_browser_sees_the_public_part_of_one_payment(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted(metadata={"donation_id": "don_1"}))
    path = f"/v1/payment_intents/{intent.id}"
    seen = sandbox.call("GET", path, key=PUBLISHABLE_KEY, params={"client_secret": str(intent.client_secret)})
    assert seen.json()["status"] == "requires_payment_method"
    assert "metadata" not in seen.json()


def test_a_browser_needs_the_client_secret(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted())
    path = f"/v1/payment_intents/{intent.id}"
    assert sandbox.call("GET", path, key=PUBLISHABLE_KEY).status_code == 400
    wrong = sandbox.call("GET", path, key=PUBLISHABLE_KEY, params={"client_secret": f"{intent.id}_secret_x"})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (403, "client_secret")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/payment_intents"),
        ("GET", "/v1/payment_intents"),
        ("GET", "/v1/charges"),
        ("POST", "/v1/refunds"),
        ("GET", "/v1/events"),
    ],
)
def test_a_browser_may_do_nothing_else(shared: Sandbox, method: str, path: str) -> None:
    response = shared.call(method, path, key=PUBLISHABLE_KEY)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "secret_key_required")


def test_a_declined_card_tells_a_browser_no_metadata(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted(metadata={"donation_id": "don_private"}))
    form = {"client_secret": str(intent.client_secret), "payment_method": "pm_card_chargeDeclined"}
    response = sandbox.call(
        "POST", f"/v1/payment_intents/{intent.id}/confirm", key=PUBLISHABLE_KEY, data=form
    )
    assert response.status_code == 402
    assert "don_private" not in response.text


def test_a_page_on_this_machine_may_call_and_no_other(sandbox: Sandbox) -> None:
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization,Stripe-Account",
    }
    path = "/v1/payment_intents/pi_1/confirm"
    near = sandbox.http.options(path, headers=asked | {"Origin": "http://127.0.0.1:8701"})
    assert near.headers["access-control-allow-origin"] == "http://127.0.0.1:8701"
    far = sandbox.http.options(path, headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in far.headers


def test_another_host_name_is_refused(sandbox: Sandbox) -> None:
    assert sandbox.http.get("/_sandbox/health", headers={"Host": "evil.example"}).status_code == 400


def test_the_browser_pays_on_the_connected_account(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    intent = client.v1.payment_intents.create(wanted(), {"stripe_account": account})
    form = {"client_secret": str(intent.client_secret), "payment_method": "pm_card_visa"}
    path = f"/v1/payment_intents/{intent.id}/confirm"
    elsewhere = sandbox.call("POST", path, key=PUBLISHABLE_KEY, data=form)
    assert elsewhere.status_code == 404
    paid = sandbox.call("POST", path, key=PUBLISHABLE_KEY, data=form, headers={"Stripe-Account": account})
    assert paid.json()["status"] == "succeeded"


def test_the_stripe_js_double_is_served(sandbox: Sandbox) -> None:
    for path in ("/v3/", "/v3/stripe.js"):
        script = sandbox.http.get(path)
        assert script.headers["content-type"].startswith("text/javascript")
        assert "window.Stripe" in script.text


def test_donations_work_with_the_publishable_key_only_in_the_browser(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.PermissionError):
        donate(sandbox.client(PUBLISHABLE_KEY))
