"""Stripe's webhook signature (https://docs.stripe.com/webhooks#verify-manually)."""

import hmac


def signature_header(payload: bytes, secret: str, *, timestamp: int) -> str:
    """`t=…,v1=…`: HMAC-SHA256 with the whole endpoint secret over `timestamp.payload`, in hexadecimal."""
    signed = str(timestamp).encode() + b"." + payload
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, 'sha256').hexdigest()}"
