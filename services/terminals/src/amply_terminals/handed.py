"""Input of the IoT rule: the published bytes, and the connection's identity as IoT Core states it."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from amply_terminals.errors import NoMessageError, Reason, RefusedError

TERMINAL: Final = re.compile(
    r"(?P<organization>org_[0-9a-hjkmnp-tv-z]{26}):(?P<label>[a-z0-9][a-z0-9-]{0,31})", re.ASCII
)
_QUOTED_BYTES: Final = 2048
"""Of what is set aside: enough to see what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """`organization:label`, as its thing, its client id and its topics have it."""

    organization: str
    label: str

    @property
    def name(self) -> str:
        return f"{self.organization}:{self.label}"


@dataclass(frozen=True, kw_only=True)
class Handed:
    """`topic_terminal` and `topic_kind` are of the topic, `client` and `principal` of the connection; none of the payload."""

    topic_terminal: str
    topic_kind: str
    client: str
    principal: str
    received_at: datetime
    payload: bytes

    @classmethod
    def of(cls, body: str) -> "Handed":
        """From the body of a message of the queue (the rule's SELECT is in stacks/lake/terminals.py).

        Raises:
            NoMessageError: The rule makes no such thing.
        """
        try:
            said = json.loads(body)
            return cls(
                topic_terminal=_text(said, "terminal"),
                topic_kind=_text(said, "kind"),
                client=_text(said, "client"),
                # IoT Core knows none of a connection that shows no certificate.
                principal=_text(said, "principal") if "principal" in said else "",
                received_at=datetime.fromtimestamp(int(said["received_ms"]) / 1000, UTC),
                payload=base64.b64decode(_text(said, "payload"), validate=True),
            )
        except (ArithmeticError, KeyError, OSError, TypeError, ValueError) as error:
            raise NoMessageError(
                f"This is nothing that the rule hands over ({type(error).__name__})."
            ) from error

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.payload).hexdigest()

    def terminal(self) -> Terminal:
        """Whose it is.

        Raises:
            RefusedError: The topic names no terminal, or another than the one that is connected.
        """
        named = TERMINAL.fullmatch(self.topic_terminal)
        if named is None:
            raise RefusedError(Reason.NO_TERMINAL, "The topic does not name a terminal ORGANISATION:LABEL.")
        if self.client != self.topic_terminal:
            raise RefusedError(
                Reason.OTHER_CLIENT, "Whoever is connected is not the terminal the topic names."
            )
        return Terminal(organization=named["organization"], label=named["label"])

    def set_aside(self, refused: RefusedError) -> tuple[str, bytes]:
        """Where what was refused is kept, and as what. The same thing of the same day stands there once."""
        record = {
            "reason": refused.reason,
            "sentence": refused.sentence,
            "terminal": self.topic_terminal[:256],
            "kind": self.topic_kind[:256],
            "client": self.client[:256],
            "principal": self.principal[:256],
            "received_at": moment(self.received_at),
            "bytes": len(self.payload),
            "sha256": self.sha256,
            "begins": base64.b64encode(self.payload[:_QUOTED_BYTES]).decode(),
        }
        identity = f"{self.topic_terminal}\n{self.topic_kind}\n{self.client}\n{self.sha256}\n{refused.reason}"
        name = hashlib.sha256(identity.encode()).hexdigest()[:32]
        return f"terminals/set-aside/dt={self.received_at:%Y-%m-%d}/{name}.json", written(record)


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(record: Mapping[str, Any]) -> bytes:
    """One line of JSON, the same bytes for the same content: what Athena reads as a row."""
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said[key]
    if not isinstance(value, str):
        raise TypeError(key)
    return value
