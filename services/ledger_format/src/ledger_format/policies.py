"""Policies after c2sp.org/tlog-policy: whose checkpoints are accepted, and how many of which witnesses must cosign."""

import dataclasses
import re
from collections.abc import Collection, Sequence
from typing import Final

from ledger_format.cosignatures import WitnessKey
from ledger_format.errors import NoteError, PolicyError
from ledger_format.literals import parse_decimal, show
from ledger_format.notes import VerifierKey

MAX_POLICY_BYTES: Final = 131_072
MAX_DEFINITIONS: Final = 63
"""Of each kind: with the log's own signature, as many as a note can carry. The specification asks for 32."""

NO_QUORUM: Final = "none"

# Octets are opaque beyond ASCII: they survive as surrogates where they are no UTF-8, and equal only themselves.
_OPAQUE: Final = "surrogateescape"
_FORBIDDEN: Final = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_ITEMS: Final = re.compile(r"[^ \t]+")
_COUNTS: Final[dict[str, tuple[int, int | None]]] = {
    "log": (1, 2),
    "witness": (2, 3),
    "group": (3, None),
    "quorum": (1, 1),
}
"""Keywords, and how many items may follow each: at least, at most."""


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log whose checkpoints are accepted: its key, named as its origin, and where it is, if that is said."""

    key: VerifierKey
    url: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness: its name within this policy, its key, and where it takes checkpoints, if that is said."""

    name: str
    key: WitnessKey
    url: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Members (witnesses, or groups defined before) of which `threshold` make the group a witness itself."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """Accepted logs (none: they are known from elsewhere), witnesses, groups, and the name of the quorum.

    `parse_policy` makes one that keeps the rules; `quorum` is `none` where no cosignature is demanded.
    """

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def demands_witnesses(self) -> bool:
        """Whether any cosignature is demanded."""
        return self.quorum != NO_QUORUM

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The keys of the accepted logs."""
        return tuple(log.key for log in self.logs)

    @property
    def witness_keys(self) -> tuple[WitnessKey, ...]:
        """The keys of all witnesses."""
        return tuple(witness.key for witness in self.witnesses)

    def is_met(self, witnesses: Collection[str]) -> bool:
        """Whether the witnesses of these names (of this policy) are enough."""
        met = set(witnesses) & {witness.name for witness in self.witnesses}
        for group in self.groups:  # members are defined before, so one pass is enough
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return not self.demands_witnesses or self.quorum in met

    def text(self) -> str:
        """Write the policy; reading it again gives the same."""
        lines = [
            *(_line("log", log.key, log.url) for log in self.logs),
            *(_line("witness", witness.name, witness.key, witness.url) for witness in self.witnesses),
            *(_line("group", group.name, group.threshold, *group.members) for group in self.groups),
            _line("quorum", self.quorum),
        ]
        return "".join(f"{line}\n" for line in lines)


UNWITNESSED: Final = Policy((), (), (), NO_QUORUM)
"""Demands nothing: what a log without witnesses has."""


def parse_policy(raw: bytes) -> Policy:
    """Read a policy file, strictly.

    Raises:
        PolicyError: It is malformed; the message begins with the line's number where there is one.
    """
    reader = _Reader()
    for number, line in enumerate(_lines(raw), start=1):
        items = _ITEMS.findall(line)
        if not items or items[0].startswith("#"):
            continue
        try:
            reader.take(items[0], items[1:])
        except (PolicyError, NoteError) as failure:
            raise PolicyError(f"line {number} of the policy: {failure}") from failure
    return reader.policy()


