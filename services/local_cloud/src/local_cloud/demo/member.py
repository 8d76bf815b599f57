"""Somebody with an account: registers, reads their own letters, signs in, and asks the API as a browser on our page would."""

import email
import email.policy
from typing import Any

import httpx2

from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

PASSWORD = "a quiet river at dawn, made up"  # noqa: S105 -- of people who do not exist
_LETTER_SECONDS_MAX = 90.0
"""The worker looks every half minute."""


class Member:
    """One person with their browser's cookies."""

    def __init__(self, settings: Settings, *, address: str) -> None:
        self.address = address
        self.id = ""
        self._settings = settings
        self._http = httpx2.Client(
            timeout=30.0, base_url=settings.api_url, headers={"Origin": settings.edge_url}
        )

    def register(self) -> None:
        """Have an account, by the letter that shows the address to be theirs, and sign in."""
        self.does(
            "POST", "/v1/auth/register", {"email": self.address, "password": PASSWORD, "language": "en"}
        )
        token = self.token("/account/?verify#")
        self.does("POST", "/v1/auth/verify-email", {"token": token, "password": PASSWORD})
        self.does("POST", "/v1/auth/login", {"email": self.address, "password": PASSWORD})
        self.id = str(self.does("GET", "/v1/auth/me")["id"])

    def does(
        self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        """Ask for something that must succeed; what is answered.

        Raises:
            LocalCloudError: It did not.
        """
        answer = self.asks(method, path, body, **headers)
        if not answer.is_success:
            raise LocalCloudError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def asks(
        self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        """Ask for something, whatever the answer; `headers` with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._http.request(method, path, json=body, headers=named)

    def token(self, page: str) -> str:
        """What stands behind `page` in the newest letter to this person that leads there.

        Raises:
            LocalCloudError: No such letter came.
        """
        beginning = f"{self._settings.edge_url}{page}"
        return until(
            lambda: self._behind(beginning),
            seconds=_LETTER_SECONDS_MAX,
            otherwise=f"No letter with a link to {page} was e-mailed; 'make logs PART=worker' says more.",
        )

    def letter(self, words: str) -> str:
        """The subject of a letter to this person that has these words in it.

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
        return [mail for mail in mails if self.address in mail["to"]]
