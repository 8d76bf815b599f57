"""What a gift asks of the database does not grow: neither with the gifts before it, nor unseen with what is added to it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from amply.infra import idempotency
from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import defence
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.service import donate
from tests.backend.conftest import Databases
from tests.backend.statements import heard
from tests.backend.world import NOW, CountsNothing, FakeClock, FakeProcessor, ready_organization

_KEYS = """
    INSERT INTO idempotency_key (scope, key, request_hash, resource_id, created_at)
    SELECT 'POST /v1/donations', 'key-' || n, '\\x00', 'don_' || n, now() FROM generate_series(1, 5000) n
"""


@contextmanager
def sent_by(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile, by their first words."""
    sent: list[str] = []

    with heard(database, lambda statement, _: sent.append(statement.split(maxsplit=1)[0])):
        yield sent


def test_an_answer_is_stored_without_looking_through_the_keys_of_other_gifts(databases: Databases) -> None:
    app, master = databases.as_role("amply_app"), databases.as_role("master")
    explained = text(f"EXPLAIN {idempotency._ANSWER.text}").bindparams(bindparam("body", type_=JSONB))
    with app.transaction() as session:
        session.execute(text(_KEYS))
    with master.transaction() as session:
        session.execute(text("ANALYZE idempotency_key"))
        told = {"scope": "POST /v1/donations", "resource_id": "don_1", "status": 201, "body": {}}
        plan = "\n".join(session.scalars(explained, told))

    assert "Index Scan using ix_idempotency_key_resource_id" in plan


def test_a_gift_is_one_look_and_five_statements(database: Database) -> None:
    processor = FakeProcessor()
    gift = Gift(
        organization_id=ready_organization(database, processor),
        amount=Money(minor_units=2500, currency="EUR"),
        donor=Donor(name="Ada", email="ada@example.org"),
        message=None,
    )
    attempt = defence.Attempt(
        client=defence.Client(address="198.18.0.1", device=""),
        organization_id=gift.organization_id,
        mail=gift.donor.email,
        amount=gift.amount,
        idempotency_key="key-1",
    )
    gate = defence.gate(database, CountsNothing())
    gate.admit(attempt, solution=None, now=NOW)  # finds the key of the day, once a process

    with sent_by(database) as sent:
        marks = gate.admit(attempt, solution=None, now=NOW)
        donate(database, processor, gift=gift, key="key-1", request={}, clock=FakeClock(), marks=marks)

    # The look; the key, the account, the rows of gift, payment and marks; what the processor said, and the answer.
    assert sent == ["SELECT", "INSERT", "SELECT", "WITH", "UPDATE", "UPDATE"]


def test_a_connection_that_the_server_has_ended_is_found_out_before_it_is_used(databases: Databases) -> None:
    app, master = databases.as_role("amply_app"), databases.as_role("master")
    with app.transaction() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    with master.transaction() as session:
        # Waits until it has ended.
        assert session.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    with app.transaction() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != pid
