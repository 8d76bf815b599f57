"""Invariants between the processor, database, published log and mailboxes, once everything is at rest."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import select

from amply.infra.database import Database, connect
from amply.infra.settings import CommitmentSettings, DatabaseSettings
from amply.infra.vault import Keyring, KeyTrees
from amply.modules import ledger
from amply.modules.donations.models import DonationRow
from amply_verify.checkpoint_check import check_published_checkpoint
from amply_verify.keys import Trust
from ledger_format.checkpoints import Checkpoint, open_checkpoint
from ledger_format.entries import Entry, decode
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.receipts import decode_receipt, verify_receipt
from ledger_format.tiles import MAX_BUNDLE_BYTES, TILE_WIDTH, bundle_path, decode_bundle
from stacks.contracts import TaskName
from tests.faults.cloud import LOG_ADDRESS
from tests.faults.database import MASTER, NAME, PASSWORD
from tests.faults.gifts import GIFT_MINOR
from tests.faults.platform import COMMITMENT_KEY, Organization, Platform
from tests.faults.waiting import until, within

_GIFT, _FEE = "donation.succeeded", "processor.fee"
_PATIENCE_SECONDS: Final = 3.0
"""How long work may take before the test lets the longer waits of the back-offs pass."""

_LOOKS_MAX: Final = 20

_UNDER_WAY: Final = """
    SELECT
        (SELECT count(*) FROM payment WHERE status = 'created') AS stuck_payments,
        (SELECT count(*) FROM provider_event WHERE handled_at IS NULL) AS unhandled_events,
        (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS unpublished_facts,
        (SELECT count(*) FROM entry WHERE id NOT IN (SELECT entry_id FROM leaf)) AS unsequenced_entries
"""


@dataclass(frozen=True, kw_only=True)
class Books:
    """The one organisation's books, from every side."""

    platform: Platform
    organization: Organization

    def come_to_rest(self) -> None:
        """Wait until everything the processor knows is booked and sequenced, and the books are right."""
        patience = _Patience(self.platform)

        def is_done() -> bool:
            patience.spend()
            return not self._under_way()

        until(is_done, otherwise="something is still under way")
        self.check()

    def check(self) -> None:
        """Nothing lost and nothing doubled."""
        rows = self.platform.database.rows
        intents = self.platform.processor.intents(self.organization.account)
        paid = {intent.id: intent.received_minor for intent in intents if intent.status == "succeeded"}
        remote_of = {row["id"]: row["remote_id"] for row in rows("SELECT id, remote_id FROM payment")}
        assert remote_of == {intent.payment_id: intent.id for intent in intents}
        assert len(remote_of) == len(intents), "one PaymentIntent a payment"
        keys = Counter(row["resource_id"] for row in rows("SELECT resource_id FROM idempotency_key"))
        assert keys == Counter(row["id"] for row in rows("SELECT id FROM donation")), "one donation a key"
        booked = rows(
            "SELECT idempotency_key, kind, amount_minor FROM entry JOIN transfer ON transfer.entry_id = entry.id"
        )
        amounts = sorted((row["kind"], row["idempotency_key"], row["amount_minor"]) for row in booked)
        gifts = [(key, minor) for kind, key, minor in amounts if kind == _GIFT]
        assert gifts == sorted(
            (ledger.stored_key(f"stripe:{id_}:{_GIFT}"), minor) for id_, minor in paid.items()
        )
        fees = [key for kind, key, _ in amounts if kind == _FEE]
        assert fees == sorted(ledger.stored_key(f"stripe:{id_}:{_FEE}") for id_ in paid)
        assert len(booked) == len(gifts) + len(fees)
        succeeded = "SELECT count(*) FROM donation WHERE status = 'succeeded'"
        assert self.platform.database.value(succeeded) == len(paid)
        self._check_log(amount=sum(paid.values()))

    def published(self, *, rows_were_lost: bool = False) -> list[Entry]:
        """Wait until a checkpoint covers everything; verify it over the public bucket's bytes; return its entries.

        `rows_were_lost`: the database need not know of every checkpoint that was published.
        """
        expected: int = self.platform.database.value("SELECT count(*) FROM entry")
        trusted = Trust((self.platform.cloud.verifier_key(),), self.platform.policy)

        def newest() -> Checkpoint | None:
            if not self.platform.database.value(
                "SELECT count(*) FROM checkpoint WHERE published_at IS NOT NULL"
            ):
                return None
            checked = check_published_checkpoint(LOG_ADDRESS, trusted, self.platform.cloud)
            assert checked.tiles_agree
            return checked.signed.checkpoint if checked.signed.checkpoint.size >= expected else None

        checkpoint = until(newest, otherwise="no checkpoint covers everything")
        raws = self._bundles(checkpoint.size)
        hashes = [leaf_hash(raw) for raw in raws]
        assert root_of(hashes) == checkpoint.root, "the entries give the signed root"
        self._check_checkpoints(hashes, newest=checkpoint, rows_were_lost=rows_were_lost)
        entries = [decode(raw) for raw in raws]
        _check_chains(entries, hashes)
        assert len({entry.id for entry in entries}) == len(entries) == expected
        return entries

    def check_published(self) -> None:
        """Every succeeded PaymentIntent has exactly one success and one fee in the published log."""
        intents = self.platform.processor.intents(self.organization.account)
        paid = Counter(
            f"stripe:payment_intent:{intent.id}" for intent in intents if intent.status == "succeeded"
        )
        entries = self.published()
        for kind in (_GIFT, _FEE):
            assert self._proven([entry for entry in entries if entry.kind == kind]) == paid
        assert {entry.transfers[0].amount_minor for entry in entries if entry.kind == _GIFT} <= {GIFT_MINOR}

    def _proven(self, entries: list[Entry]) -> Counter[str]:
        """The references behind these entries: the log only commits to them, verified receipts open them."""
        keys = [self.platform.cloud.verifier_key()]
        proven = [
            verify_receipt(decode_receipt(receipt.encode()), keys, policy=self.platform.policy)
            for receipt in self.receipts(entries)
        ]
        assert [receipt.entry for receipt in proven] == entries
        return Counter(receipt.opened["reference"] for receipt in proven)

    def receipts(self, entries: list[Entry]) -> list[str]:
        """The receipts of published entries, as their donors get them."""
        secrets = ledger.CommitmentSecrets.from_settings(
            CommitmentSettings(commitment_key=SecretStr(COMMITMENT_KEY))
        )
        with self._opened() as database, database.transaction() as session:
            return [ledger.receipt(session, entry_id=entry.id, secrets=secrets) or "" for entry in entries]

    def wait_for_receipts(self) -> list[dict[str, Any]]:
        """Wait until every donor was written to; return each receipt's address and how often it was tried."""
        for _ in range(_LOOKS_MAX):
            if within(_PATIENCE_SECONDS, self._all_are_sent):
                return self._addressed()
            self.platform.database.let_waits_pass()
            # It looks for unsent receipts when it starts, and twice a minute.
            self.platform.restart(TaskName.SCHEDULER)
        raise AssertionError("some receipts are not sent")

    def _addressed(self) -> list[dict[str, Any]]:
        """Each receipt's address, opened as the worker opens it, and how often it was tried."""
        attempts = {
            row["donation_id"]: row["attempts"]
            for row in self.platform.database.rows("SELECT donation_id, attempts FROM receipt")
        }
        with self._opened() as database, database.transaction() as session:
            gifts = session.scalars(select(DonationRow).where(DonationRow.id.in_(attempts)))
            return [{"donor_email": gift.donor_email, "attempts": attempts[gift.id]} for gift in gifts]

    @contextmanager
    def _opened(self) -> Iterator[Database]:
        database = connect(
            DatabaseSettings(
                host="127.0.0.1",
                port=self.platform.ports.postgres,
                name=NAME,
                user=MASTER,
                auth="password",
                tls="disable",
                password=SecretStr(PASSWORD),
            ),
            application="tests",
        )
        cloud = self.platform.cloud
        database.keyring = Keyring(database.engine, cloud, trees=KeyTrees(cloud, cloud, keeps=False))
        yield database
        database.close()

    def _all_are_sent(self) -> bool:
        unsent = (
            "SELECT count(*) FROM donation LEFT JOIN receipt ON receipt.donation_id = donation.id "
            "WHERE donation.status = 'succeeded' AND receipt.sent_at IS NULL"
        )
        return bool(self.platform.database.value(unsent) == 0)

    def _under_way(self) -> dict[str, int]:
        (found,) = self.platform.database.rows(_UNDER_WAY)
        if any(found.values()):
            return found
        intents = self.platform.processor.intents(self.organization.account)
        paid = sum(intent.status == "succeeded" for intent in intents)
        for kind in (_GIFT, _FEE):
            found[kind] = paid - self.platform.database.value(
                "SELECT count(*) FROM entry WHERE kind = %s", kind
            )
        return {name: count for name, count in found.items() if count}

    def _check_log(self, *, amount: int) -> None:
        value = self.platform.database.value
        assert value("SELECT count(*) FROM entry") == value("SELECT count(*) FROM leaf")
        assert value("SELECT coalesce(array_agg(idx ORDER BY idx), '{}') FROM leaf") == list(
            range(value("SELECT count(*) FROM leaf"))
        )
        assert value("SELECT sum(debits_posted) = sum(credits_posted) FROM balance") is not False
        gifts = (
            "SELECT coalesce(sum(credits_posted - debits_posted), 0)::bigint FROM balance WHERE account = %s"
        )
        assert value(gifts, f"{self.organization.id}/gifts") == amount

    def _bundles(self, size: int) -> list[bytes]:
        raws: list[bytes] = []
        while len(raws) < size:
            index, width = len(raws) // TILE_WIDTH, min(TILE_WIDTH, size - len(raws))
            path = f"{LOG_ADDRESS}/{bundle_path(index, width)}"
            raws += decode_bundle(self.platform.cloud.get(path, limit=MAX_BUNDLE_BYTES))
        return raws

    def _check_checkpoints(self, hashes: list[bytes], *, newest: Checkpoint, rows_were_lost: bool) -> None:
        """Every checkpoint that was ever signed commits to a prefix of the same entries, in one chain."""
        key = self.platform.cloud.verifier_key()
        kept = self.platform.cloud.archived_notes()
        rows = self.platform.database.rows("SELECT size, previous_size FROM checkpoint ORDER BY size")
        sizes = [row["size"] for row in rows]
        assert [row["previous_size"] for row in rows] == [None, *sizes[:-1]]
        assert rows_were_lost or set(kept) <= set(sizes)
        assert set(sizes) - {newest.size} <= set(kept), "the newest may not be kept yet, all others are"
        for size, note in kept.items():
            checkpoint = open_checkpoint(note, [key], policy=self.platform.policy).checkpoint
            assert (checkpoint.size, checkpoint.root) == (size, root_of(hashes[:size]))


class _Patience:
    """Lets the waits pass, but only after the platform had a while to manage by itself."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._over = time.monotonic() + _PATIENCE_SECONDS

    def spend(self) -> None:
        if time.monotonic() > self._over:
            self._platform.database.let_waits_pass()
            self._over = time.monotonic() + _PATIENCE_SECONDS


def _check_chains(entries: list[Entry], hashes: list[bytes]) -> None:
    last: dict[str, tuple[int, bytes | None]] = {}
    for entry, hashed in zip(entries, hashes, strict=True):
        sequence, previous = last.get(entry.org, (-1, None))
        assert (entry.org_seq, entry.org_prev) == (sequence + 1, previous)
        last[entry.org] = (entry.org_seq, hashed)
