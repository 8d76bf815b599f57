"""Stores every e-mail that the emulated SES accepts, as the bytes that a recipient would get.

MiniStack keeps only the text of a raw message, so attachments would be lost; and it forgets all of them when
it stops. Each accepted `SendEmail` (SES v2) with raw content becomes `<time>-<message id>.eml`, its envelope
beside it as JSON.
"""

import base64
import json
import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_cloud.emulator.asgi import App, Message, Receive, Send

_SEND_EMAIL = "/v2/email/outbound-emails"
_OK = 200
_TELL_OF_RECIPIENTS = ("ses", "ses-v2")
"""MiniStack's loggers that write to whom each letter goes."""


def hush() -> None:
    """Keep donors' addresses out of logs."""
    for name in _TELL_OF_RECIPIENTS:
        logging.getLogger(name).setLevel(logging.WARNING)


class KeepsOutgoingMail:
    """An ASGI layer: passes everything on, and keeps what `SendEmail` was given when it was accepted."""

    def __init__(self, app: App, folder: Path) -> None:
        self._app = app
        self._folder = folder

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != _SEND_EMAIL:
            await self._app(scope, receive, send)
            return
        request, answer = bytearray(), list[Message]()

        async def read() -> Message:
            message = await receive()
            request.extend(message.get("body", b""))
            return message

        async def hold(message: Message) -> None:
            answer.append(message)

        await self._app(scope, read, hold)
        if answer and answer[0]["status"] == _OK:
            body = b"".join(message.get("body", b"") for message in answer)
            self._keep(json.loads(request), json.loads(body)["MessageId"], now=datetime.now(UTC))
        # Only now: who is told that a message was accepted must find it.
        for message in answer:
            await send(message)

    def _keep(self, email: dict[str, Any], message_id: str, *, now: datetime) -> None:
        raw = email.get("Content", {}).get("Raw")
        if raw is None:
            return
        safe_id = re.sub(r"[^A-Za-z0-9-]", "_", message_id)
        envelope = {
            "message_id": message_id,
            "accepted_at": now.isoformat(timespec="milliseconds"),
            "from": email.get("FromEmailAddress", ""),
            "to": email.get("Destination", {}).get("ToAddresses", []),
            "configuration_set": email.get("ConfigurationSetName", ""),
        }
        path = self._folder / f"{now:%Y%m%dT%H%M%S%f}-{safe_id}.eml"
        path.with_suffix(".json").write_text(json.dumps(envelope))
        # Written under another name first: readers see whole messages only.
        partial = path.with_suffix(".partial")
        partial.write_bytes(base64.b64decode(raw["Data"]))
        partial.replace(path)
