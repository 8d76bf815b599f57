"""Stripe credentials of a local run: for the sandbox, or for a real test account."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from local_cloud import credentials
from local_cloud.cloud import Cloud
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

REAL_STRIPE = "https://api.stripe.com"
_SANDBOX_KEYS = {
    "secret_key": lambda: f"sk_test_{secrets.token_hex(24)}",
    "webhook_secret": lambda: f"whsec_{secrets.token_hex(24)}",
}
_TEST_KEYS = ("sk_test_", "rk_test_")
_BESIDE_THE_KEY = ("STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET")


@dataclass(frozen=True, kw_only=True)
class StripeKeys:
    """What the platform and the processor both know. `is_sandbox` says which processor it is."""

    secret_key: str
    publishable_key: str
    webhook_secret: str
    is_sandbox: bool


def keys(settings: Settings, *, publishable_key: str, environ: Mapping[str, str]) -> StripeKeys:
    """Made once for the sandbox, whose publishable key is the deployed one; real ones when STRIPE_SECRET_KEY is set.

    Raises:
        LocalCloudError: STRIPE_SECRET_KEY is not a test key (nothing on a laptop may move real money), or what
            belongs to it is missing.
    """
    brought = environ.get("STRIPE_SECRET_KEY")
    if not brought:
        made = credentials.kept(settings.credentials / "stripe.json", _SANDBOX_KEYS)
        return StripeKeys(**made, publishable_key=publishable_key, is_sandbox=True)
    if not brought.startswith(_TEST_KEYS):
        raise LocalCloudError("STRIPE_SECRET_KEY is not a test key: a laptop moves no real money.")
    missing = [name for name in _BESIDE_THE_KEY if not environ.get(name)]
    if missing:
        raise LocalCloudError(
            f"STRIPE_SECRET_KEY is set without {' and '.join(missing)}: set all three (docs/local-cloud.md says where "
            "they come from), or none to use the sandbox."
        )
    return StripeKeys(
        secret_key=brought,
        publishable_key=environ["STRIPE_PUBLISHABLE_KEY"],
        webhook_secret=environ["STRIPE_WEBHOOK_SECRET"],
        is_sandbox=False,
    )


def brought_account(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that tell services of a Stripe account someone brought; none for the sandbox."""
    if not environ.get("STRIPE_SECRET_KEY"):
        return {}
    return {
        "AMPLY_STRIPE_API_URL": REAL_STRIPE,
        "AMPLY_STRIPE_PUBLISHABLE_KEY": environ.get("STRIPE_PUBLISHABLE_KEY", ""),
    }


def fill_in(cloud: Cloud, keys: StripeKeys) -> bool:
    """Write the credentials to the deployed secret, as an operator does after the first deployment."""
    secret_id = cloud.parameter("stripe/secret-arn")
    wanted = {"secret_key": keys.secret_key, "webhook_secret": keys.webhook_secret}
    if json.loads(cloud.secret(secret_id)) == wanted:
        return False
    cloud.secrets.put_secret_value(SecretId=secret_id, SecretString=json.dumps(wanted))
    return True
