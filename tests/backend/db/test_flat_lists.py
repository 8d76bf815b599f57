"""Lists are flat: a page far down reads as few rows as the first one, by an index in the list's own order.

What the API really asks is caught and explained by the database, over tables of twenty thousand rows and what it knows of them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.infra.vault import DONOR_INDEX
from amply.kernel.pagination import cursor_of
from amply.modules import donations
from amply.modules.access import Role
from amply.modules.mail import address_digest
from tests.backend.conftest import Databases
from tests.backend.member_world import House
from tests.backend.statements import heard

MANY: Final = 20_000
DEEP: Final = MANY // 2
PAGE: Final = 20
READ_MAX: Final = 10 * PAGE
"""Rows that a page may read of the table it lists: those it shows, and some that a filter passes over."""
GIVER: Final = "ada@example.org"

GIFT_FILTERS: Final = (
    *("", "status=failed", "currency=CHF", "fund_id=fund_1"),
    "since=2020-06-01T00:00:00Z&before=2022-01-01T00:00:00Z",
)

PAYOUT_FILTERS: Final = (
    *("", "status=failed", "currency=CHF"),
    "since=2020-06-01T00:00:00Z&before=2022-01-01T00:00:00Z",
)

_FILL: Final = (
    """
    INSERT INTO organization (id, slug, name, country, created_at)
    SELECT 'org_' || lpad(n::text, 26, '0'), 'large-' || n, 'Large ' || md5(n::text),
        CASE n % 10 WHEN 0 THEN 'FR' ELSE 'DE' END, timestamptz '2020-01-01Z' + n * interval '1 hour'
    FROM generate_series(1, :many) n
    """,
    """
    INSERT INTO donation (id, organization_id, minor_units, currency, status, donor_index, entry_id, created_at,
        updated_at, fund_id)
    SELECT 'don_' || lpad(n::text, 26, '0'), :of, 100 + n % 7, CASE n % 50 WHEN 0 THEN 'CHF' ELSE 'EUR' END,
        CASE n % 20 WHEN 0 THEN 'failed' ELSE 'succeeded' END, CASE n % 2 WHEN 0 THEN :giver ELSE convert_to('x' || n, 'UTF8') END,
        CASE WHEN n % 20 <> 0 THEN 'ent_' || n END,
        timestamptz '2020-01-01Z' + n * interval '1 hour', now(), CASE n % 40 WHEN 0 THEN 'fund_1' END
    FROM generate_series(1, :many) n
    """,
    """
    INSERT INTO payout (id, owner, minor_units, currency, status, is_automatic, created_at, arrives_on, asked_at)
    SELECT 'po_' || n, :of, 100, CASE n % 50 WHEN 0 THEN 'CHF' ELSE 'EUR' END,
        CASE n % 20 WHEN 0 THEN 'failed' ELSE 'paid' END, true, timestamptz '2020-01-01Z' + n * interval '1 hour', current_date, now()
    FROM generate_series(1, :many) n
    """,
    """
    INSERT INTO audit_record (content)
    SELECT json_build_object(
        'id', 'aud_' || lpad(n::text, 26, '0'), 'organization', CAST(:of AS text), 'outcome', 'done',
        'at', to_char(timestamp '2020-01-01' + n * interval '1 hour', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"'),
        'action', CASE n % 20 WHEN 0 THEN 'key.made' ELSE 'fund.created' END,
        'actor', json_build_object('kind', 'person', 'id', CASE n % 30 WHEN 0 THEN 'usr_b' ELSE 'usr_a' END)
    )::text
    FROM generate_series(1, :many) n
    """,
)


@dataclass
class Caught:
    """A statement as it was sent, with what it was given."""

    statement: str
    given: Any


class Large(House):
    """A house whose lists are long, and the statements that the API sends."""

    def fill(self) -> None:
        self.sent: list[Caught] = []
        assert self.own.keyring is not None
        giver = self.own.keyring.index(address_digest(GIVER), scope=DONOR_INDEX)
        with self.master.transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in _FILL:
                given = {"many": MANY, "of": self.organization_id, "giver": giver}
                session.execute(
                    text(statement), {name: given[name] for name in given if f":{name}" in statement}
                )
        with self.master.connection() as connection:
            connection.execute(text("ANALYZE organization, donation, payout, audit_record"))

    def catch(self, statement: str, given: Any) -> None:
        self.sent.append(Caught(statement, given))

    def read_of(self, table: str, **bound: Any) -> int:
        """How many rows of the table the statement that lists it read, in the list's order, as the database counts them."""
        (caught,) = [
            each for each in self.sent if f"FROM {table}" in each.statement and "LIMIT" in each.statement
        ]
        with self.own.transaction(**bound) as session:
            found = session.connection().exec_driver_sql(
                f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) {caught.statement}", caught.given
            )
            plan = found.scalar_one()[0]["Plan"]
        nodes = list(nodes_of(plan))
        told = json.dumps(plan, indent=1)
        of_table = [node for node in nodes if node.get("Relation Name") == LISTED[table]]
        assert of_table, told
        assert {node["Node Type"] for node in of_table} <= {"Index Scan", "Index Only Scan"}, told
        assert "Sort" not in {node["Node Type"] for node in nodes}, told
        return int(
            sum(
                (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
                for node in of_table
            )
        )


LISTED: Final = {
    "organization": "organization",
    "organization_gift": "donation",
    "donation": "donation",
    "payout": "payout",
    "audit_record": "audit_record",
}


def nodes_of(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


@pytest.fixture
def large(database: Database, databases: Databases) -> Iterator[Large]:
    made = Large(database, databases)
    made.put("usr_owner", Role.OWNER)
    made.fill()
    with heard(made.own, made.catch):
        yield made
    made.close()


def at(n: int) -> str:
    """When the n-th was made."""
    return (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=n)).isoformat()


def padded(prefix: str, n: int) -> str:
    return f"{prefix}_{n:026d}"


def test_no_list_of_the_api_reads_more_for_a_page_far_down(large: Large) -> None:
    """One test, since the tables are filled once."""
    of = {"organization_id": large.organization_id, "person_id": "usr_owner"}
    gift, payout, record = padded("don", DEEP), f"po_{DEEP}", padded("aud", DEEP)
    said = f"{at(DEEP)[:19]}.000Z"
    lists: list[tuple[str, str, list[str], tuple[str, ...]]] = [
        ("organization", "organisations:created_at", [at(DEEP), padded("org", DEEP)], ("", "country=FR")),
        ("organization", "organisations:-created_at", [at(DEEP), padded("org", DEEP)], ("", "country=FR")),
        ("organization", "organisations:name", ["Large 8", padded("org", DEEP)], ("", "country=FR")),
        ("organization", "organisations:-name", ["Large 8", padded("org", DEEP)], ("", "country=FR")),
        *(
            ("organization_gift", f"gifts:{sort}", [at(DEEP), gift], GIFT_FILTERS)
            for sort in ("-created_at", "created_at")
        ),
        *(
            ("payout", f"payouts:{sort}", [at(DEEP), payout], PAYOUT_FILTERS)
            for sort in ("-created_at", "created_at")
        ),
        ("audit_record", "audit", [said, record], ("", "action=key.made", "actor=person:usr_b")),
    ]
    paths = {
        "organization": "/v1/public/organisations",
        "organization_gift": "/gifts",
        "payout": "/payouts",
        "audit_record": "/audit",
    }
    wrong = []
    for table, order, place, filters in lists:
        sort = "" if order == "audit" else f"sort={order.partition(':')[2]}"
        for chosen in filters:
            for begins in ("", f"cursor={cursor_of(order, place)}"):
                large.sent.clear()
                asked = "&".join(part for part in (f"limit={PAGE}", sort, chosen, begins) if part)
                answer = large.ask("GET", f"{paths[table]}?{asked}", by="usr_owner")
                assert answer.status_code == 200, answer.text
                assert len(answer.json()["data"]) == PAGE, asked
                read = large.read_of(table, **({} if table == "organization" else of))
                if read > READ_MAX:
                    wrong.append(f"{table}?{asked} reads {read} rows")
    assert wrong == []


def test_of_gifts_a_donors_page_reads_their_own_alone(large: Large) -> None:
    """By one index, in the list's own order."""
    for cursor in (None, cursor_of("donor's gifts", [padded("don", DEEP)])):
        large.sent.clear()
        with large.own.transaction() as session:
            page = donations.own_gifts(
                session,
                email_sha256=address_digest(GIVER),
                organization_id=None,
                cursor=cursor,
                limit=PAGE,
            )
        assert len(page.items) == PAGE
        assert large.read_of("donation") <= READ_MAX


def test_strangers_read_payouts_by_the_same_index(large: Large) -> None:
    for cursor in ("", f"&cursor={cursor_of('payouts:-created_at', [at(DEEP), f'po_{DEEP}'])}"):
        large.sent.clear()
        path = f"/v1/public/organisations/{large.organization_id}/payouts?limit={PAGE}{cursor}"
        assert large.client.get(path).status_code == 200
        assert large.read_of("payout") <= READ_MAX
