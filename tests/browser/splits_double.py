"""Double of the split-gift API, in the shapes of the real schemas."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from amply.modules.donations.split_schemas import SplitGiftCreated, SplitGiftOut, SplitQuoteOut
from tests.browser.loopback import Request

SPLIT: Final = "spl_0199aaaabbbbccccddddeeeeffff0001"
_BECOMES: Final = {"paid": "succeeded", "under_way": "processing", "declined": "failed"}


@dataclass
class SplitsDouble:
    """One gift. `outcomes` say what the processor answers to each request to pay, part by part; all are paid when it is empty.

    `says_nothing`: no event has come yet, so that every part is still pending. `fees` cover each part's, by way to pay.
    """

    outcomes: list[list[str]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    says_nothing: bool = False
    fees: dict[str, str] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    posts: list[tuple[str, bytes]] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        """Status and content."""
        what = request.path.removeprefix("/v1/split-gifts").removeprefix(f"/{SPLIT}")
        if what == "/quote":
            return 200, self._quoted(json.loads(request.body))
        if request.method == "POST":
            self.posts.append((what, request.body))
            if self.refusals:
                return self.refusals.pop(0)
        match request.method, what:
            case "POST", "":
                return 201, self._created(json.loads(request.body))
            case "POST", "/payments":
                return 200, self._paid()
            case "POST", "/setups":
                return 201, _setup(len(self.posts))
        return 200, self._shown()

    def _quoted(self, asked: dict[str, Any]) -> dict[str, Any]:
        currency = asked["total"]["currency"]
        parts = [
            {
                "organization_id": part["organization_id"],
                "amount": _amount(part["minor_units"], currency),
                "covers": self._covers(part["minor_units"], 1, currency),
            }
            for part in asked["parts"]
        ]
        covers = self._covers(asked["total"]["minor_units"], len(parts), currency)
        return SplitQuoteOut.model_validate({"parts": parts, "covers": covers}).model_dump()

    def _covers(self, gift: str, count: int, currency: str) -> list[dict[str, Any]]:
        return [
            {
                "method": method,
                "fee_cover": _amount(count * int(fee), currency),
                "total": _amount(int(gift) + count * int(fee), currency),
            }
            for method, fee in self.fees.items()
        ]

    def _created(self, asked: dict[str, Any]) -> dict[str, Any]:
        currency = asked["total"]["currency"]
        self.parts = [
            {
                "donation_id": f"don_{at}",
                "organization_id": part["organization_id"],
                "amount": _amount(int(part["minor_units"]) + _fee_in(part), currency),
                "fee_cover": _amount(_fee_in(part), currency),
                "status": "pending",
            }
            for at, part in enumerate(asked["parts"])
        ]
        return SplitGiftCreated.model_validate({**self._shown(), "setup": _setup(1)}).model_dump()

    def _paid(self) -> dict[str, Any]:
        told = self.outcomes.pop(0) if self.outcomes else ["paid"] * len(self.parts)
        answered = []
        for part, outcome in zip(self.parts, told, strict=True):
            if part["status"] == "succeeded":
                answered.append({**part, "payment": None})
                continue
            needs = {"client_secret": f"pi_{part['donation_id']}_secret_1", "stripe_account": "acct_double"}
            answered.append({**part, "payment": outcome, **(needs if outcome == "needs_donor" else {})})
            if not self.says_nothing:
                part["status"] = _BECOMES.get(outcome, "pending")
        return SplitGiftOut.model_validate({**self._shown(), "parts": answered}).model_dump()

    def _shown(self) -> dict[str, Any]:
        shown = {"id": SPLIT, "status": "any", "parts": self.parts, "created_at": "2026-01-31T12:00:00.000Z"}
        return SplitGiftOut.model_validate(shown).model_dump()


def _fee_in(part: dict[str, Any]) -> int:
    return int(part.get("fee_cover", {}).get("minor_units", "0"))


def _amount(minor_units: str | int, currency: str) -> dict[str, str]:
    return {"minor_units": str(minor_units), "currency": currency}


def _setup(number: int) -> dict[str, str]:
    return {"client_secret": f"seti_{number}_secret_1", "publishable_key": "pk_test_double"}
