"""Advisory locks for a month, a party's payments, and a bank transfer."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def lock_month(session: Session, contract_id: str, period: str) -> None:
    """Until the transaction ends, nobody else settles this month of this contract."""
    session.execute(_ONE_AT_A_TIME, {"name": f"amply/data/{contract_id}/{period}"})


def lock_payments(session: Session, party: str) -> None:
    """Until the transaction ends, nobody else notes a payment of this party, or settles a month of this contract.

    Whoever needs its month's lock too takes that one first.
    """
    session.execute(_ONE_AT_A_TIME, {"name": f"amply/data/paid/{party}"})


def lock_reference(session: Session, way: str, reference: str) -> None:
    """Until the transaction ends, nobody else notes a payment of this reference, of whatever party. The last of these locks."""
    session.execute(_ONE_AT_A_TIME, {"name": f"amply/data/reference/{way}/{reference}"})
