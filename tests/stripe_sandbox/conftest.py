"""The sandbox under test: a real server, a real webhook endpoint, the vendor's own client."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.onboarding import onboard
from tests.stripe_sandbox.running import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    Endpoint,
    Sandbox,
    receiving,
    running,
)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with receiving() as endpoint:
        yield endpoint


@pytest.fixture
def settings(tmp_path: Path, endpoint: Endpoint) -> Settings:
    return Settings(
        state=tmp_path / "stripe.sqlite3",
        secret_key=SECRET_KEY,
        publishable_key=PUBLISHABLE_KEY,
        webhook_url=endpoint.url,
        webhook_secret=WEBHOOK_SECRET,
        retry_delays=(timedelta(milliseconds=20),) * 3,
    )


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    with running(settings) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox without an endpoint for a whole file: for many small requests that leave nothing behind."""
    state = tmp_path_factory.mktemp("shared") / "stripe.sqlite3"
    with running(Settings(state=state, secret_key=SECRET_KEY, publishable_key=PUBLISHABLE_KEY)) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    return sandbox.client()


@pytest.fixture
def account(client: stripe.StripeClient) -> str:
    """An organisation that is ready to take cards."""
    return onboard(client)
