"""A ledger from posting to receipt, with fakes for everything outside the database."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from amply.entrypoints.leader import Turn
from amply.entrypoints.sequencer import turns
from amply.infra.database import Database, forbid_transaction
from amply.kernel.ids import new_id
from amply.kernel.money import Money
from amply.modules import ledger
from ledger_format.checkpoints import Checkpoint, open_checkpoint
from ledger_format.entries import decode
from ledger_format.merkle import leaf_hash
from ledger_format.notes import VerifierKey
from ledger_format.policies import UNWITNESSED

NOW = datetime(2026, 11, 21, 9, 0, 30, tzinfo=UTC)
ORIGIN = "log.example/tests"
ORG = "org_" + "0" * 26
OTHER_ORG = "org_" + "1" * 26
BIZ = "biz_" + "2" * 26


class FakeSigner:
    """An Ed25519 key in memory."""

    def __init__(self, seed: bytes = b"\1" * 32) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.signed = 0

    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        forbid_transaction("sign")
        self.signed += 1
        return self._key.sign(message)


class FakeArchive:
    """A bucket that keeps what it was given first."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def keep(self, path: str, body: bytes) -> None:
        forbid_transaction("keep")
        if self.objects.setdefault(path, body) != body:
            raise ledger.AlreadyDifferent(path)


