"""An organisation's onboarding in full: application, verification, invitations, Stripe, API key, and a gift by that key."""

import json
import os
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import httpx2

from local_cloud import stripe
from local_cloud.cloud import Cloud
from local_cloud.console import Steps
from local_cloud.credentials import write_privately
from local_cloud.demo.donor import Donation, Donor
from local_cloud.demo.member import Member
from local_cloud.demo.roles import AccessAttempt, look_around
from local_cloud.demo.staff import Staff
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

GIFT: Final = {"minor_units": "4000", "currency": "EUR"}
NAME: Final = "Flussfreunde e. V."
_SAID: Final = {
    "kind": "association",
    "tax_id": "DE 999000009",
    "address": {"street": "Am Ufer 1", "postal_code": "12345", "city": "Musterstadt"},
    "website": "https://flussfreunde.example",
    "purpose": "We keep rivers clean, and take children to see them.",
    "sdgs": [6, 14],
}
_SCOPES: Final = ["donations:read", "donations:write"]
_PAPER: Final = b"%PDF-1.7\n% a register's extract that is made up\n"
_REGISTER_SECONDS_MAX: Final = 90.0
_READY_SECONDS_MAX: Final = 90.0
_MADE: Final = 201
_FORM_TAKEN: Final = 204


@dataclass(frozen=True, kw_only=True)
class JoiningResult:
    """The last line of output, as JSON: people, created objects, access checks, and seconds by step."""

    organization_id: str
    slug: str
    owner_id: str
    finance_id: str
    key_id: str
    stripe_account: str
    donation_id: str
    seen: tuple[AccessAttempt, ...]
    seconds: dict[str, float]

    def line(self) -> str:
        return json.dumps(asdict(self))


def join(settings: Settings, steps: Steps, *, now: datetime) -> JoiningResult:
    """Walk the whole way; the result is also written to `demo-organisation.json`.

    Raises:
        LocalCloudError: A step did not go as it must, or somebody saw what their role does not allow.
    """
    if stripe.brought_account(os.environ):
        raise LocalCloudError(
            "People answer Stripe's questions there: unset STRIPE_SECRET_KEY and type 'make local' to use the sandbox."
        )
    walk = _Walk(settings, steps, mark=f"{now:%y%m%d%H%M%S}-{uuid.uuid4().hex[:4]}")
    walk.applies()
    walk.is_verified()
    walk.invites_finance()
    walk.connects_stripe()
    key_id, secret = walk.makes_a_key()
    donation_id = walk.takes_a_gift(secret)
    result = JoiningResult(
        organization_id=walk.organization_id,
        slug=walk.slug,
        owner_id=walk.ada.id,
        finance_id=walk.ben.id,
        key_id=key_id,
        stripe_account=walk.stripe_account,
        donation_id=donation_id,
        seen=walk.everyone_looks_around(secret),
        seconds=dict(steps.seconds),
    )
    write_privately(settings.state / "demo-organisation.json", f"{result.line()}\n")
    return result


