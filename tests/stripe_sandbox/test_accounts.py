"""Connected organisations through Accounts v2."""

import pytest
import stripe

from tests.stripe_sandbox.onboarding import wanted
from tests.stripe_sandbox.running import Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def card_payments(client: stripe.StripeClient, account: str) -> str:
    found = client.v2.core.accounts.retrieve(account, {"include": ["configuration.merchant"]})
    assert found.configuration is not None
    assert found.configuration.merchant is not None
    assert found.configuration.merchant.capabilities is not None
    assert found.configuration.merchant.capabilities.card_payments is not None
    return found.configuration.merchant.capabilities.card_payments.status


def test_a_complete_account_may_take_cards(client: stripe.StripeClient, account: str) -> None:
    assert card_payments(client, account) == "active"


def test_the_answer_to_creation_is_still_pending(client: stripe.StripeClient) -> None:
    created = client.v2.core.accounts.create(
        {
            "contact_email": "treasurer@rivers.example",
            "identity": {"country": "ie"},
            "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
            "include": ["configuration.merchant"],
        }
    )
    assert created.configuration is not None
    assert created.configuration.merchant is not None
    assert created.configuration.merchant.capabilities is not None
    assert created.configuration.merchant.capabilities.card_payments is not None
    assert created.configuration.merchant.capabilities.card_payments.status == "pending"


def test_only_what_is_included_is_shown(client: stripe.StripeClient, account: str) -> None:
    bare = client.v2.core.accounts.retrieve(account)
    assert (bare.configuration, bare.defaults, bare.identity, bare.requirements) == (None, None, None, None)
    assert bare.applied_configurations == ["merchant"]
    full = client.v2.core.accounts.retrieve(account, {"include": ["defaults", "identity"]})
    assert full.defaults is not None
    assert full.defaults.responsibilities.fees_collector == "stripe"
    assert full.identity is not None
    assert full.identity.entity_type == "non_profit"


def test_an_incomplete_account_is_restricted_until_completed(client: stripe.StripeClient) -> None:
    created = client.v2.core.accounts.create(
        {"configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}}
    )
    assert card_payments(client, created.id) == "restricted"
    found = client.v2.core.accounts.retrieve(created.id, {"include": ["requirements"]})
    assert found.requirements is not None
    assert found.requirements.entries is not None
    assert [entry.description for entry in found.requirements.entries] == [
        "contact_email",
        "identity.country",
    ]
    with pytest.raises(stripe.InvalidRequestError, match="card_payments capability is not active"):
        client.v1.payment_intents.create(wanted(), {"stripe_account": created.id})
    client.v2.core.accounts.update(
        created.id, {"contact_email": "treasurer@rivers.example", "identity": {"country": "ie"}}
    )
    assert card_payments(client, created.id) == "active"


def test_an_account_can_be_restricted_by_hand(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    assert sandbox.hook(f"accounts/{account}/card_payments", {"status": "restricted"}).status_code == 200
    assert card_payments(client, account) == "restricted"
    assert sandbox.hook(f"accounts/{account}/card_payments", {"status": "active"}).status_code == 200
    assert card_payments(client, account) == "active"


def test_an_unknown_connected_account_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.payment_intents.list(options={"stripe_account": "acct_unknown"})
    assert refused.value.error is not None
    assert refused.value.error.code == "account_invalid"


def test_an_unknown_account_is_not_found(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v2.core.accounts.retrieve("acct_unknown")
    assert missing.value.http_status == 404


def test_unknown_account_parameters_are_refused(sandbox: Sandbox) -> None:
    response = sandbox.call(
        "POST",
        "/v2/core/accounts",
        json={"type": "standard"},
        headers={"Stripe-Version": stripe.api_version},
    )
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "type"


def test_v2_asks_for_an_api_version(sandbox: Sandbox) -> None:
    assert sandbox.call("GET", "/v2/core/accounts").status_code == 400
    headers = {"Stripe-Version": "2019-01-01"}
    assert sandbox.call("GET", "/v2/core/accounts", headers=headers).status_code == 400
