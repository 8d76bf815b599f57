"""Stripe Billing: automatic behaviour of subscriptions, invoices and test clocks (https://docs.stripe.com/billing)."""
