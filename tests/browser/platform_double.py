"""Double of the public API and the Stripe.js host."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, Final

from amply.modules.recurring.schemas import PlanCreated
from tests.browser.giving_double import GivingDouble
from tests.browser.loopback import Request, Response
from tests.browser.onboarding_double import OnboardingDouble
from tests.browser.plans_double import PlansDouble
from tests.browser.splits_double import SplitsDouble

ORGANIZATION: Final = "org_0199aaaabbbbccccddddeeeeffff0001"
ORGANIZATION_NAME: Final = "Green Fields"
FUND: Final = "fund_0199aaaabbbbccccddddeeeeff"

SHARING_OFFER: Final = {
    "purpose": "analytics",
    "wording": "1",
    "texts": {
        "en": "Share facts of this gift",
        "de": "Angaben zu dieser Spende teilen",
        "fr": "Partager des faits",
    },
}
_STRIPE_JS: Final = Path(__file__).with_name("stripe_double.js")


@dataclass
class PlatformDouble:
    """Takes donations as the API does: one per idempotency key, refused where the test says so.

    `refusals` answer the next POSTs, one each, before any is accepted.
    """

    refusals: list[Response] = field(default_factory=list)
    organizations: dict[str, str] = field(default_factory=lambda: {ORGANIZATION: ORGANIZATION_NAME})
    confirmations: int = 0
    posts: list[Request] = field(default_factory=list)
    donations: dict[str, dict[str, Any]] = field(default_factory=dict)
    stripe_js_is_down: bool = False
    covers: list[dict[str, Any]] = field(default_factory=list)
    publishable_key: str = "pk_test_double"
    now: str = "2026-01-31T12:00:00.000Z"
    plans: PlansDouble = field(default_factory=PlansDouble)
    country: str = "DE"
    pictures: dict[str, Any] = field(default_factory=dict)
    return_origins: list[str] = field(default_factory=list)
    splits: SplitsDouble = field(default_factory=SplitsDouble)
    giving: GivingDouble = field(default_factory=GivingDouble)
    shares_data: bool = False
    onboarding: OnboardingDouble = field(default_factory=OnboardingDouble)
    _keys: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Response:
        """Route one request; anything unknown is a 404 problem."""
        with self._lock:
            if request.method == "OPTIONS":
                return Response(status=204, headers=_CORS)
            if request.path == "/v3/":
                return self._stripe_js()
            return self._api(request)

    @property
    def only_donation(self) -> dict[str, Any]:
        """The one donation that was made."""
        (donation,) = self.donations.values()
        return donation

    def settle(self, **changes: object) -> None:
        """Change the one donation, as the platform's workers would."""
        with self._lock:
            self.only_donation.update(changes)

    def _api(self, request: Request) -> Response:
        found = {
            "/v1/public/data-sharing": {"data": [SHARING_OFFER] if self.shares_data else []},
            "/v1/public/organisations": {"data": [self._organization(i) for i in self.organizations]},
            **{f"/v1/public/organisations/{i}": self._organization(i) for i in self.organizations},
            **{f"/v1/public/organisations/{i}/funds": _FUNDS for i in self.organizations},
            **{f"/v1/donations/{i}": donation for i, donation in self.donations.items()},
        }
        if request.path.startswith(("/v1/donor/", "/v1/onboarding", "/v1/split-gifts")):
            return self._in_a_room(request)
        match request.method, request.path:
            case "POST", "/v1/donations" | "/v1/recurring":
                return self._made(request)
            case "POST", "/confirm":
                return self._confirm(request)
            case "GET", "/v1/donations/quote":
                return _json({"covers": self.covers})
            case "GET", path if path in found:
                return _json(found[path])
        return problem(404, "There is nothing at this address.")

    def _in_a_room(self, request: Request) -> Response:
        rooms: dict[str, PlansDouble | GivingDouble | SplitsDouble | OnboardingDouble] = {
            "/v1/donor/links": self.plans,
            "/v1/donor/plans": self.plans,
            "/v1/donor/": self.giving,
            "/v1/onboarding": self.onboarding,
            "/v1/split-gifts": self.splits,
        }
        room = next(room for prefix, room in rooms.items() if request.path.startswith(prefix))
        answer = room.answer(request)
        if isinstance(answer, Response):
            return replace(answer, headers={**answer.headers, **_CORS})
        return _json(answer[1], status=answer[0])

    def _organization(self, organization_id: str) -> dict[str, object]:
        return {
            "id": organization_id,
            "name": self.organizations[organization_id],
            "country": self.country,
            "takes_anonymous_gifts": True,
            "return_origins": self.return_origins,
            **{kind: self.pictures.get(kind) for kind in ("logo", "banner")},
        }

    def _made(self, request: Request) -> Response:
        self.posts.append(request)
        if self.refusals:
            return self.refusals.pop(0)
        make = {"/v1/donations": self._donate, "/v1/recurring": self._begin_plan}[request.path]
        return _json(make(request), status=201)

    def _donate(self, request: Request) -> dict[str, Any]:
        key = request.headers["idempotency-key"]
        asked = json.loads(request.body)
        donation_id = self._keys.setdefault(key, f"don_{len(self._keys):032d}")
        donation = self.donations.setdefault(
            donation_id,
            {
                "id": donation_id,
                "status": "pending",
                **_amounts(asked),
                "organization_id": asked["organization_id"],
                "ledger": None,
                "created_at": self.now,
            },
        )
        payment = {
            "client_secret": f"pi_{donation_id}_secret_1",
            "publishable_key": self.publishable_key,
            "stripe_account": "acct_double",
        }
        return {**donation, "payment": payment}

    def _begin_plan(self, request: Request) -> dict[str, Any]:
        begun = {"plan_id": "pln_double", "donation": self._donate(request)}
        return PlanCreated.model_validate(begun).model_dump()

    def _confirm(self, request: Request) -> Response:
        donation_id = json.loads(request.body)["client_secret"].removeprefix("pi_").partition("_secret_")[0]
        self.donations[donation_id]["status"] = "processing"
        self.confirmations += 1
        return _json({})

    def _stripe_js(self) -> Response:
        if self.stripe_js_is_down:
            return Response(status=503)
        return Response(body=_STRIPE_JS.read_bytes(), headers={"Content-Type": "text/javascript"})


