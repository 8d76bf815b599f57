"""Copies consent decisions to the lake's consent table. Idempotent: grants need a newer version, withdrawals are final."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, update

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.modules.sharing.domain import Decision, PublishedConsent, Purpose
from amply.modules.sharing.models import SpanRow
from amply.modules.sharing.names import LakeNames
from amply.modules.sharing.ports import ConsentTable, RawFiles
from amply.modules.sharing.service import end_withdrawn

_BATCH_MAX: Final = 500
_AGAIN_MAX: Final = timedelta(minutes=10)
"""Maximum backoff, so that an outage of an hour does not delay a withdrawal for a day."""
UNTOLD: Final = "consent_not_told"
WITHDRAWN_THERE: Final = "consent_withdrawn_in_the_table"

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class SharingDependencies:
    """Dependencies of the data sharing tasks."""

    database: Database
    consents: ConsentTable
    files: RawFiles


def tell_consents(parts: SharingDependencies, *, now: datetime) -> int:
    """Publish changed consents to the consent table; return how many. Safe to repeat after a crash."""
    names = LakeNames.at_hand(parts.database)
    return work_off(
        parts.database,
        SpanRow,
        SpanRow.told_version < SpanRow.version,
        do=lambda row: _tell(parts, names, row, now=now),
        most=_BATCH_MAX,
        now=now,
        again_max=_AGAIN_MAX,
    )


def _tell(parts: SharingDependencies, names: LakeNames, row: SpanRow, *, now: datetime) -> int:
    told = PublishedConsent(
        subject=names.person(row.id),
        purpose=Purpose(row.purpose),
        state=Decision.GIVEN if row.is_given else Decision.WITHDRAWN,
        version=row.version,
        changed_at=row.changed_at,
        told_at=now,
    )
    span = update(SpanRow).where(SpanRow.id == row.id).execution_options(synchronize_session=False)
    try:
        stands = parts.consents.put(told)
    except Exception as error:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.error(UNTOLD, span_id=row.id, attempts=row.attempts, reason=type(error).__name__)
        return 0
    with parts.database.transaction() as session:
        # A late message, or a database that was restored to before the withdrawal.
        if stands is Decision.WITHDRAWN and row.is_given and end_withdrawn(session, row.id, now=now):
            _log.warning(WITHDRAWN_THERE, span_id=row.id)
        session.execute(
            span.values(told_version=func.greatest(SpanRow.told_version, row.version), attempts=0)
        )
    return 1
