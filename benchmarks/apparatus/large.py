"""A platform that has been in use for years: organisations, gifts, and the entries of those that arrived.

`python -m benchmarks.apparatus.large` (`make seed-large`) fills a database of its own, never the local platform's: 10,000
organisations and 1,000,000 gifts, one organisation with a quarter of them. Rows come by COPY, a batch a transaction, with
every constraint and trigger on: each entry is written with its transfers by one statement, each leaf continues its
organisation's chain and has the bytes that the format says. The same seed makes the same rows. A run that was ended goes on
with the next batch; one that is complete does nothing.

What is not there: postings and balances, tiles and signatures (no list shows them), so no sequencer can continue this log.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from amply.infra.database import Database, connect
from amply.kernel.ids import id_of
from amply.modules import ledger
from benchmarks.apparatus.postgresql import kept
from ledger_format.entries import Entry, Transfer, encode, to_minute
from ledger_format.merkle import leaf_hash

ORGANIZATIONS: Final = 10_000
GIFTS: Final = 1_000_000
BATCH: Final = 10_000
SEED: Final = 1
DIRECTORY: Final = Path("var/large")

ORIGIN: Final = "log.example/large"
BEGAN: Final = datetime(2024, 10, 1, tzinfo=UTC)
LASTS: Final = timedelta(days=730)
_LARGEST: Final = 0.25
_IN_ITS_CURRENCY: Final = 0.95
_FOR_A_FUND: Final = 0.2
_FUNDS: Final = 3
_CURRENCIES: Final = ("EUR", "GBP", "USD", "CHF")
_STATUSES: Final = ("succeeded", "failed", "canceled", "pending")
_OF_A_HUNDRED: Final = (90, 5, 3, 2)

_COPIED: Final = {
    "donation": "id, organization_id, minor_units, currency, status, entry_id, created_at, updated_at, fund_id",
    "payment": "id, donation_id, organization_id, account_id, minor_units, currency, status, remote_id, created_at,"
    " updated_at",
    "receipt": "donation_id, entry_id, next_attempt_at, sent_at",
    "seeded_entry": "id, organization_id, event_at, debit, credit, currency, amount_minor",
    "leaf": "idx, entry_id, org, org_seq, org_prev, bytes",
}
_STAGE: Final = """
    CREATE TEMPORARY TABLE seeded_entry (
        id text, organization_id text, event_at timestamptz, debit text, credit text, currency text, amount_minor bigint
    ) ON COMMIT DROP
"""
# An entry is checked when its statement ends, and has its transfers by then.
_POST: Final = """
    WITH posted AS (
        INSERT INTO entry (id, kind, organization_id, idempotency_key, event_at, created_at, commitments)
        SELECT id, 'donation.succeeded', organization_id, id, event_at, event_at, '{}' FROM seeded_entry
    )
    INSERT INTO transfer (entry_id, line, debit, credit, currency, amount_minor)
    SELECT id, 0, debit, credit, currency, amount_minor FROM seeded_entry
"""
_CHECKPOINT: Final = """
    INSERT INTO checkpoint (size, previous_size, root, note, created_at, published_at)
    SELECT %(size)s, max(size), sha256(''), 'seeded', %(at)s, %(at)s FROM checkpoint HAVING coalesce(max(size), 0) < %(size)s
