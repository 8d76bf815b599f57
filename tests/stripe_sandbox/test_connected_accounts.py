"""What becomes of a connected account: onboarding links, decisions, disconnecting, closing, and the events of all these."""

import httpx2
import pytest
import stripe
from stripe.events import (
    V2CoreAccountClosedEventNotification,
    V2CoreAccountIncludingConfigurationMerchantCapabilityStatusUpdatedEventNotification,
)
from stripe.params.v2.core import AccountLinkCreateParams

from tests.stripe_sandbox.onboarding import wanted
from tests.stripe_sandbox.running import WEBHOOK_SECRET, Endpoint, Sandbox
from tests.stripe_sandbox.test_accounts import card_payments

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
AGAIN, BACK = "https://amply.example/again", "https://amply.example/back"


def asked(account: str) -> AccountLinkCreateParams:
    return {
        "account": account,
        "use_case": {
            "type": "account_onboarding",
            "account_onboarding": {"refresh_url": AGAIN, "return_url": BACK},
        },
    }


def opened(sandbox: Sandbox, link: stripe.v2.core.AccountLink) -> httpx2.Response:
    """As a browser opens it; the sandbox under test listens elsewhere than its settings say."""
    path = link.url.removeprefix(sandbox.settings.public_url)
    return sandbox.http.get(path, follow_redirects=False)


def test_a_link_leads_through_onboarding_once(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    sandbox.hook(f"accounts/{account}/card_payments", {"status": "restricted"})
    link = client.v2.core.account_links.create(asked(account))
    assert link.account == account

    first, second = opened(sandbox, link), opened(sandbox, link)

    assert (first.status_code, first.headers["location"]) == (303, BACK)
    assert second.headers["location"] == AGAIN
    assert card_payments(client, account) == "active"


def test_a_link_that_is_too_old_leads_to_where_a_new_one_is_made(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    sandbox.hook(f"accounts/{account}/card_payments", {"status": "restricted"})
    link = client.v2.core.account_links.create(asked(account))
    sandbox.http.post("/_sandbox/clock", json={"seconds": 600})

    assert opened(sandbox, link).headers["location"] == AGAIN
    assert card_payments(client, account) == "restricted"


def test_no_link_is_made_for_another_account_or_without_an_address(
    client: stripe.StripeClient, account: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such account"):
        client.v2.core.account_links.create(asked("acct_unknown"))
    nowhere = asked(account)
    nowhere["use_case"]["account_onboarding"] = {"refresh_url": "javascript:alert(1)"}
    with pytest.raises(stripe.InvalidRequestError, match="Not a valid URL"):
        client.v2.core.account_links.create(nowhere)


def test_a_decision_is_told_by_a_snapshot_and_by_a_thin_event(
    sandbox: Sandbox, client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    sandbox.hook(f"accounts/{account}/card_payments", {"status": "restricted"})
    received = {each.event["type"]: each for each in (endpoint.take(), endpoint.take())}

    snapshot = received.pop("account.updated").event
    assert (snapshot["account"], snapshot["data"]["object"]["charges_enabled"]) == (account, False)
    ((_, thin),) = received.items()
    told = client.parse_event_notification(thin.payload, thin.signature, WEBHOOK_SECRET)
    assert isinstance(
        told, V2CoreAccountIncludingConfigurationMerchantCapabilityStatusUpdatedEventNotification
    )
    assert told.fetch_related_object().id == account
    assert told.fetch_event().data.updated_capability == "card_payments"
    assert "data" not in thin.event
    sandbox.hook(f"accounts/{account}/card_payments", {"status": "restricted"})
    assert endpoint.received.empty(), "the same decision again is no news"


def test_who_disconnects_is_out_of_reach_until_they_come_back(
    sandbox: Sandbox, client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    sandbox.hook(f"accounts/{account}/disconnect")
    told = endpoint.take_type("account.application.deauthorized").event
    assert (told["account"], told["data"]["object"]["object"]) == (account, "application")

    for refused in (
        lambda: client.v1.payment_intents.create(wanted(), {"stripe_account": account}),
        lambda: client.v2.core.accounts.retrieve(account),
        lambda: client.v2.core.account_links.create(asked(account)),
    ):
        with pytest.raises(stripe.PermissionError) as error:
            refused()
        assert error.value.error is not None
        assert error.value.error.code == "account_invalid"

    sandbox.hook(f"accounts/{account}/reconnect")
    endpoint.take_type("account.application.authorized")
    assert card_payments(client, account) == "active"


def test_a_closed_account_is_seen_as_closed_and_does_nothing(
    sandbox: Sandbox, client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    client.v2.core.accounts.close(account)

    received = endpoint.take_type("v2.core.account.closed")
    told = client.parse_event_notification(received.payload, received.signature, WEBHOOK_SECRET)
    assert isinstance(told, V2CoreAccountClosedEventNotification)
    assert told.fetch_related_object().closed
    with pytest.raises(stripe.PermissionError):
        client.v1.payment_intents.create(wanted(), {"stripe_account": account})
    with pytest.raises(stripe.InvalidRequestError, match="is closed"):
        client.v2.core.accounts.update(account, {"display_name": "Other Rivers"})
    assert sandbox.hook("accounts/platform/close").status_code == 404
