"""How a check ends. Only a finished proof exits with 0; what could not be checked has exit codes of its own."""

import enum
from typing import Final

from ledger_format.errors import (
    CertificateError,
    CheckpointError,
    CommitmentError,
    EntryError,
    FormatError,
    MismatchError,
    NoteError,
    PolicyError,
    ProofError,
    QuorumError,
    ReceiptError,
    SignatureError,
    TileError,
    UnknownCertificateError,
    UnknownVersionError,
    UntrustedNoteError,
)


class Exit(enum.IntEnum):
    """Exit codes. 1x: checked, and refused. 2x: could not be checked, which proves nothing either way."""

    VERIFIED = 0
    USAGE = 2
    MALFORMED = 10
    SIGNATURE = 11
    PROOF = 12
    OPENING = 13
    MISMATCH = 14
    QUORUM = 15
    FORK = 16
    BOOKS = 17
    DIFFERENT = 18
    BREACH = 19
    NO_KEY = 20
    UNREADABLE = 21
    UNREACHABLE = 22
    NOT_THERE = 23
    UNKNOWN_VERSION = 24
    STALE = 25
    PARTLY = 26
    INTERNAL = 70


FIRST_NOT_CHECKED: Final = Exit.NO_KEY


class CheckFailure(Exception):
    """A check that did not end in a proof: why, in half a sentence, and what to do next, in the other half."""

    def __init__(self, exit_code: Exit, reason: str, advice: str) -> None:
        super().__init__(f"{reason}; {advice}.")
        self.exit_code = exit_code
        self.reason = reason
        self.advice = advice

    def __reduce__(self) -> tuple[type["CheckFailure"], tuple[Exit, str, str]]:
        """Travel between processes whole: an exception's own way keeps only its message."""
        return CheckFailure, (self.exit_code, self.reason, self.advice)

    @property
    def verdict(self) -> str:
        """`refused` when it was checked and is wrong, `not_checked` when nothing is known."""
        return "refused" if self.exit_code < FIRST_NOT_CHECKED else "not_checked"


_ASK_AGAIN: Final = "ask whoever gave it to you for the original"
# The first class that fits decides: subclasses stand before their parents.
_BY_ERROR: Final[tuple[tuple[type[FormatError], Exit, str], ...]] = (
    (UnknownCertificateError, Exit.UNKNOWN_VERSION, "install a newer amply-verify and check again"),
    (UnknownVersionError, Exit.UNKNOWN_VERSION, "install a newer amply-verify and check again"),
    (
        UntrustedNoteError,
        Exit.SIGNATURE,
        "compare your key with the one that is published, and do not rely on this until they agree",
    ),
    (
        QuorumError,
        Exit.QUORUM,
        "the log may show you what it shows nobody else, so do not rely on this; a newer copy may be cosigned by more",
    ),
    (PolicyError, Exit.NO_KEY, "get the policy again from where it came"),
    (SignatureError, Exit.SIGNATURE, "do not rely on it, and ask for the original"),
    (ProofError, Exit.PROOF, "the entry is not in the signed ledger like this, so do not rely on it"),
    (CommitmentError, Exit.OPENING, "the entry is real but not about this value, so do not rely on it"),
    (MismatchError, Exit.MISMATCH, "its parts come from different places, so do not rely on it"),
    (CertificateError, Exit.MALFORMED, _ASK_AGAIN),
    (ReceiptError, Exit.MALFORMED, _ASK_AGAIN),
    (EntryError, Exit.MALFORMED, _ASK_AGAIN),
    (CheckpointError, Exit.MALFORMED, _ASK_AGAIN),
    (TileError, Exit.MALFORMED, "what the log serves is damaged, so report it to the log's operator"),
    (NoteError, Exit.MALFORMED, _ASK_AGAIN),
)


def from_format_error(error: FormatError) -> CheckFailure:
    """Turn an error of the format into the failure a person reads."""
    for kind, exit_code, advice in _BY_ERROR:
        if isinstance(error, kind):
            return CheckFailure(exit_code, str(error), advice)
    return CheckFailure(Exit.MALFORMED, str(error), _ASK_AGAIN)
