"""An organisation's webhook endpoints, what happens there, and the worker that tells them."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import organizations, public_events, webhook_endpoints
from amply.modules.public_events import EventAmount, EventType, GiftSucceeded
from amply.modules.webhook_endpoints import Answer, DeliveryDependencies, Failure
from tests.backend.member_world import House
from tests.backend.webhook_fakes import FakeSender, Sent

URL: Final = "https://river.example/hook"
SUBJECT: Final = f"don_{'0' * 26}"
AWAY: Final = Answer(status=503, failure=Failure.STATUS, milliseconds=40)
GONE: Final = Answer(status=410, failure=Failure.STATUS, milliseconds=1)


def gift_arrives(
    database: Database,
    organization_id: str,
    *,
    now: datetime,
    type_: EventType = EventType.DONATION_SUCCEEDED,
) -> None:
    """The event of a gift of 25 euros: endpoints are not told yet."""
    with database.transaction() as session:
        public_events.record(
            session,
            type=type_,
            organization_id=organization_id,
            subject_id=SUBJECT,
            data=GiftSucceeded(
                donation_id=SUBJECT,
                amount=EventAmount.of(Money(minor_units=2500, currency="EUR")),
                fund_id=None,
                method=None,
                plan_id=None,
            ),
            occurred_at=now,
            now=now,
        )


class Post:
    """The house's endpoints, what happens there, and the worker that tells them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.sender = FakeSender()
        self.parts = DeliveryDependencies(database=house.database, sender=self.sender, mailer=house.mailer)

    def add(self, url: str = URL, *types: str) -> str:
        body = {"url": url, "event_types": list(types or ("donation.succeeded",))}
        answer = self.ask("POST", "", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ask(self, method: str, path: str, **more: Any) -> Any:
        return self.house.ask(method, f"/webhook-endpoints{path}", by="usr_owner", **more)

    def happen(self, kind: EventType = EventType.DONATION_SUCCEEDED, *, of: str | None = None) -> None:
        gift_arrives(
            self.house.database, of or self.house.organization_id, type_=kind, now=self.house.clock()
        )

    def deliver(self, **later: float) -> list[Sent]:
        """What is sent now."""
        self.house.clock.now += timedelta(**later)
        before = len(self.sender.sent)
        webhook_endpoints.deliver(self.parts, clock=self.house.clock)
        return self.sender.sent[before:]

    def shown(self, endpoint_id: str) -> Mapping[str, Any]:
        shown: Mapping[str, Any] = self.ask("GET", f"/{endpoint_id}").json()
        return shown

    def deliveries(self, endpoint_id: str, query: str = "") -> list[dict[str, Any]]:
        answer = self.ask("GET", f"/{endpoint_id}/deliveries{query}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def change(self, endpoint_id: str, **wanted: Any) -> Mapping[str, Any]:
        tag = {"If-Match": self.ask("GET", f"/{endpoint_id}").headers["ETag"]}
        answer = self.ask("PATCH", f"/{endpoint_id}", headers=tag, json=wanted)
        assert answer.status_code == 200, answer.text
        changed: Mapping[str, Any] = answer.json()
        return changed


def post_of(house: House) -> Post:
    """The post of a house that can be written to."""
    contact = organizations.Contact(email="desk@river.example", language="en")
    with house.database.transaction() as session:
        organizations.keep_contact(
            session, organization_id=house.organization_id, contact=contact, now=house.clock()
        )
    return Post(house)


def beside(does: Callable[[], Any]) -> Any:
    """What somebody else does while a transaction is open."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(does).result()


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
