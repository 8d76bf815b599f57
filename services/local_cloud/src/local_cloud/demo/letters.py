"""Reads e-mails to one address from the outbox."""

import email
import email.policy
from typing import Any

import httpx2

from local_cloud.demo.waiting import until
from local_cloud.settings import Settings

_LETTER_SECONDS_MAX = 90.0
"""The worker looks every half minute."""


class Letters:
    """The letters to one address."""

    def __init__(self, settings: Settings, *, address: str) -> None:
        self._settings, self._address = settings, address

    def token(self, page: str) -> str:
        """What stands behind `page` in the newest letter to them that leads there.

        Raises:
            LocalCloudError: No such letter came.
        """
        beginning = f"{self._settings.edge_url}{page}"
        return until(
            lambda: self._behind(beginning),
            seconds=_LETTER_SECONDS_MAX,
            otherwise=f"No letter with a link to {page} was e-mailed; 'make logs PART=worker' says more.",
        )

    def subject(self, words: str) -> str:
        """The subject of a letter to them that has these words in it.

        Raises:
            LocalCloudError: None came.
        """
        return until(
            lambda: next((subject for subject in self._subjects() if words in subject), None),
            seconds=_LETTER_SECONDS_MAX,
            otherwise=f"No letter about '{words}' was e-mailed; 'make logs PART=worker' says more.",
        )

    def _behind(self, beginning: str) -> str | None:
        for mail in self._mails():
            for line in self._text(str(mail["id"])).splitlines():
                if line.strip().startswith(beginning):
                    return line.strip().removeprefix(beginning)
        return None

    def _text(self, mail_id: str) -> str:
        with httpx2.Client(timeout=30.0, base_url=self._settings.outbox_url) as outbox:
            raw = outbox.get(f"/messages/{mail_id}/raw.eml").raise_for_status().content
        part = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",))
        return "" if part is None else str(part.get_content())

    def _subjects(self) -> list[str]:
        return [str(mail["subject"]) for mail in self._mails()]

    def _mails(self) -> list[dict[str, Any]]:
        with httpx2.Client(timeout=30.0, base_url=self._settings.outbox_url) as outbox:
            mails: list[dict[str, Any]] = outbox.get("/messages.json").raise_for_status().json()
        return [mail for mail in mails if self._address in mail["to"]]
