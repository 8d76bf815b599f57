"""Tests that hold at Stripe itself too. They run there when asked for, with a key of a test account:

    STRIPE_SECRET_KEY=sk_test_… STRIPE_CONNECTED_ACCOUNT=acct_… pytest -m real_stripe tests/stripe_sandbox tests/backend/contract

Without `-m real_stripe` nothing leaves this machine, whatever is set (tests/conftest.py).
"""

import os
from typing import Final

import pytest
import stripe

SANDBOX, STRIPE = "sandbox", "stripe"
_TEST_KEYS: Final = ("sk_test_", "rk_test_")
_RETRIES_MAX: Final = 2

also_at_stripe: Final = pytest.mark.parametrize(
    "place",
    [SANDBOX, pytest.param(STRIPE, marks=[pytest.mark.real_stripe, pytest.mark.enable_socket])],
    indirect=True,
)
"""For tests of the fixtures `client` and `account` that ask nothing of the sandbox alone, and leave an account as any other use
does: they create, pay and give back in test mode."""


def secret_key() -> str:
    """The test account's key; without one the test is skipped, and with one that moves real money it fails."""
    key = os.environ.get("STRIPE_SECRET_KEY", "")
    if not key:
        pytest.skip("Set STRIPE_SECRET_KEY to a key of a Stripe test account.")
    if not key.startswith(_TEST_KEYS):
        pytest.fail("STRIPE_SECRET_KEY is not a test key: tests move no real money.")
    return key


def client() -> stripe.StripeClient:
    """The vendor's own client at Stripe."""
    return stripe.StripeClient(secret_key(), max_network_retries=_RETRIES_MAX)


def connected_account() -> str:
    """An account that has been through its onboarding, which no test can do: Stripe asks people."""
    account = os.environ.get("STRIPE_CONNECTED_ACCOUNT", "")
    if not account.startswith("acct_"):
        pytest.skip("Set STRIPE_CONNECTED_ACCOUNT to a connected test account that may take cards in EUR.")
    return account
