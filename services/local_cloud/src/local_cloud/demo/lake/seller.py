"""A data seller: an organisation with an owner and an API key that ingests data."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from local_cloud.credentials import write_privately
from local_cloud.demo import organization
from local_cloud.demo.lake.data_platform import DataPlatform
from local_cloud.demo.member import Member
from local_cloud.demo.staff import Staff
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError

_SCOPES: Final = ["data:read", "data:write"]
_READ_SECONDS_MAX: Final = 150.0
"""The worker looks once a minute, and as soon as something is handed in."""
_OVER: Final = frozenset({"done", "refused", "lapsed"})
_FORM_TAKEN: Final = (200, 201, 204)


@dataclass(frozen=True, kw_only=True)
class Job:
    """The result of a file: row counts by outcome, and reasons for refusal."""

    id: str
    accepted: int
    quarantined: int
    reasons: Mapping[str, int]


class Seller:
    """Ingests its data. Its API key is kept with the run's credentials, for the next run."""

    def __init__(self, platform: DataPlatform, *, mark: str) -> None:
        self._platform, self._mark = platform, mark
        self._settings = platform.cloud.settings
        self._kept = self._settings.credentials / "demo-lake-key"
        self._http = httpx2.Client(timeout=30.0, base_url=self._settings.api_url)

    def comes_in(self, receiver: organization.Organization) -> str:
        """Have a key that the API takes; whose it is, in words."""
        if self._kept.exists() and self._answers(self._kept.read_text().strip()):
            return "the key of the walk before"
        owner = Member(self._settings, address=f"olga-{self._mark}@demo-relief.example")
        Staff(self._platform.cloud).type(
            *("organization", "invite-owner", "--id", receiver.id, "--email", owner.address)
        )
        owner.register()
        owner.does("POST", "/v1/me/organisations", {"token": owner.token("/join/#")})
        asked = {"name": f"lake {self._mark}", "scopes": _SCOPES}
        made = owner.does("POST", f"/v1/organisations/{receiver.id}/keys", asked)
        write_privately(self._kept, f"{made['secret']}\n")
        self._answers(str(made["secret"]))
        return str(made["id"])

    def describes(self, title: str, columns: Sequence[Mapping[str, Any]]) -> str:
        """A dataset of its own; its id, once those who make releases know of it."""
        source = self._does("POST", "/v1/sources", {"title": "Demonstration"})
        said = {"source_id": source["id"], "title": title, "class": "custom", "columns": list(columns)}
        dataset = str(self._does("POST", "/v1/datasets", said)["id"])
        until(
            lambda: self._platform.item(dataset, "source") or None,
            seconds=_READ_SECONDS_MAX,
            otherwise=f"Nobody told the makers of releases of {dataset}; 'make logs PART=worker' says more.",
        )
        return dataset

    def uploads(self, dataset: str, rows: Sequence[Mapping[str, Any]]) -> Job:
        """A file straight into the bucket, and what the worker made of it."""
        begun = self._does(
            "POST", "/v1/ingest/init", {"dataset_id": dataset}, Idempotency_Key=str(uuid.uuid4())
        )
        form = begun["upload"]
        posted = httpx2.post(
            form["url"], data=form["fields"], files={"file": ("rows.jsonl", lines(rows))}, timeout=30.0
        )
        if posted.status_code not in _FORM_TAKEN:
            raise LocalCloudError(f"The bucket took no file: {posted.status_code}, {posted.text[:500]}")
        return self._read(self._does("POST", "/v1/ingest/submit", {"job_id": begun["id"]}))

    def sends(self, dataset: str, rows: Sequence[Mapping[str, Any]]) -> Job:
        """A few rows in the request itself."""
        said = {"dataset_id": dataset, "content": lines(rows).decode()}
        return self._read(self._does("POST", "/v1/ingest/submit", said, Idempotency_Key=str(uuid.uuid4())))

    def _read(self, job: Mapping[str, Any]) -> Job:
        """Wait until the file is read, and the maker of releases has noted what was accepted.

        Raises:
            LocalCloudError: It was not read, or refused as a whole.
        """

        def look() -> dict[str, Any] | None:
            found = self._does("GET", f"/v1/jobs/{job['id']}")
            return found if found["state"] in _OVER else None

        done = until(
            look,
            seconds=_READ_SECONDS_MAX,
            otherwise=f"The file of {job['id']} was not read; 'make logs PART=worker' says more.",
        )
        if done["state"] != "done":
            raise LocalCloudError(f"The file of {job['id']} was {done['state']}: {done['refused']}")
        place = f"datasets/{job['dataset_id']}/"
        names = [key.removeprefix(place) for key in sorted(self._platform.raw_keys(place))]
        self._platform.wait_until_noted(str(job["dataset_id"]), names)
        return Job(
            id=str(job["id"]),
            accepted=done["rows_accepted"],
            quarantined=done["rows_quarantined"],
            reasons=done["reasons"],
        )

    def _answers(self, secret: str) -> bool:
        self._http.headers["Authorization"] = f"Bearer {secret}"
        return self._http.get("/v1/sources").is_success

    def _does(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._http.request(method, path, json=body, headers=named)
        if not answer.is_success:
            raise LocalCloudError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        found: dict[str, Any] = answer.json()
        return found


def lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as JSON lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()
