"""Counts the people with exported facts by organisation, by which a dataset's revenue is divided (ADR 0143).

Shares are public, and in proportion to these numbers. So they are as coarse as what the sellers' page tells of people (ADR 0145).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

PEOPLE_MIN: Final = 20
"""Organisations with fewer people get no share, which would reveal individuals' decisions."""
PEOPLE_STEP: Final = 10
"""Counts are rounded down to it, so that one decision rarely changes a share."""

_PEOPLE: Final = text("""
    SELECT donation.organization_id, count(DISTINCT fact.span_id) / :step * :step AS people
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
    HAVING count(DISTINCT fact.span_id) >= :people_min
""")


def people_by_organization(session: Session, until: datetime) -> Mapping[str, int]:
    """Count the people with exported facts by organisation at a time, without those who had withdrawn.

    In tens, and without organisations of fewer than 20.
    Somebody who gave to two organisations counts for both. Whoever was erased since is not counted any more.
    """
    rows = session.execute(_PEOPLE, {"until": until, "step": PEOPLE_STEP, "people_min": PEOPLE_MIN})
    return {row.organization_id: int(row.people) for row in rows}