class FakePublicLog:
    """The public bucket: paths below `log/` to bytes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.note: str | None = None
        self.superseded: list[str] = []

    def checkpoint(self) -> ledger.StoredCheckpoint | None:
        forbid_transaction("checkpoint")
        return None if self.note is None else ledger.StoredCheckpoint(note=self.note, version=self.note)

    def put_full(self, path: str, body: bytes) -> None:
        forbid_transaction("put_full")
        if self.objects.setdefault(path, body) != body:
            raise ledger.AlreadyDifferent(path)

    def put_partial(self, path: str, body: bytes) -> None:
        forbid_transaction("put_partial")
        self.objects[path] = body

    def let_go(self, path: str) -> None:
        forbid_transaction("let_go")
        self.superseded.append(path)

    def replace_checkpoint(self, note: str, *, replaces: str | None) -> None:
        forbid_transaction("replace_checkpoint")
        if self.note != replaces:
            raise ledger.CheckpointMoved
        self.note = note


@dataclass
class LedgerWorld:
    """One database and everything around it."""

    app: Database
    sequencer: Database
    signer: FakeSigner = field(default_factory=FakeSigner)
    public_log: FakePublicLog = field(default_factory=FakePublicLog)
    archive: FakeArchive = field(default_factory=FakeArchive)
    before: ledger.FormerKeys = field(default_factory=ledger.FormerKeys)
    witnesses: ledger.Witnesses = field(default_factory=lambda: ledger.Witnesses(policy=UNWITNESSED))
    secrets: ledger.CommitmentSecrets = field(
        default_factory=lambda: ledger.CommitmentSecrets(key=b"\2" * 32)
    )
    keys: dict[str, str] = field(default_factory=dict)
    """Idempotency keys that were used, by what the table keeps of each."""

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey.from_ed25519(ORIGIN, self.signer.public_key())

    def entry(
        self,
        *,
        organization_id: str = ORG,
        key: str | None = None,
        minor_units: int = 2_500,
        personal: Mapping[str, str] | None = None,
    ) -> ledger.NewEntry:
        amount = Money(minor_units=minor_units, currency="EUR")
        return ledger.NewEntry(
            kind="donation.succeeded",
            organization_id=organization_id,
            idempotency_key=self._remembered(key or new_id("key")),
            transfers=ledger.donation_succeeded(organization_id=organization_id, amount=amount),
            event_at=NOW,
            reference=None,
            personal=personal or {},
        )

    def post(
        self,
        *,
        organization_id: str = ORG,
        key: str | None = None,
        minor_units: int = 2_500,
        personal: Mapping[str, str] | None = None,
    ) -> ledger.PostedEntry:
        entry = self.entry(
            organization_id=organization_id, key=key, minor_units=minor_units, personal=personal
        )
        with self.app.transaction() as session:
            return ledger.post(session, entry=entry, now=NOW, secrets=self.secrets)

    def book(
        self,
        lines: Sequence[ledger.NewTransfer],
        *,
        kind: str = "a.b",
        organization_id: str = ORG,
        **rest: Any,
    ) -> ledger.PostedEntry:
        """Post these lines in a transaction of their own; `rest` are other fields of the entry."""
        given: dict[str, Any] = {"idempotency_key": new_id("key"), "event_at": NOW, "reference": None} | rest
        self._remembered(given["idempotency_key"])
        entry = ledger.NewEntry(kind=kind, organization_id=organization_id, transfers=tuple(lines), **given)
        with self.app.transaction() as session:
            return ledger.post(session, entry=entry, now=NOW, secrets=self.secrets)

    def _remembered(self, key: str) -> str:
        self.keys[ledger.stored_key(key)] = key
        return key

    def standing(self, account: str, currency: str = "EUR") -> ledger.Balance:
        """An account this moment, sequenced or not."""
        with self.app.transaction() as session:
            return ledger.standing_balance(session, account=account, currency=currency)

    def sequence(self) -> int:
        return ledger.Sequencer(origin=ORIGIN).step(self.sequencer, now=NOW) or 0

    def publish(self) -> ledger.PublishedCheckpoint | None:
        return ledger.publish_checkpoint(
            self.sequencer,
            origin=ORIGIN,
            signer=self.signer,
            public_log=self.public_log,
            archive=self.archive,
            now=NOW,
            before=self.before,
            witnesses=self.witnesses,
        )

    def check(self) -> None:
        ledger.check_public_log(
            self.sequencer,
            origin=ORIGIN,
            signer=self.signer,
            public_log=self.public_log,
            before=self.before,
            witnesses=self.witnesses,
        )

    def clear(self) -> None:
        """What the publisher does when a sequencer begins to lead."""
        ledger.clear_sequencer(
            self.sequencer,
            origin=ORIGIN,
            signer=self.signer,
            public_log=self.public_log,
            now=NOW,
            before=self.before,
            witnesses=self.witnesses,
        )

    def takes_entries(self) -> bool:
        """Whether anything may be booked."""
        with self.app.transaction() as session:
            return ledger.takes_entries(session)

    def cleared_turns(self) -> Turn:
        """The turns of a sequencer that may work."""
        turn = turns(self.sequencer, origin=ORIGIN, clock=lambda: NOW)
        self.clear()
        return turn

    def receipt(self, entry_id: str) -> str | None:
        with self.app.transaction() as session:
            return ledger.receipt(session, entry_id=entry_id, secrets=self.secrets)

    def post_many(self, count: int) -> None:
        """Post `count` entries in one transaction."""
        with self.app.transaction() as session:
            for _ in range(count):
                ledger.post(session, entry=self.entry(), now=NOW, secrets=self.secrets)

    def post_transfers(self, organization_id: str, *transfers: ledger.NewTransfer) -> None:
        entry = replace(self.entry(organization_id=organization_id), transfers=transfers)
        with self.app.transaction() as session:
            ledger.post(session, entry=entry, now=NOW, secrets=self.secrets)

    def leaves(self) -> list[bytes]:
        """The log's bytes, in order."""
        with self.app.transaction() as session:
            return [bytes(raw) for raw in session.scalars(text("SELECT bytes FROM leaf ORDER BY idx"))]

    def balance(self, account: str) -> tuple[int, int]:
        """Debits and credits of a EUR account."""
        asked = text(
            "SELECT debits_posted, credits_posted FROM balance WHERE account = :account AND currency = 'EUR'"
        )
        with self.app.transaction() as session:
            row = session.execute(asked, {"account": account}).one_or_none()
        return (0, 0) if row is None else (row.debits_posted, row.credits_posted)

    def trial_balance(self) -> tuple[int, int]:
        """All debits and all credits."""
        with self.app.transaction() as session:
            row = session.execute(
                text("SELECT sum(debits_posted) AS debits, sum(credits_posted) AS credits FROM balance")
            ).one()
        return int(row.debits), int(row.credits)

    def public_checkpoint(self) -> Checkpoint:
        """What everyone sees, its signature verified."""
        assert self.public_log.note is not None
        return open_checkpoint(self.public_log.note, [self.verifier]).checkpoint

    def check_log(self, *, size: int) -> None:
        """Every posted entry has one leaf; indexes, organisations' chains and balances are whole."""
        with self.app.transaction() as session:
            missing = session.scalar(
                text("SELECT count(*) FROM entry WHERE id NOT IN (SELECT entry_id FROM leaf)")
            )
            indexes = list(session.scalars(text("SELECT idx FROM leaf ORDER BY idx")))
        assert missing == 0
        assert indexes == list(range(size))
        last: dict[str, tuple[int, bytes]] = {}
        for raw in self.leaves():
            entry = decode(raw)
            seq, previous = last.get(entry.org, (-1, None))
            assert (entry.org_seq, entry.org_prev) == (seq + 1, previous)
            last[entry.org] = (entry.org_seq, leaf_hash(raw))
        debits, credits_ = self.trial_balance()
        assert debits == credits_


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to make something true."""
    pause, deadline = threading.Event(), time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        pause.wait(0.02)
