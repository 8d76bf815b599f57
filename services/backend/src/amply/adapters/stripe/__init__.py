"""Stripe: implements the ports of payments (charges, saved and cloned methods), payouts, and webhooks (signatures, event list)."""

from amply.adapters.stripe.account_links import StripeAccountLinks
from amply.adapters.stripe.events import StripeEventSource
from amply.adapters.stripe.method_cloning import StripeMethodCloning
from amply.adapters.stripe.payouts import StripePayouts
from amply.adapters.stripe.processor import StripeProcessor
from amply.adapters.stripe.saved_methods import StripeSavedMethods
from amply.adapters.stripe.signatures import StripeEventVerifier

__all__ = [
    "StripeAccountLinks",
    "StripeEventSource",
    "StripeEventVerifier",
    "StripeMethodCloning",
    "StripePayouts",
    "StripeProcessor",
    "StripeSavedMethods",
]
