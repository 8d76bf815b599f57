"""Steps shared by many tests, by the Stripe SDK."""

import stripe
from stripe.params import PaymentIntentCreateParams

CARDS_WITHOUT_REDIRECTS: stripe.params.PaymentIntentCreateParamsAutomaticPaymentMethods = {
    "enabled": True,
    "allow_redirects": "never",
}


def wanted(**more: object) -> PaymentIntentCreateParams:
    """Parameters of a PaymentIntent for 25.00 EUR that needs no return URL."""
    params: PaymentIntentCreateParams = {
        "amount": 2500,
        "currency": "eur",
        "automatic_payment_methods": CARDS_WITHOUT_REDIRECTS,
    }
    params.update(more)  # type: ignore[typeddict-item]  # tests also send what the types forbid
    return params


def donate(
    client: stripe.StripeClient, account: str | None = None, method: str = "pm_card_visa", **more: object
) -> stripe.PaymentIntent:
    """A PaymentIntent, created and then confirmed with a test card."""
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    intent = client.v1.payment_intents.create(wanted(**more), options)
    return client.v1.payment_intents.confirm(intent.id, {"payment_method": method}, options)


def onboard(client: stripe.StripeClient) -> str:
    """An organisation that is ready to take cards."""
    return client.v2.core.accounts.create(
        {
            "display_name": "Clean Rivers",
            "contact_email": "treasurer@rivers.example",
            "dashboard": "full",
            "identity": {"country": "ie", "entity_type": "non_profit"},
            "defaults": {"responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}},
            "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
        }
    ).id
