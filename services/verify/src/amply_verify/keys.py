"""Whom a person trusts: keys of logs, and a policy of witnesses. Neither comes from what is being checked."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Final

from amply_verify.outcome import CheckFailure, Exit
from amply_verify.sources import decode_text, read_file
from ledger_format.errors import NoteError, PolicyError
from ledger_format.log_keys import (
    MAX_KEY_LIST_BYTES,
    MAX_LISTED_KEYS,
    LogKey,
    parse_key_list,
    parse_log_key,
)
from ledger_format.policies import MAX_POLICY_BYTES, Policy, parse_policy

ENVIRONMENT_VARIABLE: Final = "AMPLY_VERIFIER_KEY"
POLICY_VARIABLE: Final = "AMPLY_POLICY"


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """Keys of logs, at least one, and the policy that is demanded; None demands no witness."""

    keys: tuple[LogKey, ...]
    policy: Policy | None = None


def trust(options: Sequence[str], policy_file: str | None) -> Trust:
    """Take keys from `--key` and the policy from `--policy`; without either option, from the environment.

    A policy that names logs brings their keys, so that no key need be given beside it. Where one is given all the
    same, the log must have signed with a key of each. Only keys that are given can have a last size: a policy has no
    place for it.

    Raises:
        CheckFailure: There is no key at all, or a key or the policy cannot be read.
    """
    name = policy_file or os.environ.get(POLICY_VARIABLE, "")
    policy = read_policy(name) if name else None
    brought = policy.log_keys if policy else ()
    is_given = bool(options or os.environ.get(ENVIRONMENT_VARIABLE))
    keys = brought if brought and not is_given else trusted_keys(options)
    return Trust(tuple(keys), policy)


def read_policy(name: str) -> Policy:
    """Read a policy file.

    Raises:
        CheckFailure: It cannot be read, or is malformed.
    """
    try:
        # Too much of a policy is the policy's fault, not that of what is checked.
        return parse_policy(read_file(name, limit=MAX_POLICY_BYTES, if_larger=Exit.NO_KEY))
    except PolicyError as error:
        raise CheckFailure(
            Exit.NO_KEY,
            f"the policy {name!r} is malformed ({error})",
            "get it again from where it came; nothing was checked",
        ) from error


def trusted_keys(options: Sequence[str]) -> list[LogKey]:
    """Take the trusted keys from `--key` options or, without any, from the environment.

    Each option is a key as a line of a key list has it, or a file that is such a list: a former key stands behind the
    size of the last tree that it signed, and counts no further (docs/ledger-format.md 5.3).

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
    if not 1 <= len(keys) <= MAX_LISTED_KEYS:
        raise CheckFailure(
            Exit.NO_KEY, f"{len(keys)} keys were given", f"give 1 to {MAX_LISTED_KEYS} verifier keys"
        )
    return keys


def _keys_of(source: str) -> list[LogKey]:
    try:
        return [parse_log_key(source)]
    except NoteError:
        pass  # not a key, then: the name of a file with keys
    try:
        text = decode_text(read_file(source, limit=MAX_KEY_LIST_BYTES), what=f"the key file {source!r}")
        return parse_key_list(text)
    except NoteError as error:
        raise CheckFailure(
            Exit.NO_KEY,
            f"the key file {source!r} holds something else ({error})",
            "put one key on each line, a former one behind the size of its last tree and a space",
        ) from error
    except CheckFailure as error:
        raise CheckFailure(
            Exit.NO_KEY,
            f"{source!r} is neither a verifier key nor a file with one",
            "give a key such as name+0123abcd+base64, or its file",
        ) from error
