"""`make stripe-sandbox`: the sandbox by itself, for people who only want a Stripe to talk to.

Needs no environment: what is not set has a value that is told. Ctrl-C ends it; what it knows stays in its state file.
"""

import logging
import os
import sys
from collections.abc import Mapping

from stripe_sandbox.server import HOST, listen, serve
from stripe_sandbox.settings import Settings, port_from, settings_from

# Beside the platform of `make local`, whose Stripe has 8702.
_DEFAULTS = {
    "STRIPE_SANDBOX_PORT": "8712",
    "STRIPE_SANDBOX_STATE": "var/stripe-sandbox/state.sqlite3",
    "STRIPE_SANDBOX_SECRET_KEY": "sk_test_sandbox",
    "STRIPE_SANDBOX_PUBLISHABLE_KEY": "pk_test_sandbox",
    "STRIPE_SANDBOX_WEBHOOK_SECRET": "whsec_sandbox",
}
_INTRODUCTION = """\
A stand-in for Stripe's API, on this machine alone. Nothing here moves money.

  address          {address}
  secret key       {secret_key}
  publishable key  {publishable_key}
  webhooks         {webhooks}
  state            {state}

A payment, to begin with:

curl -sSf {address}/v1/payment_intents -u {secret_key}: \\
  -d amount=2500 -d currency=eur -d payment_method=pm_card_visa -d confirm=true \\
  -d 'automatic_payment_methods[enabled]=true' -d 'automatic_payment_methods[allow_redirects]=never'

Ctrl-C ends it. What it models, its test cards and its hooks: services/stripe_sandbox/README.md
"""


def main() -> None:
    """Tell where it is, then serve until Ctrl-C. Exits with a sentence when that is not possible."""
    environ = _DEFAULTS | {name: value for name, value in os.environ.items() if value}
    try:
        settings, port = settings_from(environ), port_from(environ)
    except ValueError as error:
        sys.exit(f"stripe-sandbox: {error}")
    try:
        listener = listen(port)
    except OSError as error:
        sys.exit(f"stripe-sandbox: port {port} cannot be used ({error.strerror}): name another with PORT=…")
    sys.stdout.write(introduction(settings, port, environ))
    sys.stdout.flush()
    try:
        serve(settings, listener, log_level=logging.WARNING)
    except KeyboardInterrupt:
        sys.stdout.write("\n")


def introduction(settings: Settings, port: int, environ: Mapping[str, str]) -> str:
    """What a person needs to know, with one command that works."""
    webhooks = f"to {settings.webhook_url}, signed with {settings.webhook_secret}"
    return _INTRODUCTION.format(
        address=f"http://{HOST}:{port}",
        secret_key=settings.secret_key,
        publishable_key=settings.publishable_key,
        webhooks=webhooks
        if settings.webhook_url
        else "only recorded: name an endpoint with WEBHOOK_URL=http://127.0.0.1:…",
        state=environ["STRIPE_SANDBOX_STATE"],
    )


if __name__ == "__main__":
    main()
