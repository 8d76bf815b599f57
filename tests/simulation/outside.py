"""In-memory doubles of everything outside the platform, which check each change against earlier promises."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, ParamSpec, Self

from amply_verify.witness.memory import Seen
from ledger_format.checkpoints import Checkpoint, open_checkpoint, parse_checkpoint
from ledger_format.entries import decode
from ledger_format.errors import FormatError
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.notes import VerifierKey
from ledger_format.receipts import decode_receipt, verify_receipt
from ledger_format.tiles import (
    TILE_WIDTH,
    Tile,
    bundle_path,
    changed_tiles,
    decode_bundle,
    encode_bundle,
    grow,
    tile_path,
)
from tests.backend.ledger_world import ORIGIN, FakeArchive, FakePublicLog, FakeSigner
from tests.simulation.witnesses import notes_of, partners, remembered, remind, two_of

Told = ParamSpec("Told")


class Broken(BaseException):
    """A promise of the log does not hold. Not an `Exception`: the loops of processes outlive those."""


def hold(holds: bool, promise: str) -> None:  # noqa: FBT001 -- reads as a sentence, like `invariant`
    """Raise when it does not."""
    if not holds:
        raise Broken(promise)


def _by_the_format(watch: Callable[Told, None]) -> Callable[Told, None]:
    """What the format refuses is a broken promise too."""

    @functools.wraps(watch)
    def watched(*arguments: Told.args, **named: Told.kwargs) -> None:
        try:
            watch(*arguments, **named)
        except FormatError as error:
            raise Broken(f"{type(error).__name__}: {error}") from error

    return watched


class Outside:
    """Signer, public log and archive, and everything that ever left them."""

    def __init__(self, is_decided: Callable[[Checkpoint], bool]) -> None:
        self._is_decided: Final = is_decided
        """Whether the present database has a checkpoint's row, without which no publisher may ask for a signature."""

        self.signer: Final = WatchedSigner(self)
        self.public_log: Final = WatchedPublicLog(self)
        self.archive: Final = FakeArchive()
        self.key: Final = VerifierKey.from_ed25519(ORIGIN, self.signer.public_key())
        self.witnesses: Final = partners(self.key)
        self.policy: Final = two_of(self.witnesses)
        self.signed: list[Signed] = []
        self.shown: list[Checkpoint] = []
        self.receipts: list[str] = []
        self.hashes: list[bytes] = []
        """Leaf hashes of what is public."""
        self.life = 0
        """Counts databases: each that was put in another's place begins a new one."""

    @_by_the_format
    def sign(self, message: bytes) -> None:
        """A signature is asked for: it may extend what is shown, and contradict nothing this database has signed."""
        checkpoint = parse_checkpoint(message.decode())
        if checkpoint.size == 0:
            return  # every tree extends the empty one, with which witnesses are asked what they have seen
        hold(checkpoint.size >= len(self.hashes), "nothing is signed that is smaller than what is public")
        if self._is_decided(checkpoint):
            for earlier in self.signed:
                same_size = earlier.checkpoint.size == checkpoint.size
                if same_size and earlier.life == self.life:
                    hold(earlier.checkpoint == checkpoint, "no two trees of one size are signed")
            self.signed.append(Signed(life=self.life, checkpoint=checkpoint))
        else:
            # Decided in a database that another has replaced since: the present one is not bound by it.
            hold(self.life > 0, "nothing is signed that the database has not decided on")
        self.public_log.version(checkpoint)

    @_by_the_format
    def show(self, note: str) -> None:
        """A checkpoint becomes public: its files are there, it is larger, and it extends the one before."""
        checkpoint = self.open(note)
        raws = self.public_log.entries(checkpoint.size)
        hashes = [leaf_hash(raw) for raw in raws]
        hold(root_of(hashes) == checkpoint.root, "the public bundles give the root that is shown")
        hold(checkpoint.size >= len(self.hashes), "what is public never goes back")
        hold(hashes[: len(self.hashes)] == self.hashes, "a checkpoint extends the one before")
        self._check_tiles(hashes)
        self.hashes = hashes
        if not self.shown or self.shown[-1] != checkpoint:
            self.shown.append(checkpoint)

    def open(self, note: str) -> Checkpoint:
        """A note that is ours and has its quorum.

        Raises:
            FormatError: It is not, or too few have cosigned.
        """
        return open_checkpoint(note, [self.key], policy=self.policy).checkpoint

    def newest_note(self, *, asks_partners: bool) -> str:
        """The checkpoint that the runbook restores to: what is public, or what a partner has kept beyond it."""
        public = self.public_log.note or ""
        for note in notes_of(self.witnesses) if asks_partners else ():
            kept = open_checkpoint(note, [self.key]).checkpoint
            hashes = [leaf_hash(raw) for raw in self.public_log.versions.get(kept, ())]
            if kept.size > len(self.hashes) and hashes[: len(self.hashes)] == self.hashes:
                return note
        return public

    def copy_of_the_log(self, path: str, note: str) -> bytes | None:
        """A file of the operator's copy, with this checkpoint and the versions of partial bundles that belong to it."""
        if path == "checkpoint":
            return note.encode() or None
        raws = self.public_log.versions.get(open_checkpoint(note, [self.key]).checkpoint)
        for index in range(len(raws or ()) // TILE_WIDTH + 1):
            held = (raws or [])[index * TILE_WIDTH : (index + 1) * TILE_WIDTH]
            if held and path == bundle_path(index, len(held)):
                return encode_bundle(held)
        return self.public_log.objects.get(path)

    @_by_the_format
    def keep_receipt(self, receipt: str) -> None:
        """A donor got a receipt; what it rests on was shown to everybody."""
        proven = verify_receipt(decode_receipt(receipt.encode()), [self.key], policy=self.policy)
        hold(proven.checkpoint in self.shown, "a receipt rests on a checkpoint that everybody saw")
        self.receipts.append(receipt)

    @_by_the_format
    def check(self, raws: list[bytes]) -> None:
        """At the end, with the log's entries: everything ever promised still holds."""
        hashes = [leaf_hash(raw) for raw in raws]
        hold(self.hashes == hashes, "everything in the log is public, in the same order")
        hold(self.public_log.entries(len(raws)) == raws, "the public bundles are still those that were shown")
        self._check_tiles(hashes)
        roots = {size: root_of(hashes[:size]) for size in {len(hashes)} | {c.size for c in self.shown}}
        for checkpoint in self.shown:
            hold(
                roots[checkpoint.size] == checkpoint.root,
                "every checkpoint ever shown is a prefix of the log",
            )
        for signed in self.signed:
            # A signature that died with its database, unseen, binds nobody.
            if signed.life == self.life:
                size = signed.checkpoint.size
                hold(
                    root_of(hashes[:size]) == signed.checkpoint.root,
                    "every tree signed is a prefix of the log",
                )
        for receipt in self.receipts:
            proven = verify_receipt(decode_receipt(receipt.encode()), [self.key], policy=self.policy)
            hold(proven.leaf_hash == hashes[proven.index], "every receipt names its entry's place for ever")
            hold(roots[proven.checkpoint.size] == proven.checkpoint.root, "every receipt verifies for ever")
        self._check_archive(hashes)

    def _check_tiles(self, hashes: list[bytes]) -> None:
        size = len(hashes)
        tiles = grow(0, hashes, lambda _: b"")
        for tile in changed_tiles(0, size):
            published = self.public_log.objects.get(tile_path(tile))
            hold(published == tiles[tile], f"{tile_path(tile)} is public and right when a checkpoint is")

    def _check_archive(self, hashes: list[bytes]) -> None:
        kept = self.archive.objects
        for index in range(len(hashes) // TILE_WIDTH):
            for path in (bundle_path(index, TILE_WIDTH), tile_path(Tile(0, index, TILE_WIDTH))):
                hold(kept.get(path) == self.public_log.objects[path], f"the archive keeps {path}")
        notes = {path: body for path, body in kept.items() if path.startswith("checkpoints/")}
        for path, body in notes.items():
            checkpoint = self.open(body.decode())
            hold(path == f"checkpoints/{checkpoint.size}", "an archived checkpoint stands under its size")
            hold(checkpoint in self.shown, "what is archived was shown")
        hold(f"checkpoints/{len(hashes)}" in notes, "the newest checkpoint is archived")


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A tree that was signed, and which database decided on it."""

    life: int
    checkpoint: Checkpoint


class WatchedSigner(FakeSigner):
    """Tells what it is asked to sign."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self._outside = outside

    def sign(self, message: bytes) -> bytes:
        self._outside.sign(message)
        return super().sign(message)


class WatchedPublicLog(FakePublicLog):
    """Tells what it shows; reads back what anyone could read."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self._outside = outside
        self.versions: dict[Checkpoint, list[bytes]] = {}
        """The entries as they were public when a checkpoint was signed: the bucket keeps former versions of objects."""

    def version(self, checkpoint: Checkpoint) -> None:
        """Remember the present versions as those of this checkpoint."""
        self.versions[checkpoint] = self.entries(checkpoint.size)

    def replace_checkpoint(self, note: str, *, replaces: str | None) -> None:
        super().replace_checkpoint(note, replaces=replaces)
        self._outside.show(note)

    def entries(self, size: int) -> list[bytes]:
        """The entries of the published bundles."""
        raws: list[bytes] = []
        while len(raws) < size:
            index, width = len(raws) // TILE_WIDTH, min(TILE_WIDTH, size - len(raws))
            body = self.objects.get(bundle_path(index, width))
            hold(body is not None, f"{bundle_path(index, width)} is public when a checkpoint is")
            raws += decode_bundle(body or b"")
        return raws

    def forget_unsigned(self) -> list[str]:
        """What the runbook lets a person delete: full files that reach beyond the public checkpoint."""
        size = len(self._outside.hashes)
        beyond = range(size // TILE_WIDTH, size // TILE_WIDTH + 10)
        paths = [bundle_path(index, TILE_WIDTH) for index in beyond]
        paths += [tile_path(Tile(0, index, TILE_WIDTH)) for index in beyond]
        return [path for path in paths if self.objects.pop(path, None) is not None]


def entry_ids(raws: list[bytes]) -> list[str]:
    """Whose leaves these are."""
    return [decode(raw).id for raw in raws]


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What was outside at some moment, to begin other schedules there."""

    objects: dict[str, bytes] = field(default_factory=dict)
    archived: dict[str, bytes] = field(default_factory=dict)
    note: str | None = None
    shown: tuple[Checkpoint, ...] = ()
    versions: dict[Checkpoint, list[bytes]] = field(default_factory=dict)
    seen: dict[str, Seen | None] = field(default_factory=dict)

    @classmethod
    def of(cls, outside: Outside) -> Self:
        return cls(
            objects=dict(outside.public_log.objects),
            archived=dict(outside.archive.objects),
            note=outside.public_log.note,
            shown=tuple(outside.shown),
            versions=dict(outside.public_log.versions),
            seen=remembered(outside.witnesses),
        )

    def put(self, outside: Outside) -> None:
        outside.shown = list(self.shown)
        outside.public_log.objects = dict(self.objects)
        outside.archive.objects = dict(self.archived)
        outside.public_log.note = self.note
        outside.public_log.versions = dict(self.versions)
        remind(outside.witnesses, self.seen)
        if self.note is not None:
            outside.show(self.note)
