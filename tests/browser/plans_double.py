"""Double of the donor page's API for plans."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from tests.browser.loopback import Request

TOKEN: Final = f"v2.1.{'a' * 64}.{'m' * 43}"
PLAN: Final = "pln_0199aaaabbbbccccddddeeeeffff0001"
ASKED: Final = "If gifts belong to this address, a link to them is on its way there."


def plan() -> dict[str, Any]:
    """A monthly gift of 25 euro that is given since January."""
    return {
        "id": PLAN,
        "organization_id": "org_0199aaaabbbbccccddddeeeeffff0001",
        "organization": "Green Fields",
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "every": "month",
        "status": "active",
        "reason": None,
        "next_on": "2026-03-31",
        "method_kind": "card",
        "method_last4": "4242",
        "waits_for_donor": False,
        "periods": [
            {
                "due_on": "2026-01-31",
                "amount": {"minor_units": "2500", "currency": "EUR"},
                "state": "paid",
                "donation_id": "don_1",
                "donation_status": "succeeded",
            }
        ],
        "created_at": "2026-01-31T12:00:00.000Z",
        "version": '"1"',
    }


@dataclass
class PlansDouble:
    """Does what the page asks to the one plan. `posts` are the paths with what was sent."""

    plan: dict[str, Any] = field(default_factory=plan)
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, object]:
        """Status and content; 401 without the link's token."""
        if request.path == "/v1/donor/links":
            self.posts.append((request.path, json.loads(request.body)))
            return 202, {"detail": ASKED}
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {
                "detail": "This link is not valid any more: ask for a new one.",
                "code": "link_not_valid",
            }
        if request.method == "GET":
            return 200, {"data": [self.plan]}
        change = request.path.partition(f"{PLAN}/")[2]
        sent = json.loads(request.body)
        self.posts.append((change, sent))
        self._apply(change, sent)
        if change == "card":
            secret = "seti_1_secret_1"
            return 200, {
                "client_secret": secret,
                "publishable_key": "pk_test_double",
                "stripe_account": "acct_double",
            }
        return 200, self.plan

    def _apply(self, change: str, sent: dict[str, Any]) -> None:
        changed: dict[str, dict[str, Any]] = {
            "amount": {"amount": sent.get("amount")},
            "skip": {"next_on": "2026-04-30"},
            "pause": {"status": "paused", "next_on": sent.get("until")},
            "resume": {"status": "active", "next_on": "2026-03-31"},
            "cancel": {"status": "ended", "next_on": None},
            "card/stored": {"method_last4": "4444"},
        }
        self.plan |= changed.get(change, {})
