"""Defence against those who try stolen cards on donation forms. Import from here only."""

from amply.modules.defence.declines import (
    FACT_EXHAUSTED,
    Decline,
    claim_exhausted,
    count_unended,
    forget,
    forget_donor,
    note_closed,
    note_decline,
)
from amply.modules.defence.domain import Attempt, ChallengeRequired, Client, Marks, Part
from amply.modules.defence.marks import DailyKeys
from amply.modules.defence.ports import About, Challenge
from amply.modules.defence.puzzles import ProofOfWork, solve
from amply.modules.defence.queries import Attack, attacks, count_attacks
from amply.modules.defence.service import Gate, gate, note_opened
from amply.modules.defence.web import ClientOf, GateOf, SolutionOf

__all__ = [
    "FACT_EXHAUSTED",
    "About",
    "Attack",
    "Attempt",
    "Challenge",
    "ChallengeRequired",
    "Client",
    "ClientOf",
    "DailyKeys",
    "Decline",
    "Gate",
    "GateOf",
    "Marks",
    "Part",
    "ProofOfWork",
    "SolutionOf",
    "attacks",
    "claim_exhausted",
    "count_attacks",
    "count_unended",
    "forget",
    "forget_donor",
    "gate",
    "note_closed",
    "note_decline",
    "note_opened",
    "solve",
]
