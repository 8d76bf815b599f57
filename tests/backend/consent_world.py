"""Donors who consent to data sharing, and the lake's consent table and raw files in memory."""

import hashlib
import io
from collections.abc import Callable
from typing import Any, Final

import pyarrow.parquet as pq

from amply.infra.database import Database, forbid_transaction
from amply.modules import donations, sharing
from amply.modules.sharing import Decision, FileMoved, PublishedConsent, SharingDependencies
from tests.backend.giving_world import DonorsPage
from tests.backend.ledger_world import LedgerWorld

TICK: Final = donations.DataSharing(purpose="analytics", wording="1")
"""What a ticked box sends."""


class FakeConsents:
    """The table. `is_away`: nobody answers."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], PublishedConsent] = {}
        self.is_away = False

    def put(self, consent: PublishedConsent) -> Decision:
        forbid_transaction("put a consent")
        if self.is_away:
            raise TimeoutError
        known = self.items.get((consent.subject, consent.purpose))
        if known is not None and (
            known.state is Decision.WITHDRAWN
            or (consent.state is Decision.GIVEN and known.version >= consent.version)
        ):
            return known.state
        self.items[consent.subject, consent.purpose] = consent
        return consent.state


class FakeRaw:
    """The bucket. `dies`: the process ends `before` or `after` the next file is there.

    `asked` is done before the version is told, `meanwhile` once it was; `seen` looks at each file as it is written.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.dies: str | None = None
        self.asked: Callable[[], None] = lambda: None
        self.meanwhile: Callable[[], None] = lambda: None
        self.seen: Callable[[list[dict[str, Any]]], None] = lambda _: None

    def version(self, path: str) -> str | None:
        forbid_transaction("look for a raw file")
        self.asked()
        found = self.files.get(path)
        return None if found is None else hashlib.sha256(found).hexdigest()

    def write(self, path: str, content: bytes, *, replaces: str | None) -> None:
        dies, self.dies = self.dies, None
        if dies == "before":
            raise KeyboardInterrupt
        self.meanwhile()
        if self.version(path) != replaces:
            raise FileMoved(path)
        self.seen(rows_of(content))
        self.files[path] = content
        if dies == "after":
            raise KeyboardInterrupt

    def rows(self) -> list[dict[str, Any]]:
        """All lines of all files."""
        return [row for content in self.files.values() for row in rows_of(content)]


def rows_of(parquet: bytes) -> list[dict[str, Any]]:
    """The lines of one file."""
    lines: list[dict[str, Any]] = pq.read_table(io.BytesIO(parquet)).to_pylist()
    return lines


class SharingPage(DonorsPage):
    """The donors' page where data is shared, and the worker's part of it."""

    def __init__(self, world: LedgerWorld, own: Database) -> None:
        super().__init__(world, own, consents=sharing.Ticks())
        self.consents, self.raw = FakeConsents(), FakeRaw()
        self.lake = SharingDependencies(database=world.app, consents=self.consents, files=self.raw)

    def decides(self, *, shares: bool, token: str | None = None, **more: Any) -> Any:
        said = {"purpose": "analytics", "wording": "1", "shares": shares, **more}
        return self.ask("data-sharing", said, token=token)

    def extent(self, token: str | None = None) -> str:
        (standing,) = self.see("data-sharing", token=token).json()["data"]
        found: str = standing["extent"]
        return found

    def tells(self) -> int:
        return sharing.tell_consents(self.lake, now=self.clock())

    def writes(self) -> int:
        return sharing.write_facts(self.lake, now=self.clock())

    def erases(self, digest: str) -> None:
        """As `admin erase donor` does."""
        with self.database.transaction() as session:
            sharing.forget(session, email_sha256=digest, donation_id=None, now=self.clock())
        donations.erase_donor(
            self.database, self.sending.secrets, email_sha256=digest, donation_id=None, now=self.clock()
        )

    def states(self) -> list[str]:
        """What the table says of everybody, sorted."""
        return sorted(each.state for each in self.consents.items.values())
