"""Pseudonyms of IP addresses (keyed hashes), under keys that are deleted after two days.

Nothing personal is kept: an address, a browser or a card is counted under HMAC-SHA-256 with the day's key. The key is random,
and deleted after two days; from then on nobody can tell whose a mark was, not even by trying all addresses there are.
"""

import hmac
import secrets
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules.defence.addresses import address_and_network
from amply.modules.defence.domain import Attempt, Fingerprints, Subject, is_small
from amply.modules.defence.models import DailyKeyRow

KEPT: Final = timedelta(days=2)
_KEY_BYTES: Final = 32
_MARK_BYTES: Final = 16


class DailyKeys:
    """Cache of the daily keys in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[date, bytes] = {}

    def of(self, day: date) -> bytes:
        """The day's key, made by whoever needs it first. Not to be called inside a transaction: it opens one."""
        if day not in self._known:
            with self._database.transaction() as session:
                found = key_of(session, day=day)
            self._known = {known: key for known, key in self._known.items() if known > day - KEPT}
            self._known[day] = found
        return self._known[day]


def key_of(session: Session, *, day: date) -> bytes:
    """The day's key, within the caller's transaction."""
    wanted = select(DailyKeyRow.key).where(DailyKeyRow.day == day)
    found = session.scalar(wanted)
    if found is None:
        made = insert(DailyKeyRow).values(day=day, key=secrets.token_bytes(_KEY_BYTES))
        session.execute(made.on_conflict_do_nothing())
        found = session.scalars(wanted).one()
    return found


def forget_keys(session: Session, *, now: datetime) -> None:
    """Delete expired keys."""
    session.execute(delete(DailyKeyRow).where(DailyKeyRow.day < (now - KEPT).date()))


def mark(key: bytes, kind: str, *parts: str) -> bytes:
    """Today's pseudonym of these words, distinct for each kind."""
    return hmac.digest(key, "\n".join((kind, *parts)).encode(), "sha256")[:_MARK_BYTES]


def marks_of(key: bytes, attempt: Attempt) -> Fingerprints:
    """A request's pseudonyms under the day's key."""
    places = address_and_network(attempt.client.address)
    address, network = places if places is not None else (None, None)
    return Fingerprints(
        address=mark(key, Subject.ADDRESS, address) if address else None,
        network=mark(key, Subject.NETWORK, network) if network else None,
        device=mark(key, Subject.DEVICE, attempt.organization_id, attempt.client.device) if address else None,
        mail=mark(key, Subject.MAIL, attempt.mail.casefold()),
        mail_domain=mark(key, Subject.MAIL_DOMAIN, attempt.organization_id, _domain(attempt.mail)),
        is_small=is_small(attempt.amount),
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()
