"""What an audit refuses, as sentences that say where."""

from typing import Final

from amply_verify.outcome import CheckFailure, Exit, from_format_error
from ledger_format.errors import FormatError
from ledger_format.tiles import Tile, tile_path

_REPORT: Final = "do not rely on this log, and report it to its operator and to others who use it"
_LOOK: Final = (
    "nothing else is wrong with what was read; the books keep this even when a payment provider did it, so somebody has "
    "to look at it: ask the log's operator what happened"
)
_DAMAGED: Final = (
    "what is read here is damaged; compare with another copy, and report it to the log's operator"
)


def wrong_tile(tile: Tile) -> CheckFailure:
    """A hash tile is not what the entries below it give."""
    return CheckFailure(
        Exit.PROOF, f"{tile_path(tile)} does not hold the hashes that the entries below it give", _DAMAGED
    )


def wrong_entry(index: int, error: FormatError) -> CheckFailure:
    """An entry breaks a rule of the format."""
    plain = from_format_error(error)
    advice = plain.advice if plain.exit_code is Exit.UNKNOWN_VERSION else _REPORT
    return CheckFailure(plain.exit_code, f"entry {index}: {plain.reason}", advice)


def wrong_file(what: str, error: FormatError) -> CheckFailure:
    """A file of the log is malformed."""
    plain = from_format_error(error)
    return CheckFailure(plain.exit_code, f"{what}: {plain.reason}", _DAMAGED)


def other_log(index: int, log: str, origin: str) -> CheckFailure:
    """An entry was written for another log."""
    return CheckFailure(
        Exit.MISMATCH, f"entry {index} was written for the log {log}, not for {origin}", _REPORT
    )


def broken_rule(sentence: str) -> CheckFailure:
    """Entries that are each well-formed break a rule between them."""
    return CheckFailure(Exit.BOOKS, sentence, _REPORT)


def breached(sentence: str) -> CheckFailure:
    """More was taken back than was given. Everything else of the log has been checked by then, and holds."""
    return CheckFailure(Exit.BREACH, sentence, _LOOK)
