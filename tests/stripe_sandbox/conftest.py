"""The sandbox as a real server, a real webhook endpoint, and the Stripe SDK."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox import at_stripe
from tests.stripe_sandbox.onboarding import onboard
from tests.stripe_sandbox.running import (
    Endpoint,
    Sandbox,
    receiving,
    running,
    settings_in,
)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with receiving() as endpoint:
        yield endpoint


@pytest.fixture
def settings(tmp_path: Path, endpoint: Endpoint) -> Settings:
    return settings_in(
        tmp_path,
        endpoint,
        retry_delays=(timedelta(milliseconds=20),) * 3,
    )


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    with running(settings) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox without an endpoint for a whole file: for many small requests that leave nothing behind."""
    directory = tmp_path_factory.mktemp("shared")
    with running(settings_in(directory)) as sandbox:
        yield sandbox


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """Where a test runs: in the sandbox, and one marked `also_at_stripe` at Stripe itself when that is asked for."""
    chosen: str = getattr(request, "param", at_stripe.SANDBOX)
    return chosen


@pytest.fixture
def client(place: str, request: pytest.FixtureRequest) -> stripe.StripeClient:
    if place == at_stripe.STRIPE:
        return at_stripe.client()
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    return sandbox.client()


@pytest.fixture
def account(place: str, client: stripe.StripeClient) -> str:
    """An organisation that is ready to take cards."""
    return at_stripe.connected_account() if place == at_stripe.STRIPE else onboard(client)


@pytest.fixture
def key() -> str:
    """An idempotency key that nobody has used: Stripe keeps them for a day."""
    return f"test-{uuid.uuid4()}"
