"""What a witness answers to `add-checkpoint`, rule by rule of c2sp.org/tlog-witness."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from amply_verify.witness.key import OwnKey
from amply_verify.witness.memory import Memory, Seen
from ledger_format.errors import CheckpointError, NoteError, ProofError, WitnessRequestError
from ledger_format.log_keys import LogKey, signers_in_time
from ledger_format.merkle import verify_consistency
from ledger_format.notes import open_note, split_note
from ledger_format.witnessing import (
    SIZE_CONTENT_TYPE,
    AddCheckpoint,
    TreeHead,
    parse_add_checkpoint,
    parse_tree_head,
    size_body,
)

PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer, and in a few words why, for the witness's own log."""

    status: HTTPStatus
    body: str
    reason: str
    content_type: str = PLAIN


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A witness of the logs whose keys it was given; `seconds` tells the time since 1970 (UTC)."""

    key: OwnKey
    logs: Mapping[str, Sequence[LogKey]]
    memory: Memory
    seconds: Callable[[], int]

    def add_checkpoint(self, body: bytes) -> Answer:
        """Cosign the checkpoint in a request's body if it extends what was cosigned before."""
        try:
            request = _read(body)
            head, text = self._authenticate(request)
            return self._cosign(request, head, text)
        except _Refused as refused:
            return refused.answer

    def _authenticate(self, request: AddCheckpoint) -> tuple[TreeHead, str]:
        """Find out which log speaks, and whether it is the one it says."""
        try:
            text, _ = split_note(request.note)
        except NoteError as error:
            raise _refuse(HTTPStatus.BAD_REQUEST, str(error)) from error
        keys = self.logs.get(text.partition("\n")[0])
        if keys is None:
            raise _refuse(HTTPStatus.NOT_FOUND, "this witness does not watch the log of this origin")
        try:
            signatures = open_note(request.note, keys).signatures
        except NoteError as error:
            raise _refuse(HTTPStatus.FORBIDDEN, str(error)) from error
        try:
            head = parse_tree_head(text)
        except CheckpointError as error:
            raise _refuse(HTTPStatus.BAD_REQUEST, str(error)) from error
        if not signers_in_time(signatures, head.size, keys):
            reason = "only a former key of the log has signed, and its last tree was smaller"
            raise _refuse(HTTPStatus.FORBIDDEN, reason)
        if request.old_size > head.size:
            raise _refuse(HTTPStatus.BAD_REQUEST, "the old size is larger than the checkpoint's")
        return head, text

    def _cosign(self, request: AddCheckpoint, head: TreeHead, text: str) -> Answer:
        try:
            with self.memory.exclusively() as turn:
                _check(request, head, turn.seen(head.origin))
                # Within the turn: as of this time nothing larger was cosigned.
                seconds = self.seconds()
                turn.remember(head, note=request.note)
        except _Contradiction as found:
            with suppress(sqlite3.Error):  # the answer does not depend on it
                self.memory.keep_evidence(head, note=request.note, reason=str(found), seconds=self.seconds())
            raise _Refused(found.answer) from found
        line = self.key.cosign(text, seconds=seconds).line()
        return Answer(
            status=HTTPStatus.OK,
            body=line,
            reason=f"cosigned {head.size} entries of {head.origin} (from {request.old_size})",
        )


class _Contradiction(Exception):
    """The log has signed something that does not follow what it had signed before, or its proof is wrong."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


def _read(body: bytes) -> AddCheckpoint:
    try:
        return parse_add_checkpoint(body)
    except WitnessRequestError as error:
        raise _refuse(HTTPStatus.BAD_REQUEST, str(error)) from error


def _check(request: AddCheckpoint, head: TreeHead, seen: Seen | None) -> None:
    """Whether the checkpoint follows the one seen last.

    Raises:
        _Refused: The old size is not the one that was seen.
        _Contradiction: It does not follow.
    """
    seen_size = seen.size if seen else 0
    if request.old_size != seen_size:
        raise _Refused(
            Answer(
                status=HTTPStatus.CONFLICT,
                body=size_body(seen_size),
                reason=f"the last one cosigned of {head.origin} has {seen_size} entries, not {request.old_size}",
                content_type=SIZE_CONTENT_TYPE,
            )
        )
    if seen and seen.size == head.size and seen.root != head.root:
        raise _contradicts(HTTPStatus.CONFLICT, f"another tree of {head.size} entries was cosigned before")
    if seen_size == 0:
        # Every tree extends the empty one, and needs no proof of it.
        if request.proof:
            raise _contradicts(HTTPStatus.UNPROCESSABLE_ENTITY, "from the old size 0 the proof must be empty")
        return
    assert seen is not None  # noqa: S101 -- its size is not 0
    try:
        verify_consistency(
            old_size=seen.size,
            old_root=seen.root,
            new_size=head.size,
            new_root=head.root,
            proof=request.proof,
        )
    except ProofError as error:
        raise _contradicts(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error


def _refuse(status: HTTPStatus, reason: str) -> _Refused:
    return _Refused(Answer(status=status, body=f"{reason}\n", reason=reason))


def _contradicts(status: HTTPStatus, reason: str) -> _Contradiction:
    return _Contradiction(Answer(status=status, body=f"{reason}\n", reason=reason))
