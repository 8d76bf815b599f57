"""Donors whose gifts record their key and every response of the API."""

import http.client
import itertools
import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any, Final, Self

import httpx2

from tests.faults.platform import Organization, Platform
from tests.faults.waiting import until

CREATED: Final = 201
GIFT_MINOR: Final = 2_500

_addresses = itertools.count(1)


@dataclass(kw_only=True)
class Gift:
    """One gift as its donor's browser knows it: the same key and the same words however often it is sent."""

    platform: Platform
    organization: Organization
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    answers: list[dict[str, Any]] = field(default_factory=list)
    is_paid: bool = False

    def __post_init__(self) -> None:
        number = next(_addresses)
        self.email = f"donor-{number}@example.org"
        self._headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": self.key,
            "X-Amply-Client": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        }
        self._body = json.dumps(
            {
                "organization_id": self.organization.id,
                "amount": {"minor_units": str(GIFT_MINOR), "currency": "EUR"},
                "donor": {"name": "Ada Example", "email": self.email},
            }
        )

    @property
    def donation_id(self) -> str:
        """What the API called it, every time it was asked."""
        (found,) = {answer["id"] for answer in self.answers}
        return str(found)

    @property
    def intent_id(self) -> str:
        secret: str = self.answers[-1]["payment"]["client_secret"]
        return secret.partition("_secret_")[0]

    def send(self) -> bool:
        """Ask once; False when there was no answer or not the good one."""
        try:
            answer = self.platform.http.post(
                f"{self.platform.api_url}/v1/donations", content=self._body, headers=self._headers
            )
        except httpx2.TransportError:
            return False
        if answer.status_code == CREATED:
            self.answers.append(answer.json())
            return True
        assert answer.status_code >= 500, answer.text
        assert "same Idempotency-Key" in answer.json()["detail"], "a problem that says what to do"
        return False

    def send_until_answered(self) -> None:
        """Ask with the same key until there is an answer."""
        until(self.send, otherwise=f"the gift {self.key} is not answered: {self.platform['api'].log_tail()}")

    def pay(self) -> None:
        """Confirm the payment, as the donor's browser does."""
        self.platform.processor.confirm(self.answers[-1]["payment"])
        self.is_paid = True

    def begin(self) -> "Unread":
        """Send the request without reading what comes back."""
        connection = http.client.HTTPConnection("127.0.0.1", self.platform.ports.api, timeout=30)
        connection.request("POST", "/v1/donations", self._body, self._headers)
        return Unread(connection)

    def row(self) -> dict[str, Any] | None:
        """The payment of this gift with what the key stands for; None before the first transaction's end."""
        rows = self.platform.database.rows(
            "SELECT payment.*, idempotency_key.response_body FROM idempotency_key "
            "JOIN payment ON payment.donation_id = idempotency_key.resource_id WHERE idempotency_key.key = %s",
            self.key,
        )
        return rows[0] if rows else None

    def look(self) -> dict[str, Any]:
        """What the API says about it now."""
        answer = self.platform.http.get(f"{self.platform.api_url}/v1/donations/{self.donation_id}")
        seen: dict[str, Any] = answer.raise_for_status().json()
        return seen


@dataclass(frozen=True)
class Unread:
    """A request on its way. Whoever sent it has not seen an answer."""

    connection: http.client.HTTPConnection

    def was_never_answered(self) -> bool:
        """Whether the connection ended without an answer."""
        try:
            self.connection.getresponse().close()
        except (http.client.HTTPException, ConnectionError):
            return True
        finally:
            self.connection.close()
        return False

    def go_away(self) -> None:
        """Leave without looking."""
        self.connection.close()


class Crowd:
    """Donors who give at the same time, again and again, until told to stop. Each pays what was answered."""

    def __init__(self, platform: Platform, organization: Organization, *, donors: int, pause: float) -> None:
        self.gifts: list[Gift] = []
        self._platform = platform
        self._organization = organization
        self._pause = pause
        self._stopping = threading.Event()
        self._unanswered = 0
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._give_on) for _ in range(donors)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for_answers(self, more: int) -> None:
        """Wait until this many more gifts were answered."""
        wanted = self.answered() + more
        until(
            lambda: self.answered() >= wanted or bool(self._failures),
            otherwise=f"no {more} more gifts were answered",
        )

    def wait_for_silence(self, more: int) -> None:
        """Wait until this many more requests were not answered as they should be."""
        wanted = self._unanswered + more
        until(
            lambda: self._unanswered >= wanted or bool(self._failures), otherwise="every request is answered"
        )

    def answered(self) -> int:
        return sum(bool(gift.answers) for gift in list(self.gifts))

    def finish(self) -> None:
        """After the load: whoever was not answered asks again with the same key, and everyone pays."""
        assert not self._failures, self._failures
        for gift in self.gifts:
            gift.send_until_answered()
            if not gift.is_paid:
                gift.pay()

    def _give_on(self) -> None:
        try:
            while not self._stopping.is_set():
                gift = Gift(platform=self._platform, organization=self._organization)
                self.gifts.append(gift)
                while not gift.send() and not self._stopping.wait(self._pause):
                    self._unanswered += 1  # and again: the same key, the same words
                if gift.answers:
                    gift.pay()
                self._stopping.wait(self._pause)
        except BaseException as error:  # noqa: BLE001 -- a thread's failure is told by the test
            self._failures.append(error)
