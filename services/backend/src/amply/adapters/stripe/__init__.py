"""Stripe: implements the payments' processor and the webhooks' verifier."""

from amply.adapters.stripe.processor import StripeProcessor
from amply.adapters.stripe.signatures import StripeEventVerifier

__all__ = ["StripeEventVerifier", "StripeProcessor"]
