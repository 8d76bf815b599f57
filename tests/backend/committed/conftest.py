"""Session fixtures over committed data: public ledgers, a witnessed one, an organisation with its people, an applicant."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import ledger
from tests.backend.api_world import Api
from tests.backend.application_world import Applicant
from tests.backend.conftest import Databases
from tests.backend.ledger_world import ORG, LedgerWorld
from tests.backend.member_world import House
from tests.backend.partners import Partner, asking, partners
from tests.backend.public_ledger import PublicLedger


@pytest.fixture
def public(books: LedgerWorld, databases: Databases) -> Iterator[PublicLedger]:
    made = PublicLedger(books, databases)
    with made.client:
        yield made
    made.own.close()


_MANY = r"""
    INSERT INTO leaf (idx, entry_id, org, org_seq, org_prev, bytes)
    SELECT
        number, 'ent_' || lpad(number::text, 26, '0'), CAST(:org AS text), number,
        CASE WHEN number > 0 THEN sha256('') END,
        convert_to(format(
            '{"id":"ent_%s","kind":"donation.succeeded","log":"log.example/tests","org":"%s","org_seq":"%s",'
            '"transfers":[{"amt":"2500","c":"%s/gifts","cur":"EUR","d":"%s/processor_balance"}],'
            '"ts":"2026-%s-01T00:00Z","v"\:1}',
            lpad(number::text, 26, '0'), CAST(:org AS text), number, CAST(:org AS text), CAST(:org AS text), lpad((1 + number * 11 / CAST(:many AS bigint))::text, 2, '0')
        ), 'UTF8')
    FROM generate_series(0, CAST(:many AS bigint) - 1) AS number
"""


@pytest.fixture
def large(public: PublicLedger, databases: Databases) -> PublicLedger:
    """Thirty thousand published entries, put there without the sequencer's work."""
    many = 30_000
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(_MANY), {"org": ORG, "many": many})
        session.execute(
            text(
                "INSERT INTO checkpoint (size, root, note, created_at, published_at) "
                "VALUES (:many, sha256(''), 'signed', now(), now())"
            ),
            {"many": many},
        )
    with master.connection() as connection:
        connection.execute(text("ANALYZE leaf, checkpoint"))
    master.close()
    ledger.fold_days(public.books.app)
    return public


@pytest.fixture
def three(books: LedgerWorld, tmp_path: Path) -> Mapping[str, Partner]:
    return partners(tmp_path, books.verifier)


@pytest.fixture
def watched(books: LedgerWorld, three: Mapping[str, Partner]) -> LedgerWorld:
    """The ledger with its three witnesses."""
    books.witnesses = asking(three)
    return books


@pytest.fixture
def api(database: Database, databases: Databases) -> Iterator[Api]:
    """With no more rights than the API has; organisations are made by an operator."""
    own = databases.as_role("amply_api")
    made = Api(own, operator=database)
    with made.client:
        yield made
    own.close()


@pytest.fixture
def house(database: Database, databases: Databases) -> Iterator[House]:
    """An organisation with somebody of each role, and the API they ask."""
    made = House(database, databases)
    with made.client:
        yield made
    made.close()


@pytest.fixture
def ada(house: House) -> Applicant:
    return Applicant(house)


@pytest.fixture
def operator(databases: Databases) -> Iterator[Database]:
    """The database as staff's commands use it."""
    opened = databases.as_role("amply_operator")
    yield opened
    opened.close()
