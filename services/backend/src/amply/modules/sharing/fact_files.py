"""Writes facts of gifts into raw files of the lake.

What may be written is looked at after the file's version was asked for, and the file is replaced only while it still has that
version: of two writers, the one who looked later wins, so that nobody who withdrew comes back by a slow one.
"""

import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, text, update
from sqlalchemy.orm import Session

from amply.infra.due_rows import work_off
from amply.kernel.money import exponent_of
from amply.modules.sharing.consent_sync import SharingDependencies
from amply.modules.sharing.domain import GIFTS_MAX, Fact, band_of
from amply.modules.sharing.fact_selection import choose
from amply.modules.sharing.models import BatchRow
from amply.modules.sharing.names import LakeNames

_FILES_MAX: Final = 20
_AGAIN: Final = timedelta(minutes=10)
"""Longer than writing a file takes."""
_AGAIN_MAX: Final = timedelta(minutes=50)
"""Maximum backoff: each hourly run retries."""
NOT_WRITTEN: Final = "facts_not_written"

_log = structlog.get_logger()

_CONSENTED: Final = text("""
    SELECT fact.span_id, fact.donation_id, fact.number, fact.amount_minor, fact.happened_on,
        donation.currency, donation.method, organization.slug, organization.country, organization.sdgs,
        fund.kind AS fund_kind,
        EXISTS (SELECT FROM plan_charge WHERE plan_charge.donation_id = fact.donation_id) AS is_recurring
    FROM sharing_fact AS fact
    JOIN sharing_span AS span ON span.id = fact.span_id AND span.is_given
    JOIN donation ON donation.id = fact.donation_id AND donation.erased_at IS NULL
    JOIN organization ON organization.id = donation.organization_id
    LEFT JOIN fund ON fund.id = donation.fund_id
    WHERE fact.batch_id = :batch_id
""")


def write_facts(parts: SharingDependencies, *, now: datetime) -> int:
    """Select due facts and write them; return the number of files. Resumable after a crash."""
    names = LakeNames.at_hand(parts.database)
    for _ in range(_FILES_MAX):
        if choose(parts.database, names, now=now) < GIFTS_MAX:
            break
    return work_off(
        parts.database,
        BatchRow,
        BatchRow.written_at.is_(None),
        do=lambda row: _write(parts, names, row, now=now),
        most=2 * _FILES_MAX,
        now=now,
        first_again=_AGAIN,
        again_max=_AGAIN_MAX,
    )


def parquet_of(facts: Sequence[Fact]) -> bytes:
    """The file, deterministic and ordered by pseudonym."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy: only who shares pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415 -- the same

    kinds = {"given_at": pa.date32(), "amount_minor": pa.int64(), "is_recurring": pa.bool_()}
    schema = pa.schema([(each.name, kinds.get(each.name, pa.string())) for each in fields(Fact)])
    lines = [asdict(fact) for fact in sorted(facts, key=lambda fact: fact.event_id)]
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(lines, schema=schema), written, compression="zstd")
    return written.getvalue()


def _write(parts: SharingDependencies, names: LakeNames, row: BatchRow, *, now: datetime) -> int:
    """Write one; whatever stops this one must not stop the others."""
    try:
        stands = parts.files.version(row.path)
        with parts.database.transaction() as session:
            facts = _consented(session, names, batch_id=row.id)
        # Where everybody withdrew an empty file is written, so that a slower writer, who saw none, finds one.
        parts.files.write(row.path, parquet_of(facts), replaces=stands)
    except Exception as error:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.error(NOT_WRITTEN, batch_id=row.id, attempts=row.attempts, reason=type(error).__name__)
        return 0
    with parts.database.transaction() as session:
        session.execute(
            update(BatchRow)
            .where(BatchRow.id == row.id)
            .values(rows=len(facts), written_at=now)
            .execution_options(synchronize_session=False)
        )
    return 1


def _consented(session: Session, names: LakeNames, *, batch_id: str) -> list[Fact]:
    return [_fact(row, names) for row in session.execute(_CONSENTED, {"batch_id": batch_id})]


def _fact(row: Row[Any], names: LakeNames) -> Fact:
    return Fact(
        event_id=names.event(row.span_id, row.donation_id, row.number),
        donor_id=names.person(row.span_id),
        gift_id=names.gift(row.span_id, row.donation_id),
        given_at=row.happened_on,
        kind="gift" if row.number == 1 else "change",
        amount_minor=row.amount_minor,
        amount_band=band_of(abs(row.amount_minor) // 10 ** exponent_of(row.currency)),
        currency=row.currency,
        organization=row.slug,
        country=row.country,
        fund_kind=row.fund_kind or "",
        cause=" ".join(f"sdg{goal}" for goal in sorted(row.sdgs)),
        method=row.method or "online",
        is_recurring=row.is_recurring,
    )
