"""Settings of one sandbox process."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

DEFAULT_PORT = 8702
Payload = Literal["snapshot", "thin"]
AfterRetries = Literal["cancel", "unpaid", "past_due"]
_SECOND = timedelta(seconds=1)

# Live Stripe retries for three days, its own sandboxes a few times within hours. On a laptop a receiver is
# back in seconds or not at all: quick at first, then once a minute, given up after about a quarter of an hour.
DEFAULT_RETRY_DELAYS = tuple(_SECOND * n for n in (1, 2, 4, 8, 16, 32, *(60,) * 14))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One sandbox: its keys, its state file, and where its webhooks go."""

    state: Path
    secret_key: str
    publishable_key: str
    public_url: str = f"http://127.0.0.1:{DEFAULT_PORT}"
    webhook_url: str | None = None
    webhook_secret: str = ""
    # Whole objects, or references to them (https://docs.stripe.com/event-destinations#thin-events).
    webhook_payload: Payload = "snapshot"
    # A bus of AWS's, as an emulator on this machine has it, in place of a webhook's URL.
    event_bus: str | None = None
    event_bus_url: str = ""
    retry_delays: tuple[timedelta, ...] = DEFAULT_RETRY_DELAYS
    delivery_timeout: timedelta = _SECOND * 10
    # How long after a charge its balance transaction appears (Stripe: "up to one hour", asynchronous capture).
    settlement_delay: timedelta = timedelta(0)
    # How long the donor's bank takes to answer a direct debit (days in reality).
    debit_delay: timedelta = _SECOND * 2
    # How long the cardholder's bank reads the evidence against a dispute (weeks in reality).
    dispute_delay: timedelta = timedelta(0)
    # Whether a dispute that is won gives its fee back (ADR 0076).
    dispute_fee_returned: bool = True
    # How long a charge's money stays pending before it is available (Stripe: days, by country).
    available_delay: timedelta = timedelta(days=7)
    # How long the donor's bank takes over a refund that is not done at once.
    refund_delay: timedelta = _SECOND * 2
    # How long a payout is on its way, half of it until the bank has it (Stripe: days).
    payout_delay: timedelta = _SECOND * 2
    # What becomes of a subscription when the last attempt at an invoice failed (Stripe: set in the dashboard).
    after_retries: AfterRetries = "cancel"
    # How old a change must be before /search sees it (Stripe: "under one minute" in normal operation).
    search_lag: timedelta = timedelta(0)

    @property
    def has_destination(self) -> bool:
        """Whether events go anywhere."""
        return bool(self.webhook_url or self.event_bus)

    def __post_init__(self) -> None:
        if self.event_bus and (self.webhook_url or not _is_on_this_machine(self.event_bus_url)):
            raise ValueError(
                "STRIPE_SANDBOX_EVENT_BUS needs an http STRIPE_SANDBOX_EVENT_BUS_URL on this machine's loopback "
                "interface, and no STRIPE_SANDBOX_WEBHOOK_URL."
            )
        if not self.secret_key.startswith("sk_test_"):
            raise ValueError(
                "STRIPE_SANDBOX_SECRET_KEY must start with sk_test_: the sandbox never sees a live key."
            )
        if not self.publishable_key.startswith("pk_test_"):
            raise ValueError("STRIPE_SANDBOX_PUBLISHABLE_KEY must start with pk_test_.")
        if self.webhook_url and not _is_on_this_machine(self.webhook_url):
            raise ValueError(
                "STRIPE_SANDBOX_WEBHOOK_URL must be an http URL on this machine's loopback interface."
            )
        if self.webhook_url and not self.webhook_secret.startswith("whsec_"):
            raise ValueError(
                "STRIPE_SANDBOX_WEBHOOK_SECRET must start with whsec_ when a webhook URL is set."
            )


def port_from(environ: Mapping[str, str]) -> int:
    """The loopback port of `STRIPE_SANDBOX_PORT`."""
    return int(environ.get("STRIPE_SANDBOX_PORT", str(DEFAULT_PORT)))


def settings_from(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the `STRIPE_SANDBOX_*` variables. Raises ValueError with the variable's name."""
    missing = [name for name in _REQUIRED if not environ.get(name)]
    if missing:
        raise ValueError(f"{', '.join(missing)} must be set.")
    return Settings(
        state=Path(environ["STRIPE_SANDBOX_STATE"]),
        secret_key=environ["STRIPE_SANDBOX_SECRET_KEY"],
        publishable_key=environ["STRIPE_SANDBOX_PUBLISHABLE_KEY"],
        public_url=f"http://127.0.0.1:{port_from(environ)}",
        webhook_url=environ.get("STRIPE_SANDBOX_WEBHOOK_URL") or None,
        webhook_secret=environ.get("STRIPE_SANDBOX_WEBHOOK_SECRET", ""),
        event_bus=environ.get("STRIPE_SANDBOX_EVENT_BUS") or None,
        event_bus_url=environ.get("STRIPE_SANDBOX_EVENT_BUS_URL", ""),
        webhook_payload=_payload(environ.get("STRIPE_SANDBOX_WEBHOOK_PAYLOAD") or "snapshot"),
        settlement_delay=_seconds(environ, "STRIPE_SANDBOX_SETTLEMENT_SECONDS"),
        debit_delay=_seconds(environ, "STRIPE_SANDBOX_DEBIT_SECONDS", default=2),
        search_lag=_seconds(environ, "STRIPE_SANDBOX_SEARCH_LAG_SECONDS"),
        dispute_delay=_seconds(environ, "STRIPE_SANDBOX_DISPUTE_SECONDS"),
        dispute_fee_returned=_switch(environ, "STRIPE_SANDBOX_DISPUTE_FEE_RETURNED", default=True),
        refund_delay=_seconds(environ, "STRIPE_SANDBOX_REFUND_SECONDS", default=2),
        after_retries=_after_retries(environ.get("STRIPE_SANDBOX_AFTER_RETRIES") or "cancel"),
        payout_delay=_seconds(environ, "STRIPE_SANDBOX_PAYOUT_SECONDS", default=2),
        available_delay=_seconds(environ, "STRIPE_SANDBOX_AVAILABLE_SECONDS", default=7 * 24 * 3600),
    )


_REQUIRED = ("STRIPE_SANDBOX_STATE", "STRIPE_SANDBOX_SECRET_KEY", "STRIPE_SANDBOX_PUBLISHABLE_KEY")


def _is_on_this_machine(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def _payload(given: str) -> Payload:
    payloads: dict[str, Payload] = {"snapshot": "snapshot", "thin": "thin"}
    if given not in payloads:
        raise ValueError("STRIPE_SANDBOX_WEBHOOK_PAYLOAD must be snapshot or thin.")
    return payloads[given]


def _after_retries(given: str) -> AfterRetries:
    ends: dict[str, AfterRetries] = {"cancel": "cancel", "unpaid": "unpaid", "past_due": "past_due"}
    if given not in ends:
        raise ValueError("STRIPE_SANDBOX_AFTER_RETRIES must be cancel, unpaid or past_due.")
    return ends[given]


def _switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    given = environ.get(name) or str(default).lower()
    if given not in ("true", "false"):
        raise ValueError(f"{name} must be true or false.")
    return given == "true"


def _seconds(environ: Mapping[str, str], name: str, *, default: int = 0) -> timedelta:
    return timedelta(seconds=float(environ.get(name) or default))
