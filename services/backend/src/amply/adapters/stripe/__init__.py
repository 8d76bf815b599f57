"""Stripe: implements the payments' processor and its sharing of methods, the payouts' processor, and the webhooks' verifier and source."""

from amply.adapters.stripe.events import StripeEventSource
from amply.adapters.stripe.payouts import StripePayouts
from amply.adapters.stripe.processor import StripeProcessor
from amply.adapters.stripe.sharing import StripeSharing
from amply.adapters.stripe.signatures import StripeEventVerifier

__all__ = ["StripeEventSource", "StripeEventVerifier", "StripePayouts", "StripeProcessor", "StripeSharing"]
