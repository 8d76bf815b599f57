"""Three witnesses with the real rules and durable memory, of which one may lie.

The publisher's side is the real one, but for its threads: a question is put, and answered, while its publisher has the
baton, or later.
"""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amply.infra.database import Database
from amply.modules import ledger
from amply.modules.ledger.witnessing import Answer
from amply_verify.witness.decision import Witness
from amply_verify.witness.key import OwnKey
from amply_verify.witness.memory import Memory, Seen, Turn
from ledger_format.checkpoints import Checkpoint
from ledger_format.cosignatures import WitnessKey
from ledger_format.notes import VerifierKey
from ledger_format.policies import Group, Policy, PolicyWitness
from ledger_format.witnessing import SIZE_CONTENT_TYPE, TreeHead
from tests.backend.ledger_world import ORIGIN
from tests.simulation.baton import Actor, Fate
from tests.simulation.seams import Port

NAMES: Final = ("harbour", "orchard", "lantern")
LIAR: Final = "lantern"


class Remembering(Memory, Turn):
    """What a witness has on its disk, here in memory."""

    def __init__(self) -> None:  # neither of the two: there is no file
        self.last: Seen | None = None

    @contextmanager
    def exclusively(self) -> Iterator[Turn]:
        yield self

    def keep_evidence(self, head: TreeHead, *, note: str, reason: str, seconds: int) -> None:
        """The answer does not depend on it."""

    def seen(self, origin: str) -> Seen | None:
        del origin
        return self.last

    def remember(self, head: TreeHead, *, note: str) -> None:
        self.last = Seen(size=head.size, root=head.root, note=note)


@dataclass(kw_only=True)
class Partner:
    """One witness; while it `lies` it answers what comes to its mind, and sometimes the truth."""

    witness: Witness
    memory: Remembering
    lies: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 -- replayable

    def add_checkpoint(self, body: bytes) -> ledger.WitnessAnswer:
        lie = self.chance.choice((*_LIES, None)) if self.lies else None
        if lie is not None:
            return lie
        answer = self.witness.add_checkpoint(body)
        return ledger.WitnessAnswer(
            status=int(answer.status), content_type=answer.content_type, body=answer.body
        )


_LIES: Final = (
    ledger.WitnessAnswer(status=409, content_type="text/plain", body="another tree\n"),
    ledger.WitnessAnswer(status=409, content_type=SIZE_CONTENT_TYPE, body="9223372036854775807\n"),
    ledger.WitnessAnswer(status=409, content_type=SIZE_CONTENT_TYPE, body="1\n"),
    ledger.WitnessAnswer(status=422, content_type="text/plain", body="bad proof\n"),
    ledger.WitnessAnswer(status=200, content_type="text/plain", body="— stranger.example AAAAAAAAAAAA\n"),
)


def partners(log_key: VerifierKey) -> dict[str, Partner]:
    """Three that have seen nothing yet."""
    seconds = iter(range(1_800_000_000, 1_900_000_000))
    found = {}
    for number, name in enumerate(NAMES, start=2):
        private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        key = WitnessKey(f"witness.{name}.example", private.public_key().public_bytes_raw())
        memory = Remembering()
        witness = Witness(
            key=OwnKey(verifier=key, private=private),
            logs={ORIGIN: [log_key]},
            memory=memory,
            seconds=lambda: next(seconds),
        )
        found[name] = Partner(witness=witness, memory=memory)
    return found


def two_of(three: Mapping[str, Partner]) -> Policy:
    """A majority."""
    return Policy(
        logs=(),
        witnesses=tuple(PolicyWitness(name, each.witness.key.verifier) for name, each in three.items()),
        groups=(Group("partners", 2, tuple(three)),),
        quorum="partners",
    )


class AtOnce(ledger.Witnesses):
    """Asked without threads: an answer is there at once."""

    def __init__(self, three: Mapping[str, Partner]) -> None:
        super().__init__(policy=two_of(three), reached=three, patience=0.0, grace=0.0)

    def _start(self, name: str, consult: Callable[[], None]) -> None:
        del name
        consult()


class Asked(ledger.Witnesses):
    """A publisher's: each call is a seam, and an answer may come when nobody waits for it any more."""

    def __init__(self, actor: Actor, three: Mapping[str, Partner]) -> None:
        reached = {
            name: Port(actor, f"witness {name}", each, away=ledger.WitnessAway)
            for name, each in three.items()
        }
        super().__init__(policy=two_of(three), reached=reached, patience=0.0, grace=0.0)
        self._actor: Final = actor
        self._late: list[Callable[[], None]] = []

    def ask(
        self,
        database: Database,
        *,
        checkpoint: Checkpoint,
        note: str,
        have: Collection[str] = (),
        hears_out: bool = False,
    ) -> list[Answer]:
        """As ever; those who were too slow before have answered by now, or not."""
        if self._late and self._actor.reach("slow witnesses", Fate.LATE) is not Fate.LATE:
            late, self._late = self._late, []
            for consult in late:
                consult()
        return super().ask(database, checkpoint=checkpoint, note=note, have=have, hears_out=hears_out)

    def _start(self, name: str, consult: Callable[[], None]) -> None:
        if self._actor.reach(f"witness {name} is asked", Fate.LATE) is Fate.LATE:
            self._late.append(consult)
        else:
            consult()


def remembered(three: Mapping[str, Partner]) -> dict[str, Seen | None]:
    """What each has seen last."""
    return {name: each.memory.last for name, each in three.items()}


def remind(three: Mapping[str, Partner], seen: Mapping[str, Seen | None]) -> None:
    """Let each have seen that last."""
    for name, last in seen.items():
        three[name].memory.last = last


def notes_of(three: Mapping[str, Partner]) -> Sequence[str]:
    """What partners answer an operator who asks for the note that each has kept; the largest first."""
    kept = [each.memory.last for each in three.values() if each.memory.last is not None and not each.lies]
    return [seen.note for seen in sorted(kept, key=lambda seen: -seen.size)]
