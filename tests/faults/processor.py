"""The Stripe sandbox for tests: a browser's actions, the dashboard's view, and fault injection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx2

SECRET_KEY: Final = "sk_test_amply"
PUBLISHABLE_KEY: Final = "pk_test_amply"
WEBHOOK_SECRET: Final = "whsec_amply"
_PAGE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A PaymentIntent as the processor holds it; amounts in minor units."""

    id: str
    status: str
    payment_id: str
    received_minor: int


@dataclass(frozen=True, kw_only=True)
class Processor:
    """A running sandbox."""

    url: str
    http: httpx2.Client

    def confirm(self, payment: Mapping[str, str]) -> None:
        """Pay with a test card, as Stripe.js does it with what the API answered."""
        intent_id = payment["client_secret"].partition("_secret_")[0]
        answer = self.http.post(
            f"{self.url}/v1/payment_intents/{intent_id}/confirm",
            data={
                "payment_method": "pm_card_visa",
                "client_secret": payment["client_secret"],
                "return_url": "https://edge.example/donate/",
            },
            headers={
                "Authorization": f"Bearer {payment['publishable_key']}",
                "Stripe-Account": payment["stripe_account"],
            },
        )
        assert answer.is_success, answer.text
        assert answer.json()["status"] == "succeeded"

    def intents(self, account: str) -> list[Intent]:
        """Every PaymentIntent of an account."""
        return [
            Intent(
                id=found["id"],
                status=found["status"],
                payment_id=found["metadata"].get("amply_payment_id", ""),
                received_minor=found["amount_received"],
            )
            for found in self._list("/v1/payment_intents", account)
        ]

    def fees(self, account: str) -> dict[str, int]:
        """What the processor kept of each paid intent, in minor units."""
        found = {}
        for intent in self._list("/v1/payment_intents", account):
            if intent["status"] == "succeeded":
                path = f"{self.url}/v1/payment_intents/{intent['id']}"
                headers = {"Authorization": f"Bearer {SECRET_KEY}", "Stripe-Account": account}
                expand = {"expand[]": "latest_charge.balance_transaction"}
                paid = self.http.get(path, params=expand, headers=headers).raise_for_status().json()
                found[intent["id"]] = int(paid["latest_charge"]["balance_transaction"]["fee"])
        return found

    def events(self, account: str, *, intent_id: str) -> dict[str, str]:
        """The events about one intent and its charge: id by type."""
        return {
            event["type"]: event["id"]
            for event in self._list("/v1/events", account)
            if intent_id in (event["data"]["object"]["id"], event["data"]["object"].get("payment_intent"))
        }

    def hold(self, method: str, path: str) -> None:
        """Let the next such request wait, before anything is done, until `release`."""
        self._hook("faults", {"method": method, "path": path, "kind": "hold"})

    def held(self) -> int:
        """How many requests wait."""
        answer = self.http.get(f"{self.url}/_sandbox/faults")
        return int(answer.raise_for_status().json()["held"])

    def release(self) -> None:
        """Do now what held requests asked for, whether or not somebody still waits for the answer."""
        self._hook("faults/release")

    def pause(self) -> None:
        """Hold all webhooks back."""
        self._hook("deliveries/pause")

    def resume(self) -> None:
        """Let them go."""
        self._hook("deliveries/resume")

    def deliver(self, events: Sequence[str]) -> list[int | None]:
        """Send these events now, one after the other; the answers' status codes."""
        return [sent["status"] for sent in self._hook("deliveries", {"events": list(events)})["data"]]

    def attempts(self, event_id: str) -> int:
        """How often an event was sent in vain or with success."""
        answer = self.http.get(f"{self.url}/_sandbox/deliveries", params={"event": event_id})
        return sum(int(delivery["attempts"]) for delivery in answer.raise_for_status().json()["data"])

    def event(self, account: str, event_id: str) -> dict[str, Any]:
        """An event as it is sent."""
        headers = {"Authorization": f"Bearer {SECRET_KEY}", "Stripe-Account": account}
        answer = self.http.get(f"{self.url}/v1/events/{event_id}", headers=headers)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def _hook(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = self.http.post(f"{self.url}/_sandbox/{path}", json=body or {})
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def _list(self, path: str, account: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {SECRET_KEY}", "Stripe-Account": account}
        found: list[dict[str, Any]] = []
        while True:
            after = {"starting_after": found[-1]["id"]} if found else {}
            answer = self.http.get(
                f"{self.url}{path}", params={"limit": str(_PAGE), **after}, headers=headers
            )
            page = answer.raise_for_status().json()
            found += page["data"]
            if not page["has_more"]:
                return found
