"""Version 1 of the ledger entry: its meaning, its rules, and its one spelling as bytes.

The bytes are RFC 8785 canonical JSON, and within version 1 always pure ASCII. They are the leaf that the Merkle tree
hashes, so what is written is for ever, and verifiers hash the bytes they were given rather than bytes they made.
An `Entry` or `Transfer` that breaks a rule cannot be constructed; `decode` builds one and spells it again, so that
both directions are held by the same rules.
"""

import dataclasses
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal, NoReturn, cast, get_args

from ledger_format.errors import EntryError, UnknownVersionError
from ledger_format.literals import (
    check_hash,
    check_integer,
    check_origin,
    parse_decimal,
    parse_hex_hash,
    show,
)

VERSION: Final = 1
MAX_LEAF_BYTES: Final = 65_535  # the bundle's 16-bit length prefix
MAX_TRANSFERS: Final = 200
"""The most for which an entry always fits: the longest account names and amounts there are, each line resolving another,
beside 32 commitments, stay below `MAX_LEAF_BYTES`. The database's trigger and every verifier have the same number."""
MAX_COMMITMENTS: Final = 32
MAX_DEPTH: Final = 100
"""Within how many objects and lists a value may stand."""

Phase = Literal["pending", "post", "void"]

_ID: Final = r"[a-z]{2,16}_[0-9a-z]{1,64}"
_CODE: Final = r"[a-z][a-z0-9_]{0,63}"
ENTRY_ID: Final = re.compile(r"ent_[0-9a-z]{1,64}")
OWNER: Final = re.compile(rf"platform|{_ID}")
ACCOUNT: Final = re.compile(rf"(?:platform|{_ID})/{_CODE}(?:/[0-9A-Za-z][0-9A-Za-z_]{{0,79}})?")
CURRENCY: Final = re.compile(r"[A-Z]{3}")
_KIND: Final = re.compile(r"(?=.{3,64}\Z)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
LINE: Final = re.compile(r"ent_[0-9a-z]{1,64}#(?:0|[1-9][0-9]{0,2})")
REFERENCE: Final = re.compile(r"(?=.{3,255}\Z)[a-z][a-z0-9_]*(?::[0-9A-Za-z._-]+)+")
FIELD: Final = re.compile(_CODE)
_MINUTE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z")

_REQUIRED_KEYS: Final = frozenset({"v", "log", "id", "kind", "ts", "org", "org_seq", "transfers"})
_OPTIONAL_KEYS: Final = frozenset(
    {"org_prev", "ref", "reverses", "supersedes", "matches", "reason", "commitments"}
)
_TRANSFER_REQUIRED_KEYS: Final = frozenset({"d", "c", "cur", "amt"})
_TRANSFER_OPTIONAL_KEYS: Final = frozenset({"phase", "pending"})


@dataclasses.dataclass(frozen=True, slots=True)
class Transfer:
    """One movement: `amount_minor` minor units of `currency` from the credited to the debited account.

    Accounts are `owner/code` or `owner/code/part`; the owner is `platform` or an identifier such as `org_…`.
    `phase` is absent for what is posted at once; `pending` reserves; `post` and `void` resolve the pending transfer
    that `pending` names as `entry id#line`, lines counted from 0. What resolving means stands in the format's
    document; only an audit, which sees the pending transfer, can hold the amount and the accounts to it.

    Raises:
        EntryError: A part breaks its rule.
    """

    debit: str
    credit: str
    currency: str
    amount_minor: int
    phase: Phase | None = None
    pending: str | None = None

    def __post_init__(self) -> None:
        _check(ACCOUNT, self.debit, what="the debited account")
        _check(ACCOUNT, self.credit, what="the credited account")
        if self.debit == self.credit:
            raise EntryError("a transfer needs two different accounts")
        _check(CURRENCY, self.currency, what="the currency")
        check_integer(self.amount_minor, what="an amount in minor units", error=EntryError, minimum=1)
        if self.phase is not None and self.phase not in get_args(Phase):
            raise EntryError(f"a phase is pending, post or void, not {show(self.phase)}")
        if (self.phase in {"post", "void"}) != (self.pending is not None):
            raise EntryError("exactly the phases post and void name the pending transfer they resolve")
        if self.pending is not None:
            _check(LINE, self.pending, what="the pending transfer")
            if int(self.pending.partition("#")[2]) >= MAX_TRANSFERS:
                raise EntryError(f"a pending transfer's line is 0 to {MAX_TRANSFERS - 1}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ledger entry: transfers that belong together, and what they belong to.

    Attributes:
        log: Origin of the log the entry was written for.
        id: `ent_…`, unique in the log, and random: it must not say when the entry was made.
        kind: What happened, dotted: `donation.succeeded`.
        ts: When, UTC, rounded down to the minute (see `to_minute`); a writer may round further.
        org: Whose books: `platform` or an identifier such as `org_…`.
        org_seq: Position among the entries of `org`, from 0 without gaps.
        org_prev: Leaf hash (32 bytes) of the entry of `org` before this one; None exactly when `org_seq` is 0.
        transfers: 1 to 200; their order gives the line numbers.
        ref: Name of the fact outside, such as `stripe:payout:po_…`; never one that leads to a person, for that is
            committed to as the field `reference`.
        reverses, supersedes, matches: The entry (`ent_…`) that this one takes back, replaces, or matches.
        reason: Code for why, such as `wrong_organisation`.
        commitments: HMAC (32 bytes) by field name, at most 32; see `commitments`.

    Raises:
        EntryError: A part breaks its rule.
    """

    log: str
    id: str
    kind: str
    ts: datetime
    org: str
    org_seq: int
    org_prev: bytes | None
    transfers: tuple[Transfer, ...]
    ref: str | None = None
    reverses: str | None = None
    supersedes: str | None = None
    matches: str | None = None
    reason: str | None = None
    commitments: Mapping[str, bytes] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_origin(self.log, error=EntryError)
        _check(ENTRY_ID, self.id, what="the entry id")
        _check(_KIND, self.kind, what="the kind")
        if self.ts.utcoffset() != timedelta(0) or self.ts.second or self.ts.microsecond:
            raise EntryError("the time must be UTC and a whole minute")
        self._check_chain()
        self._check_references()
        self._check_transfers()
        self._check_commitments()

    def _check_chain(self) -> None:
        _check(OWNER, self.org, what="the organisation")
        check_integer(self.org_seq, what="org_seq", error=EntryError)
        if (self.org_seq == 0) != (self.org_prev is None):
            raise EntryError(
                "org_prev is absent for an organisation's first entry, and present for all others"
            )
        if self.org_prev is not None:
            check_hash(self.org_prev, what="org_prev", error=EntryError)

    def _check_references(self) -> None:
        if self.ref is not None:
            _check(REFERENCE, self.ref, what="the outside reference")
        if self.reason is not None:
            _check(FIELD, self.reason, what="the reason")
        for name in ("reverses", "supersedes", "matches"):
            other = getattr(self, name)
            if other is not None:
                _check(ENTRY_ID, other, what=name)
            if other == self.id:
                raise EntryError(f"{name} must name another entry")

    def _check_transfers(self) -> None:
        if not 1 <= len(self.transfers) <= MAX_TRANSFERS:
            raise EntryError(f"an entry has 1 to {MAX_TRANSFERS} transfers, not {len(self.transfers)}")
        resolved = [transfer.pending for transfer in self.transfers if transfer.pending is not None]
        if len(set(resolved)) != len(resolved):
            raise EntryError("a pending transfer can be resolved once, and the entry does so twice")
        if any(line.partition("#")[0] == self.id for line in resolved):
            raise EntryError("a pending transfer is resolved by a later entry, not by its own")

    def _check_commitments(self) -> None:
        if len(self.commitments) > MAX_COMMITMENTS:
            raise EntryError(f"an entry has at most {MAX_COMMITMENTS} commitments")
        for field, value in self.commitments.items():
            _check(FIELD, field, what="a commitment's field")
            check_hash(value, what="a commitment", error=EntryError)
        # A frozen copy: the caller's mapping may change, a checked entry may not.
        object.__setattr__(self, "commitments", MappingProxyType(dict(self.commitments)))


def to_minute(moment: datetime) -> datetime:
    """Round an aware time down to the minute, in UTC, as `Entry.ts` wants it."""
    if moment.utcoffset() is None:
        raise EntryError("the time must carry its zone")
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def spell_minute(moment: datetime) -> str:
    """Write a UTC time as a leaf does: `2026-11-21T07:44Z`."""
    return moment.replace(tzinfo=None).isoformat(timespec="minutes") + "Z"


def encode(entry: Entry) -> bytes:
    """Spell an entry as its leaf bytes.

    Raises:
        EntryError: The bytes would be more than 65,535.
    """
    leaf: dict[str, object] = {
        "v": VERSION,
        "log": entry.log,
        "id": entry.id,
        "kind": entry.kind,
        "ts": spell_minute(entry.ts),
        "org": entry.org,
        "org_seq": str(entry.org_seq),
        "transfers": [_spell_transfer(transfer) for transfer in entry.transfers],
    }
    if entry.org_prev is not None:
        leaf["org_prev"] = entry.org_prev.hex()
    for name in ("ref", "reverses", "supersedes", "matches", "reason"):
        if (value := getattr(entry, name)) is not None:
            leaf[name] = value
    if entry.commitments:
        leaf["commitments"] = {field: value.hex() for field, value in entry.commitments.items()}
    # Every string above is ASCII without quotes, backslashes or control characters, and the one number is 1: for
    # such values this is RFC 8785's spelling, several times faster. A property test holds it to an RFC 8785 library.
    raw = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode("ascii")
    if len(raw) > MAX_LEAF_BYTES:
        raise EntryError(f"an entry has at most {MAX_LEAF_BYTES} bytes, not {len(raw)}")
    return raw


def decode(raw: bytes) -> Entry:
    """Read leaf bytes, refusing whatever `encode` would not have written.

    Raises:
        UnknownVersionError: `v` is a whole number from 2 to 9999, whatever else the bytes say.
        EntryError: The bytes break any other rule.
    """
    leaf = _parse(raw)
    _check_version(leaf)
    if not raw.isascii():
        raise EntryError("an entry is pure ASCII")
    _check_keys(leaf, _REQUIRED_KEYS, _OPTIONAL_KEYS, what="the entry")
    transfers = leaf["transfers"]
    if not isinstance(transfers, list):
        raise EntryError("transfers must be a list")
    entry = Entry(
        log=_text(leaf, "log"),
        id=_text(leaf, "id"),
        kind=_text(leaf, "kind"),
        ts=_minute(_text(leaf, "ts")),
        org=_text(leaf, "org"),
        org_seq=parse_decimal(_text(leaf, "org_seq"), what="org_seq", error=EntryError),
        org_prev=_hash(leaf, "org_prev") if "org_prev" in leaf else None,
        transfers=tuple(_transfer(transfer) for transfer in transfers),
        ref=_optional_text(leaf, "ref"),
        reverses=_optional_text(leaf, "reverses"),
        supersedes=_optional_text(leaf, "supersedes"),
        matches=_optional_text(leaf, "matches"),
        reason=_optional_text(leaf, "reason"),
        commitments=_commitments(leaf),
    )
    if encode(entry) != raw:
        raise EntryError("the entry's JSON is not in its canonical form (RFC 8785)")
    return entry


def _spell_transfer(transfer: Transfer) -> dict[str, str]:
    spelled = {
        "d": transfer.debit,
        "c": transfer.credit,
        "cur": transfer.currency,
        "amt": str(transfer.amount_minor),
    }
    if transfer.phase is not None:
        spelled["phase"] = transfer.phase
    if transfer.pending is not None:
        spelled["pending"] = transfer.pending
    return spelled


def _parse(raw: bytes) -> dict[str, Any]:
    # As lenient as JSON itself: a later version may hold other text and numbers, and must not be called a forgery.
    # For version 1 the checks of every value and the comparison with `encode` refuse them.
    if len(raw) > MAX_LEAF_BYTES:
        raise EntryError(f"an entry has at most {MAX_LEAF_BYTES} bytes, not {len(raw)}")
    try:
        leaf = json.loads(
            raw.decode(),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_number,
        )
    except UnicodeDecodeError as failure:
        raise EntryError("an entry is text in UTF-8") from failure
    except (json.JSONDecodeError, RecursionError) as failure:
        raise EntryError("the entry is not JSON") from failure
    if not isinstance(leaf, dict):
        raise EntryError("an entry is a JSON object")
    return leaf


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise EntryError("a key of the entry is given twice")
    return result


def _refuse_constant(literal: str) -> NoReturn:
    raise EntryError(f"{literal} is not JSON")


def _number(literal: str) -> int | float:
    # int() of a long literal would cost quadratic time. Only `v` may be an integer, and versions stay below 10,000.
    return int(literal) if len(literal) <= 4 else float(literal)  # noqa: PLR2004 -- the digits of 9999


def _check_version(leaf: dict[str, Any]) -> None:
    version = leaf.get("v")
    if type(version) is not int or version < VERSION:
        raise EntryError(f"an entry says its version as the number v, from {VERSION}")
    if version != VERSION:
        _check_depth(leaf)
        raise UnknownVersionError(
            f"the entry is of version {version}, and only version {VERSION} is known here"
        )


def _check_depth(leaf: dict[str, Any]) -> None:
    """Refuse what some readers could not follow. Version 1 nests three deep, and is held to that by its own rules."""
    depth = 0
    values: list[Any] = [leaf]
    while values := [
        inner
        for value in values
        if isinstance(value, dict | list)
        for inner in (value.values() if isinstance(value, dict) else value)
    ]:
        depth += 1
        if depth > MAX_DEPTH:
            raise EntryError(f"a value of the entry stands within more than {MAX_DEPTH} others")


def _check_keys(
    found: dict[str, Any], required: frozenset[str], optional: frozenset[str], *, what: str
) -> None:
    if missing := required - found.keys():
        raise EntryError(f"{what} lacks the key {min(missing)}")
    if unknown := found.keys() - required - optional:
        raise EntryError(f"{what} has the unknown key {show(min(unknown))}")


def _text(found: dict[str, Any], key: str) -> str:
    value = found[key]
    if not isinstance(value, str):
        raise EntryError(f"{key} must be a string")
    return value


def _optional_text(found: dict[str, Any], key: str) -> str | None:
    return _text(found, key) if key in found else None


def _hash(found: dict[str, Any], key: str) -> bytes:
    return parse_hex_hash(_text(found, key), what=key, error=EntryError)


def _minute(text: str) -> datetime:
    if _MINUTE.fullmatch(text) is None:
        raise EntryError(f"a time looks like 2026-11-21T07:44Z, not {show(text)}")
    try:
        return datetime.fromisoformat(text)
    except ValueError as failure:
        raise EntryError(f"there is no such time as {text}") from failure


def _transfer(value: object) -> Transfer:
    if not isinstance(value, dict):
        raise EntryError("a transfer must be an object")
    _check_keys(value, _TRANSFER_REQUIRED_KEYS, _TRANSFER_OPTIONAL_KEYS, what="a transfer")
    return Transfer(
        debit=_text(value, "d"),
        credit=_text(value, "c"),
        currency=_text(value, "cur"),
        amount_minor=parse_decimal(_text(value, "amt"), what="an amount", error=EntryError),
        phase=cast("Phase | None", _optional_text(value, "phase")),  # Transfer refuses what is no phase
        pending=_optional_text(value, "pending"),
    )


def _commitments(leaf: dict[str, Any]) -> dict[str, bytes]:
    if "commitments" not in leaf:
        return {}
    value = leaf["commitments"]
    if not isinstance(value, dict) or not value:
        raise EntryError("commitments must be an object with at least one field, or absent")
    return {field: _hash(value, field) for field in value}


def _check(pattern: re.Pattern[str], text: str, *, what: str) -> None:
    if pattern.fullmatch(text) is None:
        raise EntryError(f"{what} is malformed: {show(text)}")