"""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much there is. `gifts` is rounded up to whole batches."""

    organizations: int = ORGANIZATIONS
    gifts: int = GIFTS
    batch: int = BATCH
    seed: int = SEED

    @property
    def batches(self) -> int:
        return -(-self.gifts // self.batch)

    @property
    def between(self) -> timedelta:
        """From one gift to the next."""
        return LASTS / (self.batches * self.batch)


@dataclass
class Rows:
    """What one batch writes, by table."""

    of: dict[str, list[Sequence[Any]]] = field(default_factory=lambda: {name: [] for name in _COPIED})


def organization_id(number: int) -> str:
    """The first has a quarter of all gifts."""
    return id_of("org", number)


def fund_id(organization: int, number: int) -> str:
    """Each organisation's first funds."""
    return id_of("fund", organization * _FUNDS + number)


def fill(master_url: str, app: Database, size: Size) -> bool:
    """Write what is missing, as the database's master user; return whether anything was. `app` sums the days up.

    Raises:
        SystemExit: The database holds rows of another size or seed.
    """
    wanted = f"{size.organizations}-{size.gifts}-{size.batch}-{size.seed}"
    with psycopg.connect(master_url) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS seeded (batch integer PRIMARY KEY, size text NOT NULL)"
        )
        if any(row[0] != wanted for row in connection.execute("SELECT DISTINCT size FROM seeded")):
            raise SystemExit(
                "This database was seeded with other numbers: remove its directory, or name another one."
            )
        known = connection.execute("SELECT coalesce(max(batch), -2) FROM seeded").fetchone()
        first = int(known[0]) + 1 if known else -1
        if first == size.batches:
            return False
        if first == -1:
            _organizations(connection, size)
            _note(connection, -1, wanted)
            first = 0
        ends = _chain_ends(connection)
        for batch in range(first, size.batches):
            _write(connection, size, batch, ends)
            _note(connection, batch, wanted)
        while ledger.fold_days(app):
            pass
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE)")
    return True


def _note(connection: psycopg.Connection[Any], batch: int, size: str) -> None:
    connection.execute("INSERT INTO seeded (batch, size) VALUES (%s, %s)", (batch, size))
    connection.commit()


def _organizations(connection: psycopg.Connection[Any], size: Size) -> None:
    countries = ("DE", "FR", "GB", "US", "CH", "AT")
    with connection.cursor() as cursor:
        with cursor.copy("COPY organization (id, slug, name, country, created_at) FROM STDIN") as copy:
            for number in range(size.organizations):
                at = BEGAN + number * LASTS / size.organizations
                name = f"Organisation {number}"
                country = countries[number % len(countries)]
                copy.write_row((organization_id(number), f"organisation-{number}", name, country, at))
        with cursor.copy(
            "COPY processor_account (organization_id, account_id, status, updated_at) FROM STDIN"
        ) as copy:
            for number in range(size.organizations):
                copy.write_row((organization_id(number), f"acct_{number}", "active", BEGAN))
        with cursor.copy("COPY fund (id, organization_id, name, kind, created_at) FROM STDIN") as copy:
            for number in range(size.organizations):
                for which in range(_FUNDS):
                    copy.write_row(
                        (fund_id(number, which), organization_id(number), f"Fund {which}", "fund", BEGAN)
                    )


def _chain_ends(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, bytes]]:
    """Each organisation's last sequence number and leaf hash: what its next entry continues."""
    newest = "SELECT DISTINCT ON (org) org, org_seq, leaf_hash FROM leaf ORDER BY org, org_seq DESC"
    return {org: (org_seq, bytes(found)) for org, org_seq, found in connection.execute(newest)}


def _write(
    connection: psycopg.Connection[Any], size: Size, batch: int, ends: dict[str, tuple[int, bytes]]
) -> None:
    rows = Rows()
    head = connection.execute("SELECT coalesce(max(idx) + 1, 0) FROM leaf").fetchone()
    idx = int(head[0]) if head else 0
    for gift in _gifts(size, batch):
        idx += _add(rows, gift, idx, ends)
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        for table in ("donation", "payment", "receipt", "seeded_entry"):
            _copy(cursor, table, rows)
        cursor.execute(_POST)
        _copy(cursor, "leaf", rows)
        cursor.execute(_CHECKPOINT, {"size": idx, "at": BEGAN + (batch + 1) * size.batch * size.between})


def _copy(cursor: psycopg.Cursor[Any], table: str, rows: Rows) -> None:
    with cursor.copy(f"COPY {table} ({_COPIED[table]}) FROM STDIN".encode()) as copy:
        for row in rows.of[table]:
            copy.write_row(row)


@dataclass(frozen=True, kw_only=True)
class _Gift:
    number: int
    organization: int
    minor_units: int
    currency: str
    status: str
    fund: int | None
    at: datetime
    bits: tuple[int, int, int]
    """What the ids of the gift, its payment and its entry are made of."""


