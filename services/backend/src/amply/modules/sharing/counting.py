"""Of how many people facts were handed in, by organisation: what a dataset made of gifts is divided by (ADR 0143)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_PEOPLE: Final = text("""
    SELECT donation.organization_id, count(DISTINCT fact.span_id) AS people
    FROM sharing_fact AS fact
    JOIN sharing_batch AS batch ON batch.id = fact.batch_id
    JOIN donation ON donation.id = fact.donation_id
    WHERE batch.written_at < :until
      AND NOT EXISTS (
          SELECT FROM sharing_consent AS consent
          WHERE consent.span_id = fact.span_id
            AND consent.decision = 'withdrawn'
            AND consent.decided_at < :until
      )
    GROUP BY donation.organization_id
""")


def people_by_organization(session: Session, until: datetime) -> Mapping[str, int]:
    """How many people's gifts to each organisation had been handed in by then, without those who had withdrawn by then.

    Somebody who gave to two organisations counts for both. Whoever was erased since is not counted any more.
    """
    rows = session.execute(_PEOPLE, {"until": until})
    return {row.organization_id: int(row.people) for row in rows}