def quoted(method: str, minor_units: str) -> dict[str, Any]:
    """What covers the fee of a gift in euros, for one way to pay."""
    return {"method": method, "fee_cover": {"minor_units": minor_units, "currency": "EUR"}}


def _amounts(asked: dict[str, Any]) -> dict[str, Any]:
    """What is paid in all, and what of it covers the fee."""
    amount, cover = asked["amount"], asked.get("fee_cover", {}).get("minor_units", "0")
    total = int(amount["minor_units"]) + int(cover)
    return {
        "amount": {**amount, "minor_units": str(total)},
        "fee_cover": {**amount, "minor_units": cover},
    }


def problem(status: int, detail: str, **more: object) -> Response:
    """An RFC 9457 problem as the API words it."""
    body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail, **more}
    return Response(
        status=status,
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/problem+json", **_CORS},
    )


def _json(content: object, *, status: int = 200) -> Response:
    return Response(
        status=status,
        body=json.dumps(content).encode(),
        headers={"Content-Type": "application/json", **_CORS},
    )


_FUNDS: Final = {
    "data": [
        {"id": FUND, "name": "Hedges", "kind": "project", "is_open": True},
        {"id": "fund_closed", "name": "Old barn", "kind": "fund", "is_open": False},
    ]
}

_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, content-type, idempotency-key, if-match, amply-challenge",
    "Access-Control-Expose-Headers": "ETag",
}
