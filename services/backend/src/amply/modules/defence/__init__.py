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
from amply.modules.defence.declines import TOPIC_EXHAUSTED, forget_donor, note_decline
from amply.modules.defence.domain import (
    CLOSED_AT_MOST,
    Attempt,
    ChallengeRequired,
    Client,
    Decline,
    Fingerprints,
    Part,
    SetupOf,
)
from amply.modules.defence.fingerprints import DailyKeys
from amply.modules.defence.ports import About, Challenge
from amply.modules.defence.puzzles import ProofOfWork, solve
from amply.modules.defence.queries import Attack, attacks, count_attacks
from amply.modules.defence.retention import forget
from amply.modules.defence.service import Gate, gate, opened
from amply.modules.defence.setups import (
    CardSetup,
    are_exhausted,
    count_open_setups,
    count_setups,
    end_setups,
    find_setup,
    forget_setups_of,
    keep_setup,
    note_ended,
    note_setup_declines,
    open_setups,
)
from amply.modules.defence.web import CardAdmissionOf, ClientOf, GateOf, SolutionOf

__all__ = [
    "CLOSED_AT_MOST",
    "TOPIC_EXHAUSTED",
    "TOPIC_FORM_CLOSED",
    "About",
    "Attack",
    "Attempt",
    "CardAdmissionOf",
    "CardSetup",
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
    "SetupOf",
    "SolutionOf",
    "are_exhausted",
    "attacks",
    "closed_forms",
    "count_attacks",
    "count_open_setups",
    "count_setups",
    "count_untold",
    "end_setups",
    "exempt",
    "exemptions",
    "find_setup",
    "forget",
    "forget_donor",
    "forget_setups_of",
    "gate",
    "keep_setup",
    "latest_closings",
    "note_decline",
    "note_ended",
    "note_setup_declines",
    "open_setups",
    "opened",
    "reopen",
    "solve",
    "tell_closings",
]
