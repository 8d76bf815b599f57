"""A client of the API over a real database, and checks on every problem document it gets."""

from typing import Any

from fastapi.testclient import TestClient

from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints import application
from amply.infra.database import Database
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.unit.test_stripe_signatures import SECRET
from tests.backend.world import FakeClock, FakeProcessor, NoLimit, open_gate, ready_organization

PROBLEM = "application/problem+json"


class Api:
    """A client of an application whose parts can be reached."""

    def __init__(self, database: Database, *, operator: Database) -> None:
        self.processor = FakeProcessor()
        self.method_cloning = FakeMethodCloning()
        self.clock = FakeClock()
        self.organization_id = ready_organization(operator, self.processor)
        self.app = application.create(
            application.Parts(
                database=database,
                processor=self.processor,
                method_cloning=self.method_cloning,
                verifier=StripeEventVerifier(SECRET),
                limiter=NoLimit(),
                gate=open_gate(database),
                clock=self.clock,
                livemode=False,
                log_url="http://edge.example/log",
                allowed_origins=("http://edge.example",),
                client_address_header="X-Amply-Client",
            )
        )
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def body(self, **changes: Any) -> dict[str, Any]:
        return {
            "organization_id": self.organization_id,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": {"name": "Ada", "email": "ada@example.org"},
            **changes,
        }

    def give(
        self, *, key: str | None = "key-1", headers: dict[str, str] | None = None, **changes: Any
    ) -> Any:
        sent = {**({"Idempotency-Key": key} if key is not None else {}), **(headers or {})}
        return self.client.post("/v1/donations", json=self.body(**changes), headers=sent)

    def event(self, payload: bytes, signature: str) -> Any:
        return self.client.post(
            "/v1/webhooks/stripe", content=payload, headers={"Stripe-Signature": signature}
        )


def assert_problem(response: Any, *, status: int, code: str, param: str | None = None) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    problem = response.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem.get("param") == param
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["detail"].endswith(".")
