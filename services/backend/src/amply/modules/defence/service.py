"""The gate that every gift passes before it is opened."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from amply.infra.counters import Counters, Hit
from amply.infra.database import Database, forbid_transaction
from amply.infra.multi_table_insert import NewRow
from amply.kernel.errors import TooManyRequests
from amply.modules.defence import closings, queries
from amply.modules.defence.domain import (
    RULES,
    Attempt,
    ChallengeRequired,
    Evidence,
    Fingerprints,
    Judgement,
    Subject,
    Verdict,
    judge,
)
from amply.modules.defence.fingerprints import DailyKeys, marks_of
from amply.modules.defence.models import OpenedGiftRow
from amply.modules.defence.ports import About, Challenge
from amply.modules.defence.puzzles import ProofOfWork

_log = structlog.get_logger()

REFUSAL: Final = "This gift cannot be taken just now: wait a minute and try again."


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Dependencies of the gate."""

    database: Database
    counters: Counters
    keys: DailyKeys
    challenge: Challenge

    def admit(self, attempt: Attempt, *, solution: str | None, now: datetime) -> Fingerprints:
        """Decide whether a request may proceed; returns the fingerprints to remember.

        Raises:
            FormClosed: The form of one of its organisations is closed for a while.
            ChallengeRequired: It must be repeated with a solution.
            TooManyRequests: The caller exceeded a rate limit. Whoever is refused is not told why: the words are the same for every reason.
        """
        forbid_transaction("judging a gift")
        marks = marks_of(self.keys.of(now.date()), attempt)
        evidence = self._evidence(attempt, marks, now=now)
        if evidence.closed:
            _log.info("form_is_closed", organization_ids=sorted(evidence.closed))
            raise closings.FormClosed(
                evidence.closed,
                opens_at=max(evidence.closed.values()),
                is_alone=len(evidence.closed) == len({part.organization_id for part in attempt.parts}),
            )
        judgement = judge(evidence, is_small=bool(attempt.small_at))
        if judgement.verdict is Verdict.ADMIT:
            return marks
        if judgement.verdict is Verdict.REFUSE:
            _note("gift_refused", attempt, judgement)
            raise TooManyRequests(REFUSAL)
        about = About(organization_id=attempt.organization_id, idempotency_key=attempt.idempotency_key)
        if solution is not None and self.challenge.is_solved(about, solution=solution, now=now):
            return replace(marks, is_challenged=True)
        _note("gift_challenged", attempt, judgement)
        raise ChallengeRequired(self.challenge.pose(about, bits=judgement.bits, now=now))

    def _evidence(self, attempt: Attempt, marks: Fingerprints, *, now: datetime) -> Evidence:
        keys = _cache_keys(attempt, marks)
        rules = [rule for rule in RULES if rule.subject in keys]
        hits = [Hit(name=rule.name, key=keys[rule.subject], window=rule.window) for rule in rules]
        counted = self.counters.count(hits, now=now)
        seen = queries.seen_of(
            self.database,
            marks=marks,
            small_at=attempt.small_at,
            organization_ids={part.organization_id for part in attempt.parts},
            now=now,
        )
        return Evidence(
            opened=dict(zip((rule.name for rule in rules), counted.numbers, strict=True)),
            declined=seen.declined,
            is_counted_alone=not counted.is_shared,
            is_under_attack=seen.is_under_attack,
            closed={} if attempt.is_begun else seen.closed,
        )


def gate(database: Database, counters: Counters) -> Gate:
    """The gate of the donation routes, with proof of work as its challenge."""
    keys = DailyKeys(database)
    return Gate(database=database, counters=counters, keys=keys, challenge=ProofOfWork(keys.of))


def opened(*, donation_id: str, organization_id: str, marks: Fingerprints, now: datetime) -> NewRow:
    """The row that remembers a gift's fingerprints for later declines, written with the gift."""
    values = {
        "donation_id": donation_id,
        "organization_id": organization_id,
        "opened_at": now,
        **vars(marks),
    }
    return NewRow(OpenedGiftRow, values)


def _cache_keys(attempt: Attempt, marks: Fingerprints) -> dict[Subject, str]:
    """What each subject is counted under. Nobody is told from anybody within a private network."""
    seen = {
        Subject.ADDRESS: marks.address,
        Subject.NETWORK: marks.network,
        Subject.DEVICE: marks.device,
        Subject.MAIL: marks.mail,
    }
    keys = {subject: mark.hex() for subject, mark in seen.items() if mark is not None}
    return {**keys, Subject.ORGANIZATION: attempt.organization_id, Subject.EVERYONE: "all"}


def _note(event: str, attempt: Attempt, judgement: Judgement) -> None:
    _log.info(event, organization_id=attempt.organization_id, rule=judgement.rule, bits=judgement.bits)
