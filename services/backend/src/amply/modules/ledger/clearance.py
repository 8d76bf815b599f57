"""Handshake that lets the sequencer work only after the publisher has compared this database with the public log.

A database restored to an earlier moment, or a replica that lagged, would give away places that other entries have in
public, and a leaf is never taken back. A restore ends every connection and with it the lead: so each new leader asks
anew, and nothing an older state of the database says is an answer. The publisher reads the public log anyway; asking
it spares the sequencer a bucket, a key and the rights to both.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.ids import new_random_id

_ASK: Final = text("INSERT INTO clearance (token, asked_at) VALUES (:token, :now)")

_GIVEN: Final = text("SELECT cleared_at IS NOT NULL FROM clearance WHERE token = :token")

_NEWEST: Final = text("SELECT token, cleared_at FROM clearance ORDER BY number DESC LIMIT 1")

_GIVE: Final = text("""
    UPDATE clearance SET cleared_at = :now, refused_because = NULL WHERE token = :token AND cleared_at IS NULL
""")

_WITHDRAW: Final = text("""
    UPDATE clearance SET cleared_at = NULL, refused_because = :reason WHERE token = :token
""")


@dataclass(frozen=True, kw_only=True)
class Clearance:
    """A leader's request for clearance, with a token that no other state of the database has."""

    token: str

    @classmethod
    def ask(cls, database: Database, *, now: datetime) -> Self:
        """Request clearance for this database from the publisher."""
        token = new_random_id("clear")
        with database.transaction() as session:
            session.execute(_ASK, {"token": token, "now": now})
        return cls(token=token)

    def is_given(self, session: Session) -> bool:
        """Whether clearance is granted; it can be withdrawn.

        Asked in the transaction that gives places away: between two, a connection may come to lead to another database.
        """
        return session.scalar(_GIVEN, {"token": self.token}) is True


@dataclass(frozen=True, kw_only=True)
class Question:
    """The latest clearance request, and whether it is pending."""

    token: str
    is_open: bool


def newest(session: Session) -> Question | None:
    """The latest clearance request; None if there never was one."""
    row = session.execute(_NEWEST).one_or_none()
    return None if row is None else Question(token=row.token, is_open=row.cleared_at is None)


def give(session: Session, *, token: str, now: datetime) -> None:
    """Grant clearance to the requesting leader."""
    session.execute(_GIVE, {"token": token, "now": now})


def withdraw(session: Session, *, token: str, reason: str) -> None:
    """Withdraw clearance from the requesting leader."""
    session.execute(_WITHDRAW, {"token": token, "reason": reason})
