"""Reads the donor's inbox from the mail outbox."""

from pathlib import Path
from typing import Any

import httpx2

from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

_MAIL_SECONDS_MAX = 60.0


class Inbox:
    """Finds a donor's receipt, and saves its proof and PDF."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx2.Client(timeout=30.0, base_url=settings.outbox_url)

    def save_receipt(self, donation_id: str, *, to: str) -> tuple[Path, Path]:
        """The paths of the saved tlog-proof file and of the receipt on paper."""
        name = f"{donation_id}.tlog-proof"
        mail = until(
            lambda: self._find(to, name),
            seconds=_MAIL_SECONDS_MAX,
            otherwise=f"No receipt for {donation_id} was e-mailed; 'make logs PART=worker' says more.",
        )
        paper = next((each for each in mail["attachments"] if each.endswith(".pdf")), None)
        if paper is None:
            raise LocalCloudError(f"The receipt for {donation_id} came without its PDF.")
        return self._save(mail, name, as_name=name), self._save(mail, paper, as_name=f"{donation_id}.pdf")

    def _save(self, mail: dict[str, Any], attachment: str, *, as_name: str) -> Path:
        number = mail["attachments"].index(attachment)
        answer = self._http.get(f"/messages/{mail['id']}/attachments/{number}")
        answer.raise_for_status()
        folder = self._settings.state / "receipts"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / as_name
        path.write_bytes(answer.content)
        return path

    def _find(self, to: str, attachment: str) -> dict[str, Any] | None:
        mails: list[dict[str, Any]] = self._http.get("/messages.json").raise_for_status().json()
        return next((mail for mail in mails if to in mail["to"] and attachment in mail["attachments"]), None)
