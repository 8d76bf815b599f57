"""How far the public log is behind the books, as anyone may ask it."""

from datetime import timedelta
from typing import Any

import pytest

from amply.infra.database import Database
from tests.backend.api_world import Api
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, LedgerWorld


@pytest.fixture
def ask(database: Database, databases: Databases) -> Any:
    """Asks ninety seconds after entries were booked, with no more rights than the API has."""
    own = databases.as_role("amply_api")
    api = Api(own, operator=database)
    api.clock.now = NOW + timedelta(seconds=90)
    yield lambda: api.client.get("/v1/public/log/freshness").json()
    own.close()


def test_an_empty_log_is_fresh(ask: Any) -> None:
    assert ask() == {
        "published_size": 0,
        "oldest_unpublished_seconds": 0,
        "takes_entries": True,
        "log_url": "http://edge.example/log",
    }


def test_an_entry_outside_every_checkpoint_shows_its_age(ask: Any, books: LedgerWorld) -> None:
    books.post()
    assert (ask()["published_size"], ask()["oldest_unpublished_seconds"]) == (0, 90), "not sequenced"

    books.sequence()
    assert (ask()["published_size"], ask()["oldest_unpublished_seconds"]) == (0, 90), "not published"

    books.publish()
    assert (ask()["published_size"], ask()["oldest_unpublished_seconds"]) == (1, 0)


def test_the_answer_is_documented_and_never_cached(database: Database) -> None:
    api = Api(database, operator=database)

    assert "/v1/public/log/freshness" in api.client.get("/openapi.json").json()["paths"]
    assert api.client.get("/v1/public/log/freshness").headers["cache-control"] == "no-store"
