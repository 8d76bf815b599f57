"""Advisory locks for a month, a party's payments, and a bank transfer."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def lock_month(session: Session, contract_id: str, period: str) -> None:
    """Lock a contract's month against other settlements until the transaction ends."""
    session.execute(_ONE_AT_A_TIME, {"name": f"amply/data/{contract_id}/{period}"})


def lock_payments(session: Session, party: str) -> None:
    """Lock a party's payments and settlements until the transaction ends.

    Whoever needs its month's lock too takes that one first.
    """
    session.execute(_ONE_AT_A_TIME, {"name": f"amply/data/paid/{party}"})


def lock_reference(session: Session, way: str, reference: str) -> None:
    """Lock a bank reference until the transaction ends. The last lock in the order."""
    session.execute(_ONE_AT_A_TIME, {"name": f"amply/data/reference/{way}/{reference}"})
