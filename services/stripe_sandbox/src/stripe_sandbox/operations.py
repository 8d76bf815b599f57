"""Defines endpoints: a route, its parameters, and a function from a call to a JSON object."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from stripe_sandbox.authentication import Caller
from stripe_sandbox.errors import Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.objects import PLATFORM, Objects
from stripe_sandbox.parameters import Shape
from stripe_sandbox.settings import Settings
from stripe_sandbox.webhooks import deliveries, thin


@lru_cache
def api_version() -> str:
    """The API version of the installed SDK, which is the one the sandbox speaks."""
    import stripe  # noqa: PLC0415  # half a second, which the start of the process does not wait for

    return stripe.api_version


@dataclass(frozen=True, kw_only=True)
class Call:
    """One validated and authorised request, with its account's objects in an open transaction."""

    objects: Objects
    params: Json
    path: Mapping[str, str]
    caller: Caller
    settings: Settings
    request_id: str | None
    idempotency_key: str | None

    @classmethod
    def unasked(cls, objects: Objects, settings: Settings, params: Json | None = None) -> Self:
        """What happens by itself, or by the hand of a person at Stripe: its events belong to no request."""
        return cls(
            objects=objects,
            params=params or {},
            path={},
            caller=Caller(secret=True),
            settings=settings,
            request_id=None,
            idempotency_key=None,
        )

    def on(self, account: str) -> Self:
        """The same call, among the objects of another account."""
        return replace(self, objects=replace(self.objects, account=account))

    @property
    def now(self) -> int:
        """Seconds since the epoch, the same throughout the call."""
        return self.objects.now

    def emit(self, kind: str, body: Json, previous: Json | None = None) -> None:
        """Record an event with the object as it now is, and owe its delivery to the webhook endpoint."""
        data: Json = {"object": body}
        if previous is not None:
            data["previous_attributes"] = previous
        event: Json = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": api_version(),
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1 if self.settings.has_destination else 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": kind,
        }
        if self.objects.account != PLATFORM:
            event["account"] = self.objects.account
        self._owe(event)

    def emit_thin(self, kind: str, body: Json, data: Json | None = None) -> None:
        """Record an event that v2 has no snapshot of, about an object of v2, and owe its delivery."""
        told = thin.native(
            kind,
            body,
            event_id=new_id("evt"),
            created=self.now,
            request_id=self.request_id,
            idempotency_key=self.idempotency_key,
        )
        self._owe(told | {"changes": None, "data": data})

    def _owe(self, event: Json) -> None:
        self.objects.add(event)
        if self.settings.has_destination:
            deliveries.owe(self.objects.connection, event["id"], due=float(self.now))


Handler = Callable[[Call], Json]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One endpoint. `client_shape`: its parameters when a browser calls with the publishable key, if it may."""

    method: str
    path: str
    shape: Shape
    handler: Handler
    client_shape: Shape | None = None

    @property
    def version(self) -> str:
        """`v1` or `v2`: form or JSON bodies, and different rules for idempotency."""
        return self.path.split("/", 2)[1]
