"""Defence against those who try stolen cards on donation forms. Import from here only."""

from amply.modules.defence.closings import (
    TOPIC_FORM_CLOSED,
    Closing,
    Exemption,
    FormClosed,
    closed_forms,
    count_untold,
    exempt,
    exemptions,
    latest_closings,
    reopen,
    tell_closings,
)
from amply.modules.defence.declines import (
    TOPIC_EXHAUSTED,
    Decline,
    claim_exhausted,
    count_unended,
    forget,
    forget_donor,
    note_closed,
    note_decline,
)
from amply.modules.defence.domain import (
    CLOSED_AT_MOST,
    Attempt,
    ChallengeRequired,
    Client,
    Fingerprints,
    Part,
)
from amply.modules.defence.fingerprints import DailyKeys
from amply.modules.defence.ports import About, Challenge
from amply.modules.defence.puzzles import ProofOfWork, solve
from amply.modules.defence.queries import Attack, attacks, count_attacks
from amply.modules.defence.service import Gate, gate, opened
from amply.modules.defence.web import ClientOf, GateOf, SolutionOf

__all__ = [
    "CLOSED_AT_MOST",
    "TOPIC_EXHAUSTED",
    "TOPIC_FORM_CLOSED",
    "About",
    "Attack",
    "Attempt",
    "Challenge",
    "ChallengeRequired",
    "Client",
    "ClientOf",
    "Closing",
    "DailyKeys",
    "Decline",
    "Exemption",
    "Fingerprints",
    "FormClosed",
    "Gate",
    "GateOf",
    "Part",
    "ProofOfWork",
    "SolutionOf",
    "attacks",
    "claim_exhausted",
    "closed_forms",
    "count_attacks",
    "count_unended",
    "count_untold",
    "exempt",
    "exemptions",
    "forget",
    "forget_donor",
    "gate",
    "latest_closings",
    "note_closed",
    "note_decline",
    "opened",
    "reopen",
    "solve",
    "tell_closings",
]
