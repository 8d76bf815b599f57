"""A person with an account: registers, reads letters, signs in, and calls the API as a browser would."""

from typing import Any

import httpx2

from local_cloud.demo.letters import Letters
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

PASSWORD = "a quiet river at dawn, made up"  # noqa: S105 -- of people who do not exist


class Member:
    """One person with their cookie jar."""

    def __init__(self, settings: Settings, *, address: str) -> None:
        self.address = address
        self.id = ""
        self._letters = Letters(settings, address=address)
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
        """What stands behind `page` in the newest letter to this person that leads there."""
        return self._letters.token(page)

    def letter(self, words: str) -> str:
        """The subject of a letter to this person that has these words in it."""
        return self._letters.subject(words)
