"""Fixtures of applications over a real database: people by header, documents and register in memory."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from amply.adapters.registers import MadeUpRegisters
from amply.infra.database import Database, forbid_transaction
from amply.infra.uploads import LOOKED_AT_BYTES, StoredUpload, Upload
from amply.modules import applications, mail
from tests.backend.world import FakeMailer

PAGE: Final = "https://edge.example/account/"
PDF: Final = b"%PDF-1.7\n% made up\n"

COMPLETE: Final = {
    "kind": "charity",
    "tax_id": "9990001",
    "address": {"street": "1 Mill Lane", "postal_code": "AB1 2CD", "city": "Vale"},
    "website": "https://river.example",
    "purpose": "We keep the river clean.\nAnd its banks.",
    "sdgs": [14, 6, 6],
}
BEGUN: Final = {"legal_name": "River Trust of the Vale", "country": "GB", "slug": "river-trust-of-the-vale"}


@dataclass
class FakeShelf:
    """Keeps bytes by name; its forms lead to `url`. Those in `stuck` cannot be taken away."""

    kept: dict[str, bytes] = field(default_factory=dict)
    offered: list[str] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    url: str = "https://bucket.example/"

    def offer(self, key: str, *, media_type: str, bytes_max: int, lifetime: timedelta) -> Upload:
        forbid_transaction("offer")
        self.offered.append(key)
        return Upload(url=self.url, fields={"key": key, "Content-Type": media_type})

    def look(self, key: str) -> StoredUpload | None:
        forbid_transaction("look")
        body = self.kept.get(key)
        if body is None:
            return None
        return StoredUpload(size_bytes=len(body), beginning=body[:LOOKED_AT_BYTES], version="1")

    def link(self, key: str, *, version: str | None, media_type: str, lifetime: timedelta) -> str:
        return f"https://bucket.example/{key}?versionId={version}&for={int(lifetime.total_seconds())}"

    def take_away(self, key: str) -> None:
        forbid_transaction("take away")
        if key in self.stuck:
            raise OSError("it cannot be taken away")
        self.kept.pop(key, None)


def applying_work(
    database: Database, *, mailer: mail.Mailer | None = None, shelf: FakeShelf | None = None
) -> applications.ApplicationTaskDependencies:
    """What the worker needs for applications."""
    return applications.ApplicationTaskDependencies(
        database=database,
        mailer=mailer or FakeMailer(),
        register=MadeUpRegisters(),
        shelf=shelf or FakeShelf(),
        page=PAGE,
    )


class Applicant:
    """`usr_new`, who has the address `ada@example.org`, and the house they apply to."""

    def __init__(self, house: Any) -> None:
        self.house = house
        house.people.addresses["usr_new"] = "ada@example.org"
        self.organization_id = ""

    def ask(self, method: str, path: str, **more: Any) -> Any:
        return self.house.ask(method, path, by="usr_new", of=self.organization_id, **more)

    def begin(self, **changes: Any) -> Any:
        begun = self.ask("POST", "/v1/me/applications", json={**BEGUN, **changes})
        if begun.is_success:
            self.organization_id = begun.json()["organization_id"]
        return begun

    def say(self, **said: Any) -> Any:
        etag = self.ask("GET", "/application").headers["ETag"]
        return self.ask("PATCH", "/application", json=said, headers={"If-Match": etag})

    def upload(self, kind: str = "registration", body: bytes = PDF) -> Any:
        made = self.ask(
            "POST", "/application/documents", json={"kind": kind, "media_type": "application/pdf"}
        )
        assert made.status_code == 201, made.text
        self.house.shelf.kept[made.json()["fields"]["key"]] = body
        return self.ask("POST", f"/application/documents/{made.json()['id']}/received")

    def apply(self) -> str:
        """From nothing to handed in; return the organisation."""
        assert self.begin().status_code == 201
        assert self.say(**COMPLETE).is_success
        assert self.upload().is_success
        handed_in = self.ask("POST", "/application/submit")
        assert handed_in.is_success, handed_in.text
        return self.organization_id
