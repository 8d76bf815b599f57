"""Database for each example of a property test, and concurrent execution."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from amply.infra.database import Database
from amply.modules.donations.provider_events.context import GiftNotBookedYet
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Server, fresh_databases
from tests.backend.ledger_world import LedgerWorld


@contextmanager
def database_of_its_own(server: Server) -> Iterator[tuple[Database, LedgerWorld]]:
    """As the application's role, and the ledger in it."""
    with fresh_databases(server) as databases:
        app = databases.as_role("amply_app", pool_size=8)
        sequencer = databases.as_role("amply_sequencer")
        yield app, LedgerWorld(app=app, sequencer=sequencer, secrets=SECRETS)


def all_at_once(handle: Callable[[str], object], event_ids: Sequence[str]) -> list[str]:
    """Handle these events in four threads; returns those that came too early."""

    def one(event_id: str) -> str | None:
        try:
            handle(event_id)
        except GiftNotBookedYet:
            return event_id
        return None

    with ThreadPoolExecutor(4) as pool:
        return [early for early in pool.map(one, event_ids) if early is not None]
