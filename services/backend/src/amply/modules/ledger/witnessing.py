"""Requests cosignatures from witnesses, concurrently and bounded in time, and verifies each.

A checkpoint is shown only when as many witnesses as the policy demands have cosigned it, each cosignature verified
here. One that is slow, away, or lies costs its own cosignature and nothing else.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Final

import structlog

from amply.infra.database import Database
from amply.kernel.errors import invariant
from amply.modules.ledger.forks import ForkRefused
from amply.modules.ledger.ports import Witness, WitnessAnswer, WitnessAway
from amply.modules.ledger.tree import tile_reader
from ledger_format.checkpoints import Checkpoint
from ledger_format.cosignatures import WitnessKey, read_cosignatures
from ledger_format.errors import NoteError, WitnessRequestError
from ledger_format.notes import NoteSignature
from ledger_format.policies import Policy
from ledger_format.tiles import consistency_proof
from ledger_format.witnessing import SIZE_CONTENT_TYPE, AddCheckpoint, parse_size_body

REQUESTS_MAX: Final = 3
"""Requests to one witness for a checkpoint: with the known size, with the size it reports, and one after an I/O error."""

PATIENCE_SECONDS: Final = 8.0
"""Total time for all witnesses: two requests, each within the adapter's limits."""

GRACE_SECONDS: Final = 0.5
"""Additional time for other witnesses once the quorum is reached."""

_log = structlog.get_logger()


class QuorumMissing(Exception):
    """Too few witnesses cosigned, so nothing was published. Retrying later may help."""

    def __init__(self, *, size: int, policy: Policy, answers: "Sequence[Answer]") -> None:
        said = "; ".join(f"{answer.name}: {answer.reason}" for answer in answers)
        super().__init__(
            f"The checkpoint of {size} entries waits for the witnesses of the quorum {policy.quorum} ({said})."
        )
        self.size = size
        self.reasons = {answer.name: answer.reason for answer in answers}


class WitnessesSilent(Exception):
    """Witnesses that did not answer may know a larger tree, so clearance is withheld. Retrying later may help."""

    def __init__(self, *, tree_size: int, silent: "Sequence[Answer]") -> None:
        said = "; ".join(f"{answer.name}: {answer.reason}" for answer in silent)
        super().__init__(
            f"Whether witnesses have seen more than this database of {tree_size} entries is not known ({said})."
        )
        self.tree_size = tree_size
        self.reasons = {answer.name: answer.reason for answer in silent}