class _Walk:
    """The steps, in order. `mark` keeps one run's people and slug apart from another's."""

    def __init__(self, settings: Settings, steps: Steps, *, mark: str) -> None:
        self._settings, self._steps, self._staff = settings, steps, Staff(Cloud(settings))
        self.slug = f"flussfreunde-{mark}"
        self.ada = Member(settings, address=f"ada-{mark}@flussfreunde.example")
        self.ben = Member(settings, address=f"ben-{mark}@flussfreunde.example")
        self.eve = Member(settings, address=f"eve-{mark}@elsewhere.example")
        self.organization_id = ""
        self.stripe_account = ""

    def applies(self) -> None:
        """Ada registers, says what the organisation is, uploads a paper, and hands it in."""
        with self._steps.step("registered", "Ada has an account, by a letter"):
            self.ada.register()
        with self._steps.step("begun", "she begins an application") as told:
            asked = {"legal_name": NAME, "country": "DE", "slug": self.slug, "language": "en"}
            begun = self.ada.does("POST", "/v1/me/applications", asked)
            self.organization_id = told.result = str(begun["organization_id"])
        with self._steps.step("said", "and says what the organisation is") as told:
            etag = self.ada.asks("GET", self._of("/application")).headers["ETag"]
            said = self.ada.does("PATCH", self._of("/application"), dict(_SAID), If_Match=etag)
            told.result = f"missing: {', '.join(said['missing'])}"
        with self._steps.step("uploaded", "the paper goes straight into the private bucket") as told:
            told.result = self._upload()
        with self._steps.step("handed_in", "she hands it in; a letter says so") as told:
            self.ada.does("POST", self._of("/application/submit"))
            told.result = self.ada.letter("We have your application")

    def is_verified(self) -> None:
        """Staff see what a register says, and decide; until then nothing is taken or shown."""
        with self._steps.step("not_yet", "nobody can give to it yet") as told:
            told.result = self._reason()
        with self._steps.step("register", "a register knows its number") as told:
            told.result = until(
                self._register_says,
                seconds=_REGISTER_SECONDS_MAX,
                otherwise="No register was asked; 'make logs PART=worker' says more.",
            )
        with self._steps.step("verified", "staff look at it and verify it") as told:
            self._staff.type("organization", "review", "--id", self.organization_id)
            self._staff.type("organization", "verify", "--id", self.organization_id)
            told.result = self.ada.letter("is verified")

    def invites_finance(self) -> None:
        with self._steps.step("invited", "Ada invites Ben for the money, who joins") as told:
            asked = {"email": self.ben.address, "role": "finance"}
            self.ada.does("POST", self._of("/invitations"), asked)
            self.ben.register()
            self.ben.does("POST", "/v1/me/organisations", {"token": self.ben.token("/join/#")})
            told.result = "finance"
        with self._steps.step("stranger", "Eve has an account, and nothing to do with it"):
            self.eve.register()

    def connects_stripe(self) -> None:
        with self._steps.step("connected", "she answers Stripe by our letter's link") as told:
            self._staff.type(
                *("organization", "invite", "--id", self.organization_id, "--email", self.ada.address)
            )
            token = self.ada.token("/onboarding/#")
            link = self.ada.does("POST", "/v1/onboarding/links", Authorization=f"Bearer {token}")
            httpx2.get(str(link["url"]), timeout=30.0)
            until(
                lambda: True if self._takes_gifts()["takes_gifts"] else None,
                seconds=_READY_SECONDS_MAX,
                otherwise=f"It takes no gifts: {self._reason()} 'make logs PART=stripe' says more.",
            )
            [account] = self._staff.type("organization", "account", "--id", self.organization_id)
            self.stripe_account = told.result = str(account["stripe_account"])

    def makes_a_key(self) -> tuple[str, str]:
        """Its id and its secret, which is shown once and stands nowhere."""
        with self._steps.step("key", "she makes a key for the organisation's own site") as told:
            made = self.ada.does("POST", self._of("/keys"), {"name": "site", "scopes": _SCOPES})
            told.result = f"{made['id']}, {', '.join(_SCOPES)}"
        return str(made["id"]), str(made["secret"])

    def takes_a_gift(self, secret: str) -> str:
        donor = Donor(self._settings, email=f"dora+{self.slug}@example.org")
        with self._steps.step("gift", "its own site takes a gift by the key") as told:
            answer = httpx2.post(
                f"{self._settings.api_url}/v1/donations",
                json={
                    "organization_id": self.organization_id,
                    "amount": GIFT,
                    "donor": {"name": "Dora Example", "email": donor.email},
                },
                headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": str(uuid.uuid4())},
                timeout=30.0,
            )
            if answer.status_code != _MADE:
                raise LocalCloudError(f"The key took no gift: {answer.status_code}, {answer.text[:500]}")
            made = answer.json()
            donation = Donation(id=made["id"], **made["payment"])
            told.result = f"{donation.id}, {donor.pay(donation)}"
        with self._steps.step("arrived", "it arrives, and is public in the ledger") as told:
            donor.wait_until_succeeded(donation)
            index = donor.wait_until_sequenced(donation)
            told.result = f"index {index}, checkpoint {donor.wait_until_published(index)}"
        return donation.id

    def everyone_looks_around(self, secret: str) -> tuple[AccessAttempt, ...]:
        with self._steps.step("roles", "everyone sees what their role allows") as told:
            people = {"owner": self.ada, "finance": self.ben, "stranger": self.eve}
            seen = look_around(self._settings, self.organization_id, people=people, secret=secret)
            told.result = f"{len(seen)} looks"
        for each in seen:
            self._steps.say(f"    {each.who:<9} {each.what:<24} {each.answer}")
        return seen

    def _upload(self) -> str:
        asked = {"kind": "registration", "media_type": "application/pdf"}
        place: dict[str, Any] = self.ada.does("POST", self._of("/application/documents"), asked)
        posted = httpx2.post(
            place["url"], data=place["fields"], files={"file": ("extract.pdf", _PAPER)}, timeout=30.0
        )
        if posted.status_code not in (_FORM_TAKEN, 200, _MADE):
            raise LocalCloudError(f"The bucket took no document: {posted.status_code}, {posted.text[:500]}")
        received = self.ada.does("POST", self._of(f"/application/documents/{place['id']}/received"))
        return f"{place['id']}, {received['size_bytes']} bytes"

    def _register_says(self) -> str | None:
        [found] = self._staff.type("organization", "application", "--id", self.organization_id)
        answer = found["register"]
        if answer is None or answer["answered_at"] is None:
            return None
        return f"{answer['register']}: {answer['name']}, {answer['status']}"

    def _takes_gifts(self) -> dict[str, Any]:
        return self.ada.does("GET", f"/v1/public/organisations/{self.organization_id}/takes-gifts")

    def _reason(self) -> str:
        return str(self._takes_gifts()["reason"])

    def _of(self, path: str) -> str:
        return f"/v1/organisations/{self.organization_id}{path}"
