"""A donor from outside, who knows only the addresses of the API, the processor and the edge."""

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from local_cloud import stripe
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

TEST_CARD = "pm_card_visa"
_WEBHOOK_SECONDS_MAX = 60.0
_SEQUENCE_SECONDS_MAX = 60.0
_PUBLISH_SECONDS_MAX = 60.0
"""A checkpoint comes every ten seconds at most; a witness that answers late may cost another round."""

_ENDED_BADLY = frozenset({"failed", "canceled"})


_ZONE = "Europe/Berlin"


@dataclass(frozen=True, kw_only=True)
class Donation:
    """A donation awaiting payment, with what a browser needs to confirm it."""

    id: str
    client_secret: str
    publishable_key: str
    stripe_account: str

    @property
    def payment_intent(self) -> str:
        return self.client_secret.partition("_secret_")[0]


class Donor:
    """Gives over HTTP, and follows the gift."""

    def __init__(self, settings: Settings, *, email: str) -> None:
        self.email = email
        self._settings = settings
        self._http = httpx2.Client(timeout=30.0)

    def give(
        self,
        organization_id: str,
        *,
        amount_minor: int,
        currency: str,
        ticked: Mapping[str, str] | None = None,
    ) -> Donation:
        """`ticked`: the purpose and the wording of the box beside the gift that lets facts of it be shared."""
        gift = self._gift(organization_id, amount_minor, currency)
        return _donation(self._begin("donations", {**gift, **({"data_sharing": ticked} if ticked else {})}))

    def give_monthly(self, organization_id: str, *, amount_minor: int, currency: str) -> tuple[str, Donation]:
        """A plan's id, and its first gift."""
        gift = self._gift(organization_id, amount_minor, currency)
        made = self._begin("recurring", {**gift, "every": "month", "time_zone": _ZONE})
        return made["plan_id"], _donation(made["donation"])

    def _gift(self, organization_id: str, amount_minor: int, currency: str) -> dict[str, Any]:
        return {
            "organization_id": organization_id,
            "amount": {"minor_units": str(amount_minor), "currency": currency},
            "donor": {"name": "Ada Example", "email": self.email},
            "message": "From the demo, with love.",
        }

    def _begin(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return _json(self._http.post(f"{self._settings.api_url}/v1/{what}", json=body, headers=headers))

    def pay(self, donation: Donation, *, card: str = TEST_CARD) -> str:
        """Confirm the PaymentIntent as Stripe.js does: publishable key, client secret, the account's own header."""
        confirmed = _json(
            self._http.post(
                f"{self._processor}/v1/payment_intents/{donation.payment_intent}/confirm",
                data={
                    "payment_method": card,
                    "client_secret": donation.client_secret,
                    "return_url": f"{self._settings.edge_url}/donate/",
                },
                headers={
                    "Authorization": f"Bearer {donation.publishable_key}",
                    "Stripe-Account": donation.stripe_account,
                },
            )
        )
        return str(confirmed["status"])

    def wait_until_succeeded(self, donation: Donation) -> None:
        def look() -> bool | None:
            status = self._look(donation)["status"]
            if status in _ENDED_BADLY:
                raise LocalCloudError(f"The donation {donation.id} ended as {status}.")
            return True if status == "succeeded" else None

        until(
            look,
            seconds=_WEBHOOK_SECONDS_MAX,
            otherwise=f"The donation {donation.id} did not succeed: its webhook did not arrive or was not handled; "
            "'make logs PART=worker' and 'make logs PART=stripe' say more.",
        )

    def wait_until_sequenced(self, donation: Donation) -> int:
        """The donation's index in the log."""

        def look() -> int | None:
            place = self._look(donation)["ledger"]
            return None if place is None else place["index"]

        return until(
            look,
            seconds=_SEQUENCE_SECONDS_MAX,
            otherwise=f"The donation {donation.id} has no place in the ledger; 'make logs PART=sequencer' says more.",
        )

    def wait_until_published(self, index: int) -> int:
        """The size of the first public checkpoint that covers the index."""

        def look() -> int | None:
            answer = self._http.get(f"{self._settings.log_url}/checkpoint")
            # Second line of a checkpoint: the tree's size (https://c2sp.org/tlog-checkpoint).
            size = int(answer.text.splitlines()[1]) if answer.is_success else 0
            return size if size > index else None

        return until(
            look,
            seconds=_PUBLISH_SECONDS_MAX,
            otherwise=f"No public checkpoint covers index {index}; 'make logs PART=publisher' says more.",
        )

    @property
    def _processor(self) -> str:
        return stripe.brought_account(os.environ).get("AMPLY_STRIPE_API_URL", self._settings.stripe_url)

    def _look(self, donation: Donation) -> dict[str, Any]:
        return _json(self._http.get(f"{self._settings.api_url}/v1/donations/{donation.id}"))


def _donation(made: dict[str, Any]) -> Donation:
    return Donation(id=made["id"], **made["payment"])


def _json(answer: httpx2.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise LocalCloudError(
            f"{answer.request.method} {answer.request.url} answered {answer.status_code}: {answer.text[:500]}"
        )
    body: dict[str, Any] = answer.json()
    return body
