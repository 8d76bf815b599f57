"""The donor's inbox: the outbox page, asked as a program."""

from pathlib import Path
from typing import Any

import httpx2

from local_cloud.demo.waiting import until
from local_cloud.settings import Settings

_MAIL_SECONDS_MAX = 60.0


class Inbox:
    """Finds a donor's receipt and saves its proof, as anyone would save an attachment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx2.Client(timeout=30.0, base_url=settings.outbox_url)

    def save_proof(self, donation_id: str, *, to: str) -> Path:
        """The path of the saved tlog-proof file."""
        name = f"{donation_id}.tlog-proof"
        mail = until(
            lambda: self._find(to, name),
            seconds=_MAIL_SECONDS_MAX,
            otherwise=f"No receipt for {donation_id} was e-mailed; 'make logs PART=worker' says more.",
        )
        number = mail["attachments"].index(name)
        answer = self._http.get(f"/messages/{mail['id']}/attachments/{number}")
        answer.raise_for_status()
        folder = self._settings.state / "receipts"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / name
        path.write_bytes(answer.content)
        return path

    def _find(self, to: str, attachment: str) -> dict[str, Any] | None:
        mails: list[dict[str, Any]] = self._http.get("/messages.json").raise_for_status().json()
        return next((mail for mail in mails if to in mail["to"] and attachment in mail["attachments"]), None)
