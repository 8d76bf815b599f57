"""Billing: what subscriptions, invoices and test clocks do by themselves (https://docs.stripe.com/billing)."""