class Verdict(StrEnum):
    """The meaning of a witness's answer."""

    COSIGNED = "cosigned"
    FURTHER = "further"  # it says that it has seen a larger tree
    CONTRADICTS = "contradicts"  # it says that what it has seen is not our tree
    FAILED = "failed"  # no answer, or one that says nothing


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A witness's answer. `cosignature` was verified; `seen_size` is only the witness's claim."""

    name: str
    verdict: Verdict
    reason: str
    cosignature: NoteSignature | None = None
    seen_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Question:
    """A signed checkpoint to be cosigned, and the source of consistency proofs."""

    database: Database
    checkpoint: Checkpoint
    note: str

    def request(self, old_size: int) -> bytes:
        return AddCheckpoint(old_size, self._proof(old_size), self.note).body()

    def _proof(self, old_size: int) -> tuple[bytes, ...]:
        if old_size in {0, self.checkpoint.size}:
            return ()
        with self.database.transaction() as session:
            return tuple(consistency_proof(old_size, self.checkpoint.size, tile_reader(session)))


@dataclass(frozen=True, kw_only=True)
class _PendingRequest:
    text: str
    future: Future[Answer]


@dataclass(kw_only=True)
class Witnesses:
    """The witnesses of a policy, by name. For one thread at a time.

    Whoever wants none says so: with `ledger_format.policies.UNWITNESSED`.

    `patience` and `grace` are seconds.
    """

    policy: Policy
    reached: Mapping[str, Witness] = field(default_factory=dict)
    patience: float = PATIENCE_SECONDS
    grace: float = GRACE_SECONDS
    _sizes: dict[str, int] = field(default_factory=dict, init=False)
    _asked: dict[str, _PendingRequest] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        invariant(
            {witness.name for witness in self.policy.witnesses} == set(self.reached),
            "every witness of the policy can be asked",
        )

    def ask(
        self,
        database: Database,
        *,
        checkpoint: Checkpoint,
        note: str,
        have: Collection[str] = (),
        hears_out: bool = False,
    ) -> list[Answer]:
        """Ask all witnesses whose cosignature is missing; return their answers in the policy's order.

        Returns soon after enough have cosigned, or with `hears_out` soon after those who have not are too few to be a
        quorum. Whoever takes longer counts as failed, and is not asked again before it has answered.
        """
        question = _Question(database=database, checkpoint=checkpoint, note=note)
        missing = [witness for witness in self.policy.witnesses if witness.name not in have]
        asked = {
            witness.name: self._begin(witness.name, witness.key, question, anew=hears_out)
            for witness in missing
        }
        self._wait(asked, self._may_go(asked, have, hears_out=hears_out))
        answers = [_answer_so_far(name, future) for name, future in asked.items()]
        for answer in answers:
            if answer.verdict is not Verdict.COSIGNED:
                _log.warning(
                    "witness_did_not_cosign",
                    witness=answer.name,
                    size=checkpoint.size,
                    verdict=answer.verdict,
                    reason=answer.reason,
                )
        return answers

    def refuse_silence(self, answers: Iterable[Answer], *, tree_size: int) -> None:
        """Raise if the silent witnesses could form a quorum, since what it cosigned may have been public.

        Any other quorum has a member that answered and would have said so.

        Raises:
            WitnessesSilent: They may be one.
        """
        silent = [answer for answer in answers if answer.verdict is Verdict.FAILED]
        if self.policy.is_met({answer.name for answer in silent}):
            raise WitnessesSilent(tree_size=tree_size, silent=silent)

    def refuse_fork(self, answers: Iterable[Answer], *, tree_size: int) -> None:
        """Raise if the witnesses that report another or a larger tree could form a quorum.

        A quorum may be what was published and forgotten here. Fewer cannot have published, so one that lies, or has
        itself lost its way, does not stop the log: it is reported. Those who did not answer count with them as soon as
        one says so.

        Raises:
            ForkRefused: They may be a quorum.
        """
        answers = list(answers)
        against = [answer for answer in answers if _speaks_against(answer, tree_size)]
        if not against:
            return
        said = "; ".join(f"{answer.name}: {answer.reason}" for answer in against)
        silent = {answer.name for answer in answers if answer.verdict is Verdict.FAILED}
        if self.policy.is_met({answer.name for answer in against} | silent):
            raise ForkRefused(
                f"Witnesses have seen another log than this database of {tree_size} entries ({said})."
            )
        _log.error("witness_contradicts", tree_size=tree_size, said=said)

    def _begin(self, name: str, key: WitnessKey, question: _Question, *, anew: bool) -> Future[Answer]:
        """`anew`: what it has said before counts for nothing, for it may have seen more since."""
        text = question.checkpoint.note_text()
        earlier = self._asked.get(name)
        if earlier is not None and not earlier.future.done():
            if earlier.text == text:
                return earlier.future
            return _done(_failed(name, "it has not answered an earlier question yet"))
        if not anew and earlier is not None and earlier.text == text and _is_good(earlier.future):
            return earlier.future  # it came too late to be waited for, and is as good now
        future: Future[Answer] = Future()
        self._asked[name] = _PendingRequest(text=text, future=future)
        self._start(name, partial(self._consult, name, key, question, future))
        return future

    def _start(self, name: str, consult: Callable[[], None]) -> None:
        # Not a pool: its threads would keep the process from ending while a witness keeps a connection open.
        threading.Thread(target=consult, name=f"witness {name}", daemon=True).start()

    def _may_go(
        self, asked: Mapping[str, Future[Answer]], have: Collection[str], *, hears_out: bool
    ) -> Callable[[], bool]:
        def cosigned() -> set[str]:
            return {name for name, future in asked.items() if _is_good(future)}

        if hears_out:
            return lambda: not self.policy.is_met(asked.keys() - cosigned())
        return lambda: self.policy.is_met(cosigned() | set(have))

    def _wait(self, asked: Mapping[str, Future[Answer]], may_go: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.patience
        waiting = set(asked.values())
        while waiting and (left := deadline - time.monotonic()) > 0:
            _, waiting = wait(waiting, timeout=left, return_when=FIRST_COMPLETED)
            if may_go():
                wait(waiting, timeout=min(self.grace, max(0.0, deadline - time.monotonic())))
                return

    def _consult(self, name: str, key: WitnessKey, question: _Question, future: Future[Answer]) -> None:
        try:
            future.set_result(self._converse(name, key, question))
        except Exception as error:  # noqa: BLE001 -- whatever a witness provokes, it is that witness's failure
            future.set_result(_failed(name, f"{type(error).__name__}: {error}"))
            _log.warning("witness_failed", witness=name, exc_info=True)

    def _converse(self, name: str, key: WitnessKey, question: _Question) -> Answer:
        size = question.checkpoint.size
        old_size, reason = min(self._sizes.get(name, 0), size), ""
        for _ in range(REQUESTS_MAX):
            try:
                said = self.reached[name].add_checkpoint(question.request(old_size))
            except WitnessAway as away:
                reason = str(away)
                continue
            told = _told_size(said)
            if told is None:
                answer = _judge(name, key, question, said)
                if answer.verdict is Verdict.COSIGNED:
                    self._sizes[name] = size
                return answer
            if told == old_size == size:
                # tlog-witness: of the same size it compares the roots, and then this is the answer for another root.
                return _contradicts(name, said)
            if told > size:
                return Answer(
                    name=name,
                    verdict=Verdict.FURTHER,
                    reason=f"it says that it has seen {told} entries",
                    seen_size=told,
                )
            # It may have forgotten, or never said the truth: what it says now is where the next proof begins.
            old_size, reason = told, "it names another size each time"
        return _failed(name, reason)


def _judge(name: str, key: WitnessKey, question: _Question, said: WitnessAnswer) -> Answer:
    """What an answer other than a size amounts to."""
    if said.status == HTTPStatus.OK:
        try:
            found = read_cosignatures(said.body, question.checkpoint.note_text(), [key])
        except NoteError as error:
            return _failed(name, f"its answer holds no true cosignature ({error})")
        if not found:
            return _failed(name, "its answer holds no cosignature by its own key")
        return Answer(name=name, verdict=Verdict.COSIGNED, reason="cosigned", cosignature=found[-1])
    if said.status == HTTPStatus.CONFLICT and _is_size(said):
        return _failed(name, "it answers with a size that is none")
    if said.status in {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return _contradicts(name, said)
    return _failed(name, f"it answers with HTTP {said.status}")


def _contradicts(name: str, said: WitnessAnswer) -> Answer:
    reason = f"it says that what it has seen is not this log (HTTP {said.status})"
    return Answer(name=name, verdict=Verdict.CONTRADICTS, reason=reason)


def _told_size(said: WitnessAnswer) -> int | None:
    """The size a witness says it has seen, where it answers with one."""
    if said.status != HTTPStatus.CONFLICT or not _is_size(said):
        return None
    try:
        return parse_size_body(said.body)
    except WitnessRequestError:
        return None


def _is_size(said: WitnessAnswer) -> bool:
    return said.content_type.partition(";")[0].strip().lower() == SIZE_CONTENT_TYPE


def _speaks_against(answer: Answer, tree_size: int) -> bool:
    if answer.verdict is Verdict.FURTHER:
        return answer.seen_size is not None and answer.seen_size > tree_size
    return answer.verdict is Verdict.CONTRADICTS


def _answer_so_far(name: str, future: Future[Answer]) -> Answer:
    return future.result() if future.done() else _failed(name, "it has not answered in time")


def _is_good(future: Future[Answer]) -> bool:
    return future.done() and future.result().verdict is Verdict.COSIGNED


def _failed(name: str, reason: str) -> Answer:
    return Answer(name=name, verdict=Verdict.FAILED, reason=reason)


def _done(answer: Answer) -> Future[Answer]:
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future
