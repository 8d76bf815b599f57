"""Reads the messages stored by `emulator/outgoing_mail.py`."""

import json
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

_PARSER = BytesParser(policy=policy.default)


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A part of a message that mail programs offer for saving."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Email:
    """One accepted message. `raw` is what the recipient would get; `to` is the envelope's."""

    id: str
    accepted_at: datetime
    sender: str
    to: tuple[str, ...]
    raw: bytes

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "(no subject)")

    @property
    def message(self) -> EmailMessage:
        return _PARSER.parsebytes(self.raw)

    @property
    def text(self) -> str | None:
        return self._body("plain")

    @property
    def html(self) -> str | None:
        return self._body("html")

    @property
    def attachments(self) -> list[Attachment]:
        return [
            Attachment(
                name=part.get_filename() or f"part-{number}",
                content_type=part.get_content_type(),
                content=_bytes(part.get_content()),
            )
            for number, part in enumerate(self.message.iter_attachments())
        ]

    def _body(self, kind: str) -> str | None:
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part else None


@dataclass(frozen=True)
class Mailbox:
    """A folder of messages; names sort by the time they were accepted."""

    folder: Path

    def newest_first(self, *, limit: int = 200) -> list[Email]:
        paths = sorted(self.folder.glob("*.eml"), reverse=True)[:limit]
        return [_read(path) for path in paths]

    def find(self, id: str) -> Email | None:  # noqa: A002 -- a message's id
        """The message of that id. Ids come from people, so nothing outside the folder is ever opened."""
        path = next((path for path in self.folder.glob("*.eml") if path.stem == id), None)
        return _read(path) if path else None


def _read(path: Path) -> Email:
    envelope: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    return Email(
        id=path.stem,
        accepted_at=datetime.fromisoformat(envelope["accepted_at"]),
        sender=envelope["from"],
        to=tuple(envelope["to"]),
        raw=path.read_bytes(),
    )


def _bytes(content: Any) -> bytes:
    """An attachment's content: text parts come decoded, attached messages parsed."""
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else content.as_bytes()
