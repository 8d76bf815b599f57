"""A donor who consents to data sharing with a gift, and withdraws by the signed link in a letter."""

import io
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import httpx2
import pyarrow.parquet as pq

from local_cloud import laptop, tasks
from local_cloud.demo import organization
from local_cloud.demo.donor import Donation, Donor
from local_cloud.demo.lake.data_platform import DataPlatform
from local_cloud.demo.lake.year import DATASET
from local_cloud.demo.letters import Letters
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError

_CURRENCY: Final = "EUR"
_TOLD_SECONDS_MAX: Final = 150.0
"""The worker is asked once a minute who consents."""
_WRITTEN_SECONDS_MAX: Final = 10.0
_ASKED_MAX: Final = 15
_NOT_WRITTEN: Final = (
    "The fact of the gift was not written into the raw bucket; 'make logs PART=worker' says more."
)
_SCHEDULER: Final = "scheduler"
_WRITE_NOW: Final = """\
from amply.adapters import sqs
from amply.entrypoints import scheduler, task_names
from amply.infra.settings import QueueSettings

sender = sqs.TaskSender(sqs.application(QueueSettings()), tasks_of=scheduler.TASKS_OF)
sender.send(task_names.WRITE_FACTS, queue=sqs.LOW, arguments={})
"""
"""What the scheduler does each hour."""


class SharingDonor:
    """Gives, consents to data sharing, and withdraws."""

    def __init__(self, platform: DataPlatform, *, mark: str) -> None:
        self._platform, self._settings = platform, platform.cloud.settings
        self._donor = Donor(self._settings, email=f"dora+{mark}-lake@example.org")
        self._letters = Letters(self._settings, address=self._donor.email)
        self._amount_minor = 1_000 + secrets.randbelow(8_999)
        self._http = httpx2.Client(timeout=30.0, base_url=self._settings.api_url)
        self._asked: Mapping[str, str] = {}
        self._before: set[str] = set()
        self._token = ""

    def gives(self, receiver: organization.Organization) -> Donation:
        """A gift with a ticked box; and a letter with a link is asked for, which comes meanwhile."""
        (offered,) = self._does("GET", "/v1/public/data-sharing")["data"]
        self._asked = {"purpose": offered["purpose"], "wording": offered["wording"]}
        self._before = self._platform.raw_keys(f"{DATASET}/")
        donation = self._donor.give(
            receiver.id, amount_minor=self._amount_minor, currency=_CURRENCY, ticked=self._asked
        )
        self._donor.pay(donation)
        self._donor.wait_until_succeeded(donation)
        self._does("POST", "/v1/donor/links", {"email": self._donor.email})
        return donation

    def is_written(self) -> tuple[str, str]:
        """The name of the file that the worker writes the gift's fact into, and what the donor is called in it.

        No fact leaves before the table of consents knows the donor, so that it is asked for again.

        Raises:
            LocalCloudError: No such file came.
        """
        for _ in range(_ASKED_MAX):
            self._ask_the_worker()
            with suppress(LocalCloudError):
                return until(self._look_for_the_fact, seconds=_WRITTEN_SECONDS_MAX, otherwise=_NOT_WRITTEN)
        raise LocalCloudError(_NOT_WRITTEN)

    def _ask_the_worker(self) -> None:
        """For what the scheduler asks it for each hour."""
        task = tasks.one_off(self._platform.cloud, _SCHEDULER)
        told = tasks.environment(task, cloud=self._platform.cloud, laptop=laptop.of(self._settings))
        command = ("python", "-c", _WRITE_NOW)
        tasks.run(task, environment=told, settings=self._settings, command=command, log="write-facts")

    def withdraws(self, subject: str) -> str:
        """By the link; what the table of consents says of them afterwards.

        Raises:
            LocalCloudError: The table was not told.
        """
        self._token = self._letters.token("/giving/#")
        answer = self._does("POST", "/v1/donor/data-sharing", {**self._asked, "shares": False})
        until(
            lambda: True if self._platform.consent(subject) == "withdrawn" else None,
            seconds=_TOLD_SECONDS_MAX,
            otherwise="The table of consents was not told of the withdrawal; 'make logs PART=worker' says more.",
        )
        return str(answer["data"][0]["extent"]) if answer["data"] else "none"

    def _look_for_the_fact(self) -> tuple[str, str] | None:
        for key in sorted(self._platform.raw_keys(f"{DATASET}/") - self._before):
            table = pq.read_table(io.BytesIO(self._platform.raw(key)))
            for row in table.select(["donor_id", "organization", "amount_minor"]).to_pylist():
                if (row["organization"], row["amount_minor"]) == ("demo-relief", self._amount_minor):
                    return key.removeprefix(f"{DATASET}/"), str(row["donor_id"])
        return None

    def _does(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answer = self._http.request(method, path, json=body, headers=headers)
        if not answer.is_success:
            raise LocalCloudError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found
