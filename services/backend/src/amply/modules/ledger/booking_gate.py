"""Blocks all ledger entries until this database server was compared with the public log and found consistent.

The table's trigger asks it (`check_entry`, migration 0011), so that no writer can forget to, and none waits for another.
What opens it is the start of the server that was compared: a restored database begins another life, and nothing that
its rows say of an earlier one is an answer (docs/adr/0072-nothing-is-booked-before-the-comparison.md).
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_LIFE: Final = text("SELECT pg_postmaster_start_time()")

_IS_OPEN: Final = text("""
    SELECT EXISTS (
        SELECT FROM booking_gate
        WHERE (server_started, of_table) = (pg_postmaster_start_time(), booking_gate.tableoid)
    )
""")

_OPEN: Final = text("""
    UPDATE booking_gate
    SET server_started = :life, of_table = booking_gate.tableoid, closed_because = NULL, changed_at = :now
    WHERE pg_postmaster_start_time() = :life
      AND (server_started, of_table) IS DISTINCT FROM (pg_postmaster_start_time(), booking_gate.tableoid)
""")

_CLOSE: Final = text("""
    UPDATE booking_gate SET server_started = NULL, of_table = NULL, closed_because = :reason, changed_at = :now
    WHERE pg_postmaster_start_time() = :life AND closed_because IS DISTINCT FROM :reason
""")


def present_life(session: Session) -> datetime:
    """The start time of this database server, which identifies its current state."""
    life: datetime = session.scalars(_LIFE).one()
    return life


def open_bookings(session: Session, *, life: datetime, now: datetime) -> None:
    """Allow entries until this server restarts; does nothing if it restarted since the comparison."""
    session.execute(_OPEN, {"life": life, "now": now})


def close_bookings(session: Session, *, life: datetime, reason: str, now: datetime) -> None:
    """Block entries until a comparison reopens the gate. After a restart it is closed anyway."""
    session.execute(_CLOSE, {"life": life, "reason": reason, "now": now})


def takes_entries(session: Session) -> bool:
    """Whether entries can be posted now."""
    is_open: bool = session.scalars(_IS_OPEN).one()
    return is_open