def _gifts(size: Size, batch: int) -> Iterator[_Gift]:
    """The gifts of a batch in the order of their time: nothing but the seed and the batch decides what they are."""
    draw = random.Random(f"{size.seed}:{batch}")  # noqa: S311 -- it has to be the same again
    for number in range(batch * size.batch, (batch + 1) * size.batch):
        is_largest = draw.random() < _LARGEST
        organization = 0 if is_largest else min(int(draw.paretovariate(0.6)), size.organizations) - 1
        at = BEGAN + number * size.between
        moment = int(at.timestamp() * 1000) << 80
        yield _Gift(
            number=number,
            organization=organization,
            minor_units=draw.randrange(200, 50_000),
            currency=_CURRENCIES[organization % len(_CURRENCIES)]
            if draw.random() < _IN_ITS_CURRENCY
            else "EUR",
            status=draw.choices(_STATUSES, _OF_A_HUNDRED)[0],
            fund=draw.randrange(_FUNDS) if draw.random() < _FOR_A_FUND else None,
            at=at,
            bits=(moment | draw.getrandbits(80), moment | draw.getrandbits(80), draw.getrandbits(128)),
        )


def _add(rows: Rows, gift: _Gift, idx: int, ends: dict[str, tuple[int, bytes]]) -> int:
    """Add what a gift consists of; return how many entries it has."""
    owner, account = organization_id(gift.organization), f"acct_{gift.organization}"
    donation_id, payment_id = id_of("don", gift.bits[0]), id_of("pay", gift.bits[1])
    entry_id = id_of("ent", gift.bits[2]) if gift.status == "succeeded" else None
    fund = None if gift.fund is None else fund_id(gift.organization, gift.fund)
    amount = (gift.minor_units, gift.currency)
    rows.of["donation"].append((donation_id, owner, *amount, gift.status, entry_id, gift.at, gift.at, fund))
    remote_id = f"pi_{gift.number}"
    rows.of["payment"].append(
        (payment_id, donation_id, owner, account, *amount, gift.status, remote_id, gift.at, gift.at)
    )
    if entry_id is None:
        return 0
    rows.of["receipt"].append((donation_id, entry_id, gift.at, gift.at))
    credit = f"{owner}/gifts" if fund is None else f"{owner}/gifts/{fund}"
    moved = Transfer(f"{owner}/processor_balance", credit, gift.currency, gift.minor_units)
    rows.of["seeded_entry"].append(
        (entry_id, owner, gift.at, moved.debit, moved.credit, moved.currency, moved.amount_minor)
    )
    last, before = ends.get(owner, (-1, None))
    entry = Entry(
        log=ORIGIN,
        id=entry_id,
        kind="donation.succeeded",
        ts=to_minute(gift.at),
        org=owner,
        org_seq=last + 1,
        org_prev=before,
        transfers=(moved,),
    )
    raw = encode(entry)
    rows.of["leaf"].append((idx, entry_id, owner, last + 1, before, raw))
    ends[owner] = (last + 1, leaf_hash(raw))
    return 1


def main() -> None:
    """Fill the database in `--directory`; the last line is JSON."""
    parser = argparse.ArgumentParser(description="Fill a database of its own with a large platform's rows.")
    parser.add_argument("--directory", type=Path, default=DIRECTORY)
    parser.add_argument("--organizations", type=int, default=ORGANIZATIONS)
    parser.add_argument("--gifts", type=int, default=GIFTS)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    size = Size(organizations=asked.organizations, gifts=asked.gifts, seed=asked.seed)
    started = time.monotonic()
    with kept(asked.directory.resolve()) as pg:
        app = connect(pg.settings("amply_app"), application="benchmark")
        is_new = fill(pg.master_url, app, size)
        app.close()
        print(
            f"{asked.directory} holds {size.organizations:,} organisations and {size.batches * size.batch:,} gifts"
        )
        told = {
            "seeded": is_new,
            "organizations": pg.count("SELECT count(*) FROM organization"),
            "gifts": pg.count("SELECT count(*) FROM donation"),
            "entries": pg.count("SELECT count(*) FROM leaf"),
            "seconds": round(time.monotonic() - started),
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
