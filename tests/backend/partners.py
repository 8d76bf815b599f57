"""Three witnesses in this process, and ways in which one can fail or lie."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from sqlalchemy import text

from amply.infra.database import forbid_transaction
from amply.modules import ledger
from amply_verify.witness.decision import Witness
from amply_verify.witness.key import own_key
from amply_verify.witness.memory import Memory
from ledger_format.checkpoints import open_checkpoint
from ledger_format.notes import VerifierKey
from ledger_format.policies import Group, Policy, PolicyWitness
from ledger_format.witnessing import SIZE_CONTENT_TYPE
from tests.backend.ledger_world import NOW, ORIGIN, LedgerWorld

NAMES = ("harbour", "orchard", "lantern")
Manner = Callable[["Partner", bytes], ledger.WitnessAnswer]


def honest(partner: "Partner", body: bytes) -> ledger.WitnessAnswer:
    answer = partner.witness.add_checkpoint(body)
    return ledger.WitnessAnswer(status=int(answer.status), content_type=answer.content_type, body=answer.body)


def away(_partner: "Partner", _body: bytes) -> ledger.WitnessAnswer:
    raise ledger.WitnessAway("nobody answers")


def says(status: int, body: str = "", content_type: str = "text/plain") -> Manner:
    return lambda *_: ledger.WitnessAnswer(status=status, content_type=content_type, body=body)


def says_size(body: str) -> Manner:
    return says(HTTPStatus.CONFLICT, body, SIZE_CONTENT_TYPE)


@dataclass
class Partner:
    """One witness and how it behaves just now; `asked` holds what it was sent."""

    witness: Witness
    manner: Manner = honest
    asked: list[bytes] = field(default_factory=list)

    def add_checkpoint(self, body: bytes) -> ledger.WitnessAnswer:
        forbid_transaction("witness")
        self.asked.append(body)
        return self.manner(self, body)


@dataclass
class Hanging:
    """A manner of never answering until it is let go."""

    released: threading.Event = field(default_factory=threading.Event)
    then: Manner = honest

    def __call__(self, partner: Partner, body: bytes) -> ledger.WitnessAnswer:
        self.released.wait(60)
        return self.then(partner, body)


def partners(directory: Path, *log_keys: VerifierKey) -> Mapping[str, Partner]:
    """Three of them, each with a key and a memory of its own."""
    found = {}
    for name in NAMES:
        own = directory / name
        own.mkdir(exist_ok=True)
        found[name] = Partner(
            Witness(
                key=own_key(own, name=f"witness.{name}.example"),
                logs={ORIGIN: list(log_keys)},
                memory=Memory(own),
                seconds=lambda: int(NOW.timestamp()),
            )
        )
    return found


def two_of(three: Mapping[str, Partner]) -> Policy:
    return Policy(
        logs=(),
        witnesses=tuple(PolicyWitness(name, each.witness.key.verifier) for name, each in three.items()),
        groups=(Group("partners", 2, tuple(three)),),
        quorum="partners",
    )


def asking(three: Mapping[str, Partner], *, patience: float = 20.0, grace: float = 20.0) -> ledger.Witnesses:
    """The publisher's side of them, as a publisher that has just started. Grace is long, so that nobody is left out."""
    return ledger.Witnesses(policy=two_of(three), reached=three, patience=patience, grace=grace)


def grow(books: LedgerWorld, count: int = 1) -> None:
    books.post_many(count)
    books.sequence()


def witnessed(books: LedgerWorld, three: Mapping[str, Partner], note: str | None = None) -> list[str]:
    """Who has cosigned the public checkpoint, or another note, by the policy."""
    opened = open_checkpoint(note or str(books.public_log.note), [books.verifier], policy=two_of(three))
    return [witness.name for witness in opened.witnessed]


def stored_note(books: LedgerWorld) -> str:
    with books.sequencer.transaction() as session:
        return str(session.scalar(text("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")))