class _Reader:
    """A policy as far as it was read."""

    def __init__(self) -> None:
        self._logs: list[PolicyLog] = []
        self._witnesses: list[PolicyWitness] = []
        self._groups: list[Group] = []
        self._quorum: str | None = None
        self._defined: set[str] = set()
        self._grouped: set[str] = set()

    def take(self, keyword: str, items: Sequence[str]) -> None:
        if keyword not in _COUNTS:
            raise PolicyError(
                f"{show(keyword)} begins no line of a policy; log, witness, group, quorum and # do"
            )
        least, most = _COUNTS[keyword]
        if len(items) < least or (most is not None and len(items) > most):
            raise PolicyError(
                f"a {keyword} line has another number of items; comments stand on their own lines"
            )
        {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._take_quorum}[
            keyword
        ](items)

    def policy(self) -> Policy:
        if self._quorum is None:
            raise PolicyError("a policy has exactly one quorum line; write 'quorum none' to demand nothing")
        own = {log.key.public_key for log in self._logs}
        if any(witness.key.public_key in own for witness in self._witnesses):
            raise PolicyError("a log of the policy is its own witness, which would prove nothing")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _log(self, items: Sequence[str]) -> None:
        log = PolicyLog(VerifierKey.parse(items[0]), *items[1:])
        _check_room(self._logs, "logs")
        if any(log.key.public_key == other.key.public_key for other in self._logs):
            raise PolicyError("this log's public key stands on an earlier line")
        self._logs.append(log)

    def _witness(self, items: Sequence[str]) -> None:
        witness = PolicyWitness(items[0], WitnessKey.parse(items[1]), *items[2:])
        _check_room(self._witnesses, "witnesses")
        if any(witness.key.public_key == other.key.public_key for other in self._witnesses):
            raise PolicyError("this witness's public key stands on an earlier line")
        self._define(witness.name)
        self._witnesses.append(witness)

    def _group(self, items: Sequence[str]) -> None:
        name, count, *members = items
        _check_room(self._groups, "groups")
        for member in members:
            if member not in self._defined:
                raise PolicyError(f"no earlier line defines the member {show(member)}")
            if member in self._grouped:
                raise PolicyError(f"{show(member)} is a member already; each name may be one once")
            self._grouped.add(member)
        self._define(name)
        self._groups.append(Group(name, _threshold(count, len(members)), tuple(members)))

    def _take_quorum(self, items: Sequence[str]) -> None:
        if self._quorum is not None:
            raise PolicyError("a policy has exactly one quorum line")
        if items[0] != NO_QUORUM and items[0] not in self._defined:
            raise PolicyError(f"no earlier line defines the quorum {show(items[0])}")
        self._quorum = items[0]

    def _define(self, name: str) -> None:
        if name == NO_QUORUM:
            raise PolicyError(f"the name {NO_QUORUM} is taken: it says that nothing is demanded")
        if name in self._defined:
            raise PolicyError(f"the name {show(name)} is defined on an earlier line")
        self._defined.add(name)


def _lines(raw: bytes) -> list[str]:
    if len(raw) > MAX_POLICY_BYTES:
        raise PolicyError(f"a policy has at most {MAX_POLICY_BYTES} bytes, not {len(raw)}")
    bad = _FORBIDDEN.search(raw)
    if bad is not None:
        raise PolicyError(f"a policy has no byte 0x{bad[0][0]:02x}; its lines end with a newline alone")
    # A file that was cut off must not demand less than it did.
    if not raw.endswith(b"\n"):
        raise PolicyError("the policy's last line has no newline: it may be cut off")
    return raw.decode(errors=_OPAQUE).split("\n")


def _threshold(count: str, members: int) -> int:
    words = {"any": 1, "all": members}
    number = words.get(count)
    if number is None:
        number = parse_decimal(count, what="a group's threshold", error=PolicyError)
    if not 1 <= number <= members:
        raise PolicyError(f"a group of {members} cannot need {number} of them")
    return number


def _check_room(defined: Sequence[object], what: str) -> None:
    if len(defined) >= MAX_DEFINITIONS:
        raise PolicyError(f"a policy has at most {MAX_DEFINITIONS} {what}")


def _line(*items: object) -> str:
    return " ".join(str(item) for item in items if item is not None)
