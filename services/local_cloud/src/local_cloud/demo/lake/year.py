"""Synthetic facts of a year of gifts by consenting donors, in the worker's format.

Their columns and names are those of docs/adr/0137-sharing-by-consent.md; the donors, their gifts and consents are drawn.
"""

import hashlib
import io
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from local_cloud.demo.lake.data_platform import DataPlatform

DONORS: Final = 2_000
DATASET: Final = "donations"
_DAYS: Final = 365
_TODAY_SHARE: Final = 0.15
"""Of gifts given on the last day, as on days when all appeal at once: so that the newest month is never a small one."""
_IN_A_FILE: Final = 5_000
_IN_A_CALL: Final = 25
_RECEIVERS: Final = (
    ("river-watch", "DE", "sdg6 sdg14"),
    ("night-shelter", "DE", "sdg1 sdg11"),
    ("alpine-rescue", "AT", "sdg3"),
    ("school-garden", "CH", "sdg2 sdg4"),
    ("sea-rescue", "DE", "sdg14"),
)
_KINDS: Final = {"given_at": pa.date32(), "amount_minor": pa.int64(), "is_recurring": pa.bool_()}

Fact = dict[str, Any]


def donor(mark: str, number: int) -> str:
    """What somebody is called in the lake: 64 hexadecimal digits, as those of real donors."""
    return _name(f"{mark}/donor/{number}")


def gifts(mark: str, *, today: date, donors: int = DONORS) -> Iterator[Fact]:
    """One to three gifts of each donor; the same for the same mark."""
    chance = random.Random(mark)  # noqa: S311 -- nobody has to be unable to guess them
    for number in range(donors):
        person = donor(mark, number)
        organization, country, cause = chance.choice(_RECEIVERS)
        is_recurring = chance.random() < 0.3  # noqa: PLR2004 -- as many as often give by the month
        for gift in range(chance.choice((1, 1, 2, 3))):
            days_ago = 0 if chance.random() < _TODAY_SHARE else chance.randrange(_DAYS)
            euros = chance.choice((5, 10, 20, 25, 50, 100, 250))
            yield {
                "event_id": _name(f"{person}/event/{gift}"),
                "donor_id": person,
                "gift_id": _name(f"{person}/gift/{gift}"),
                "given_at": today - timedelta(days=days_ago),
                "kind": "gift",
                "amount_minor": euros * 100,
                "amount_band": _band(euros),
                "currency": "EUR",
                "organization": organization,
                "country": country,
                "fund_kind": "",
                "cause": cause,
                "method": chance.choice(("online", "online", "online", "bank_transfer")),
                "is_recurring": is_recurring,
            }


def consent(platform: DataPlatform, mark: str, *, donors: int = DONORS) -> None:
    """Say in the table of consents that all of them let facts be shared, as the worker says it of donors."""
    now = datetime.now(UTC)
    table = platform.named("CONSENT_TABLE")
    for first in range(0, donors, _IN_A_CALL):
        items = [
            {
                "subject": {"S": donor(mark, number)},
                "purpose": {"S": "analytics"},
                "state": {"S": "given"},
                "version": {"N": "1"},
                "changed_on": {"S": now.date().isoformat()},
                "changed_at": {"S": now.isoformat()},
            }
            for number in range(first, min(first + _IN_A_CALL, donors))
        ]
        platform.cloud.dynamodb.batch_write_item(
            RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]}
        )


def hand_in(platform: DataPlatform, facts: Sequence[Fact], *, today: date) -> list[str]:
    """Put files into the raw bucket; their names below the dataset."""
    names = []
    for first in range(0, len(facts), _IN_A_FILE):
        some = facts[first : first + _IN_A_FILE]
        named = hashlib.sha256("\n".join(sorted(fact["event_id"] for fact in some)).encode()).hexdigest()
        names.append(f"dt={today.isoformat()}/{named}.parquet")
        platform.put_raw(f"{DATASET}/{names[-1]}", parquet(some))
    return names


def parquet(facts: Sequence[Fact]) -> bytes:
    """A file of facts."""
    schema = pa.schema([(name, _KINDS.get(name, pa.string())) for name in facts[0]])
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(facts), schema=schema), written, compression="zstd")
    return written.getvalue()


def _band(euros: int) -> str:
    """The power of ten that an amount begins in: `10-99`."""
    low = int(10 ** (len(str(euros)) - 1))
    return f"{low}-{low * 10 - 1}"


def _name(of: str) -> str:
    return hashlib.sha256(of.encode()).hexdigest()
