"""Deletes all of the defence's data about clients after two days."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from amply.modules.defence.fingerprints import KEPT, forget_keys
from amply.modules.defence.models import DeclineRow, OpenedGiftRow
from amply.modules.defence.setups import forget_setups


def forget(session: Session, *, now: datetime) -> None:
    """Delete data older than two days, with the daily keys of its pseudonyms."""
    session.execute(delete(DeclineRow).where(DeclineRow.declined_at < now - KEPT))
    session.execute(delete(OpenedGiftRow).where(OpenedGiftRow.opened_at < now - KEPT))
    forget_setups(session, now=now)
    forget_keys(session, now=now)
