"""The keys a person trusts. They come from that person, never from what is being checked."""

import os
from collections.abc import Sequence
from typing import Final

from amply_verify.outcome import CheckFailure, Exit
from amply_verify.sources import decode_text, read_file
from ledger_format.errors import NoteError
from ledger_format.notes import VerifierKey

ENVIRONMENT_VARIABLE: Final = "AMPLY_VERIFIER_KEY"
MAX_KEY_FILE_BYTES: Final = 65_536
MAX_KEYS: Final = 64


def trusted_keys(options: Sequence[str]) -> list[VerifierKey]:
    """Take the trusted keys from `--key` options or, without any, from the environment.

    Each option is a verifier key, or a file with one key a line (empty lines and `#` lines are skipped).

    Raises:
        CheckFailure: There is no key, or one cannot be read.
    """
    sources = list(options) or [value for value in [os.environ.get(ENVIRONMENT_VARIABLE, "")] if value]
    if not sources:
        raise CheckFailure(
            Exit.NO_KEY,
            "no trusted key was given, and without one nothing can be verified",
            f"pass the log's verifier key with --key or in {ENVIRONMENT_VARIABLE}",
        )
    keys = [key for source in sources for key in _keys_of(source)]
    if not 1 <= len(keys) <= MAX_KEYS:
        raise CheckFailure(Exit.NO_KEY, f"{len(keys)} keys were given", f"give 1 to {MAX_KEYS} verifier keys")
    return keys


def _keys_of(source: str) -> list[VerifierKey]:
    try:
        return [VerifierKey.parse(source)]
    except NoteError:
        pass  # not a key, then: the name of a file with keys
    try:
        text = decode_text(read_file(source, limit=MAX_KEY_FILE_BYTES), what=f"the key file {source!r}")
        lines = (line.strip() for line in text.splitlines())
        return [VerifierKey.parse(line) for line in lines if line and not line.startswith("#")]
    except NoteError as error:
        raise CheckFailure(
            Exit.NO_KEY, f"the key file {source!r} holds something else ({error})", "put one key on each line"
        ) from error
    except CheckFailure as error:
        raise CheckFailure(
            Exit.NO_KEY,
            f"{source!r} is neither a verifier key nor a file with one",
            "give a key such as name+0123abcd+base64, or its file",
        ) from error
