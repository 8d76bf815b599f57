"""What each verifier makes of the same bytes."""

from collections.abc import Callable
from typing import Any

from amply_verify.outcome import CheckFailure, from_format_error
from amply_verify.sources import decode_text
from ledger_format.entries import decode
from ledger_format.errors import FormatError, PolicyError
from ledger_format.log_keys import LogKey, parse_key_list, parse_log_key
from ledger_format.notes import open_note
from ledger_format.policies import parse_policy
from ledger_format.receipts import decode_receipt, verify_receipt
from ledger_format.tiles import decode_bundle
from tests.verify.javascript_runner import Answer, kind
from tests.verify.readings import Reading


def _keys(reading: Reading) -> list[LogKey]:
    return [parse_log_key(key) for key in reading.keys]


def _note(reading: Reading) -> list[str]:
    return [str(len(open_note(decode_text(reading.raw, what="the note"), _keys(reading)).signatures))]


_MEANING: dict[str, Callable[[Reading], list[str]]] = {
    "key list": lambda reading: [
        str(key) for key in parse_key_list(decode_text(reading.raw, what="the key list"))
    ],
    "note": _note,
    "policy": lambda reading: [parse_policy(reading.raw).quorum],
    "leaf": lambda reading: [decode(reading.raw).id],
    "receipt": lambda reading: [verify_receipt(decode_receipt(reading.raw), _keys(reading)).entry.id],
    "bundle": lambda reading: [str(len(decode_bundle(reading.raw)))],
}


def judged_in_python(reading: Reading) -> tuple[str, list[str]]:
    """The verdict in the words of exit codes, and what was understood."""
    try:
        return "verified", _MEANING[reading.read](reading)
    except CheckFailure as failure:
        return failure.exit_code.name.lower(), []
    except PolicyError:
        return "malformed", []
    except FormatError as error:
        return from_format_error(error).exit_code.name.lower(), []


def question(reading: Reading) -> Answer:
    """What to ask the pages' verifier."""
    return {"do": "reading", "read": reading.read, "content": reading.content, "keys": reading.keys}


def judged_in_javascript(answer: Answer) -> tuple[str, list[str]]:
    """The same of its answer."""
    meaning: Any = answer.get("result", [])
    return kind(answer), meaning
