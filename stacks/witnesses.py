"""An environment's checkpoint witnesses, and its quorum (c2sp.org/tlog-policy). No CDK in here."""

import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ledger_format.notes import VerifierKey
from ledger_format.policies import parse_policy

WITNESSES_MIN: Final = 3
"""With fewer, one that is away stops the receipts or one that lies is enough."""
NOBODY: Final = ".example"
"""Where no host can ever answer (RFC 2606): a witness there is a placeholder."""
_GROUP: Final = "quorum-of-witnesses"


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A partner's witness: name, verifier key (type 0x04), and submission address."""

    name: str
    verifier_key: str
    url: str

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        if address.scheme != "https" or not address.hostname or self.url.endswith("/"):
            raise ValueError(f"{self.url!r} is no address of a witness: https://, and no slash at its end.")


@dataclass(frozen=True, kw_only=True)
class Witnessed:
    """`quorum` of these witnesses must cosign before a checkpoint is published. Raises ValueError if there are too few."""

    witnesses: tuple[Witness, ...]
    quorum: int

    def __post_init__(self) -> None:
        if len(self.witnesses) < WITNESSES_MIN:
            raise ValueError(f"A quorum is chosen among {WITNESSES_MIN} witnesses or more.")
        if not len(self.witnesses) / 2 < self.quorum <= len(self.witnesses):
            raise ValueError("A quorum is more than half of the witnesses: two of them always share one.")
        hosts = {urlsplit(witness.url).hostname for witness in self.witnesses}
        if len(hosts) < len(self.witnesses):
            raise ValueError("Two witnesses on one host are one witness: each needs an operator of its own.")
        parse_policy(self.policy().encode())

    @property
    def demanded(self) -> bool:
        """Whether a checkpoint needs any cosignature."""
        return True

    @property
    def awaited(self) -> tuple[str, ...]:
        """The names of those that are placeholders: nobody can cosign for them."""
        return tuple(
            each.name for each in self.witnesses if str(urlsplit(each.url).hostname).endswith(NOBODY)
        )

    def policy(self) -> str:
        """What the publisher is told. It knows its own log."""
        lines = [f"witness {each.name} {each.verifier_key} {each.url}" for each in self.witnesses]
        names = " ".join(each.name for each in self.witnesses)
        return "\n".join([*lines, f"group {_GROUP} {self.quorum} {names}", f"quorum {_GROUP}", ""])


@dataclass(frozen=True, kw_only=True)
class Unwitnessed:
    """No cosignatures, with the reason: people who never compare could be shown different logs."""

    because: str

    @property
    def demanded(self) -> bool:
        """Whether a checkpoint needs any cosignature."""
        return False

    @property
    def awaited(self) -> tuple[str, ...]:
        """Nobody is waited for."""
        return ()

    def policy(self) -> str:
        """What the publisher is told."""
        return "quorum none\n"


Witnessing = Witnessed | Unwitnessed

AWAITED: Final = Witnessed(
    witnesses=(
        Witness(
            name="partner-one",
            verifier_key="witness.partner-one.example/amply+bef2089d+BHP/3ItnlDRwArYVlx/t2joa3qFVM9yqDypgH/C13G0M",
            url="https://witness.partner-one.example",
        ),
        Witness(
            name="partner-two",
            verifier_key="witness.partner-two.example/amply+08e7ffe3+BHhPNH3gNM40iAD50hQpT+dfG499HQPqffFSdWgl91wN",
            url="https://witness.partner-two.example",
        ),
        Witness(
            name="partner-three",
            verifier_key="witness.partner-three.example/amply+df408e3e+BLhARVTyteb1sYWy5RvVOBa7XviIla7bpgfikHd49Itu",
            url="https://witness.partner-three.example",
        ),
    ),
    quorum=2,
)
"""Stands where partners will: each key is the hash of a sentence, so nobody can sign for it. No environment that has
them can be deployed to run (docs/adr/0069-placeholders-are-not-deployed.md)."""


def awaited_key(origin: str) -> str:
    """A verifier key of the log `origin` that nobody can sign with, until its signing key exists and is written down."""
    sentence = f"nobody holds the private half of this key: {origin}"
    return str(VerifierKey.from_ed25519(origin, hashlib.sha256(sentence.encode()).digest()))
