"""Webhook delivery to the platform's endpoint."""
