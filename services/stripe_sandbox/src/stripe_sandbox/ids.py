"""Identifiers that look like Stripe's: a prefix and letters nobody can guess."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """`pi_3Qk…`: random letters and digits after the prefix, 16 for an account and 24 for all else."""
    return f"{prefix}_{_random(16 if prefix == 'acct' else 24)}"


def new_client_secret(owner: str) -> str:
    """What lets a browser touch one PaymentIntent: `pi_…_secret_…`."""
    return f"{owner}_secret_{_random(25)}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
