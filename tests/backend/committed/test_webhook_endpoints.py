"""Webhook endpoints: registered, told of what happens, tried again, disabled, and sent again what they missed."""

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select

from amply.entrypoints import task_names
from amply.entrypoints.scheduler import TASKS_OF
from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import donations, organizations, public_events, webhook_endpoints
from amply.modules.public_events import EventAmount, EventType, GiftSucceeded
from amply.modules.webhook_endpoints import Answer, DeliveryDependencies, Failure, deliveries, delivering
from amply.modules.webhook_endpoints.domain import ATTEMPTS_MAX, FAILING_MAX, RETRY_AFTER_MAX
from amply.modules.webhook_endpoints.fan_out import fan_out
from amply.modules.webhook_endpoints.models import DeliveryRow
from tests.backend.committed.money_back import INTENT, REFUND, Returns
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.member_world import House
from tests.backend.webhook_fakes import FakeSender, Sent

URL: Final = "https://river.example/hook"
SUBJECT: Final = f"don_{'0' * 26}"
AWAY: Final = Answer(status=503, failure=Failure.STATUS, milliseconds=40)
GONE: Final = Answer(status=410, failure=Failure.STATUS, milliseconds=1)


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
        now = self.house.clock()
        with self.house.database.transaction() as session:
            public_events.record(
                session,
                type=kind,
                organization_id=of or self.house.organization_id,
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


@pytest.fixture
def post(house: House) -> Post:
    contact = organizations.Contact(email="desk@river.example", language="en")
    with house.database.transaction() as session:
        organizations.keep_contact(
            session, organization_id=house.organization_id, contact=contact, now=house.clock()
        )
    return Post(house)


def verify(sent: Sent, public_key: str) -> None:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    signed = f"{sent.headers['webhook-id']}.{sent.headers['webhook-timestamp']}.".encode() + sent.body
    key.verify(base64.b64decode(sent.headers["webhook-signature"].split(" ")[0].removeprefix("v1a,")), signed)


def beside(does: Callable[[], Any]) -> Any:
    """What somebody else does while a transaction is open."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(does).result()


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_event_arrives_signed_once_at_the_endpoints_that_want_its_type(post: Post) -> None:
    endpoint_id = post.add()
    post.add("https://river.example/payouts", "payout.paid")
    post.happen()
    post.happen(of=post.house.other_id)

    (sent,) = post.deliver()
    assert sent.url == URL
    body = json.loads(sent.body)
    assert body == {
        "id": sent.headers["webhook-id"],
        "type": "donation.succeeded",
        "timestamp": body["timestamp"],
        "organization_id": post.house.organization_id,
        "data": {
            "donation_id": SUBJECT,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "fund_id": None,
            "method": None,
            "plan_id": None,
        },
    }
    public = post.house.client.get(f"/v1/public/webhook-endpoints/{endpoint_id}/keys").json()["data"]
    assert public == post.shown(endpoint_id)["public_keys"]
    verify(sent, public[0]["public_key"])
    assert post.deliver(hours=1) == []
    (delivery,) = post.deliveries(endpoint_id)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    log = post.ask("GET", f"/{endpoint_id}/deliveries/{delivery['id']}").json()["log"]
    assert [(each["status"], each["error"], each["milliseconds"]) for each in log] == [(204, None, 3)]


def test_what_did_not_arrive_comes_again_ever_later_under_the_same_id(post: Post) -> None:
    endpoint_id = post.add()
    post.sender.answers[URL] = AWAY
    post.happen()
    post.happen()

    first = post.deliver()
    assert len(first) == 1, "after a failure the endpoint is left alone for this turn"
    assert post.shown(endpoint_id)["failing_since"] is not None
    post.deliver()
    assert post.deliver(seconds=59) == []
    post.sender.answers.clear()
    again = post.deliver(seconds=8)
    assert {each.headers["webhook-id"] for each in again} == {
        sent.headers["webhook-id"] for sent in post.sender.sent
    }
    assert post.shown(endpoint_id)["failing_since"] is None
    assert [each["attempts"] for each in post.deliveries(endpoint_id)] == [2, 2]


def test_an_endpoint_rests_as_long_as_it_has_failed_and_an_hour_at_most_however_much_waits_for_it(
    post: Post,
) -> None:
    post.add()
    post.sender.answers[URL] = AWAY
    for _ in range(30):
        post.happen()
    assert len(post.deliver()) == 1
    assert len(post.deliver(minutes=10)) == 1
    assert post.deliver(minutes=9) == []
    assert len(post.deliver(minutes=1)) == 1
    assert len(post.deliver(hours=8)) == 1
    assert post.deliver(minutes=59) == []
    assert len(post.deliver(minutes=1)) == 1


def test_an_endpoint_that_asks_for_time_gets_it_up_to_a_day(post: Post) -> None:
    post.add()
    post.sender.answers[URL] = dataclasses.replace(AWAY, retry_after=timedelta(hours=2))
    post.happen()
    post.deliver()
    post.happen()
    assert post.deliver(minutes=119) == []
    post.sender.answers[URL] = dataclasses.replace(AWAY, retry_after=timedelta(days=400))
    assert len(post.deliver(minutes=2)) == 1
    post.sender.answers.clear()
    assert len(post.deliver(days=1)) == 2


def test_an_endpoint_that_answers_slowly_holds_no_other_up(post: Post) -> None:
    """It takes a turn of a minute four times; whoever was not served for longer comes before it."""
    slow, quick = f"{URL}/slow", f"{URL}/quick"
    post.sender.takes[slow] = timedelta(seconds=14)
    post.sender.clock = post.house.clock
    post.add(slow)
    for _ in range(10):
        post.happen()
    assert [sent.url for sent in post.deliver()] == [slow] * 5, "a turn ends after a minute"
    post.add(quick)
    for _ in range(30):
        post.happen()
    sent = [sent.url for sent in post.deliver(seconds=1)]
    assert (sent[:21], sent.count(quick)) == ([quick] * 20 + [slow], 30), "after twenty it is another's turn"


def test_new_events_get_their_deliveries_while_another_thread_sends(post: Post) -> None:
    endpoint_id = post.add()
    post.happen()
    with post.parts.turn:
        assert post.deliver() == []
    assert [each["state"] for each in post.deliveries(endpoint_id)] == ["pending"]


def test_an_endpoint_where_nothing_arrived_for_three_days_is_disabled_and_what_waits_is_sent_once_it_is_enabled(
    post: Post,
) -> None:
    endpoint_id = post.add()
    post.sender.answers[URL] = AWAY
    post.happen()
    for _ in range(ATTEMPTS_MAX - 1):
        assert len(post.deliver()) == 1
        assert post.house.mailer.sent == []
        post.house.clock.now += RETRY_AFTER_MAX * 1.1
        post.house.run(
            "UPDATE webhook_endpoint SET failing_since = :at", at=post.house.clock() - FAILING_MAX / 2
        )
    post.house.run("UPDATE webhook_endpoint SET failing_since = :at", at=post.house.clock() - FAILING_MAX)
    assert len(post.deliver()) == 1

    shown = post.shown(endpoint_id)
    assert (shown["state"], shown["disabled_reason"]) == ("disabled", "failing")
    assert [each["state"] for each in post.deliveries(endpoint_id, "?state=failed")] == ["failed"]
    records = post.house.rows("SELECT content FROM audit_record WHERE content LIKE '%endpoint.disabled%'")
    assert len(records) == 1
    (letter,) = post.house.mailer.sent
    assert (letter.to, "river.example" in letter.text, endpoint_id in letter.html) == (
        "desk@river.example",
        True,
        True,
    )
    post.happen()
    assert post.deliver(seconds=1) == []
    assert code(post.ask("POST", f"/{endpoint_id}/test")) == (409, "endpoint_disabled")

    post.sender.answers.clear()
    enabled = post.change(endpoint_id, enabled=True)
    assert (enabled["state"], enabled["disabled_reason"], enabled["failing_since"]) == ("enabled", None, None)
    assert len(post.deliver()) == 1, "what happened while it was disabled"
    since = (post.house.clock() - timedelta(days=29)).isoformat()
    replayed = post.ask("POST", f"/{endpoint_id}/replays", json={"since": since})
    assert replayed.json() == {"deliveries": 1}, "what had used up its attempts"
    assert len(post.deliver()) == 1
    assert post.ask("POST", f"/{endpoint_id}/replays", json={"since": since}).json() == {"deliveries": 0}


def test_a_replay_does_not_wait_for_an_attempt_that_is_being_noted(post: Post) -> None:
    """Both lock the endpoint and its deliveries, in opposite order: it would not only wait."""
    post.happen()
    fan_out(post.house.database, now=post.house.clock())
    endpoint_id = post.add()
    post.happen()
    fan_out(post.house.database, now=post.house.clock())
    now = post.house.clock.now = post.house.clock() + timedelta(seconds=1)
    arrived = Answer(status=204, failure=None, milliseconds=3)
    with post.house.database.transaction() as session:
        row = session.scalars(select(DeliveryRow)).one()
        delivering._note(session, row, arrived, url=URL, at=now, now=now)
        session.flush()
        whole = {"since": "2020-01-01T00:00:00Z"}
        asked = beside(lambda: post.ask("POST", f"/{endpoint_id}/replays", json=whole))
    assert asked.json() == {"deliveries": 1}


def test_a_delivery_whose_event_is_forgotten_while_it_is_listed_is_left_out(post: Post) -> None:
    post.add()
    post.happen()
    post.deliver()
    with post.house.database.transaction() as session:
        rows = session.scalars(select(DeliveryRow)).all()
        beside(lambda: post.house.run("DELETE FROM public_event"))
        assert (len(rows), deliveries._deliveries(session, rows)) == (1, [])


def test_an_endpoint_that_is_moved_where_another_is_just_moving_is_refused(post: Post) -> None:
    """What the other is about to keep stands in no row yet that could be seen."""
    first, second = post.add(f"{URL}/1"), post.add(f"{URL}/2")
    tag = {"If-Match": post.ask("GET", f"/{second}").headers["ETag"]}
    with closing(post.house.master.engine.raw_connection()) as other, ThreadPoolExecutor(1) as pool:
        other.cursor().execute(
            "SELECT FROM organization WHERE id = %s FOR NO KEY UPDATE", (post.house.organization_id,)
        )
        other.cursor().execute("UPDATE webhook_endpoint SET url = %s WHERE id = %s", (f"{URL}/moved", first))
        wanted = {"url": f"{URL}/moved"}
        waiting = pool.submit(post.ask, "PATCH", f"/{second}", headers=tag, json=wanted)
        while not post.house.rows(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            assert not waiting.done(), "it should wait for the other one"
        other.commit()
        assert code(waiting.result(60)) == (409, "endpoint_taken")


def test_what_we_owe_endpoints_is_counted_and_what_they_delay_themselves_is_not(post: Post) -> None:
    def late(*, minutes: int) -> int:
        with post.house.database.transaction() as session:
            return webhook_endpoints.count_late(session, now=post.house.clock() + timedelta(minutes=minutes))

    endpoint_id = post.add()
    post.happen()
    assert (late(minutes=16), late(minutes=14)) == (1, 0), "no delivery was made"
    fan_out(post.house.database, now=post.house.clock())
    assert (late(minutes=16), late(minutes=14)) == (1, 0), "none was attempted"
    post.sender.answers[URL] = AWAY
    post.deliver()
    assert len(post.deliver(minutes=50)) == 1
    assert (late(minutes=50), late(minutes=66)) == (0, 1), "it rests, and then nobody comes"
    post.change(endpoint_id, enabled=False)
    assert late(minutes=66) == 0


def test_what_has_arrived_does_not_count_for_the_limit_of_a_replay(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "REPLAYED_MAX", 1)
    endpoint_id = post.add()
    for _ in range(2):
        post.happen()
    assert len(post.deliver(seconds=1)) == 2
    post.house.run(
        "UPDATE webhook_delivery SET state = 'failed' WHERE id = (SELECT min(id) FROM webhook_delivery)"
    )
    whole = {"since": "2020-01-01T00:00:00Z"}
    every = {**whole, "includes_delivered": True}
    assert code(post.ask("POST", f"/{endpoint_id}/replays", json=every)) == (422, "replay_not_acceptable")
    assert post.ask("POST", f"/{endpoint_id}/replays", json=whole).json() == {"deliveries": 1}


def test_an_endpoint_that_says_it_is_gone_is_disabled_at_once_and_loses_nothing(post: Post) -> None:
    endpoint_id = post.add()
    post.sender.answers[URL] = GONE
    post.happen()
    post.deliver()
    assert post.shown(endpoint_id)["disabled_reason"] == "gone"
    post.sender.answers.clear()
    post.change(endpoint_id, enabled=True)
    assert len(post.deliver(minutes=2)) == 1


def test_what_a_former_address_answers_says_nothing_of_the_present_one(post: Post) -> None:
    endpoint_id = post.add()
    moved = f"{URL}/moved"
    post.sender.answers[URL] = GONE
    post.sender.meanwhile = lambda: post.change(endpoint_id, url=moved)
    post.happen()
    post.deliver()
    shown = post.shown(endpoint_id)
    assert (shown["state"], shown["failing_since"]) == ("enabled", None)
    post.sender.meanwhile = None
    assert [sent.url for sent in post.deliver(minutes=2)] == [moved]


def test_an_event_is_sent_again_when_it_is_named_and_in_a_range_where_that_is_asked_for(post: Post) -> None:
    post.happen()
    endpoint_id = post.add()
    post.deliver()
    (event_id,) = [each.id for each in post.house.rows("SELECT id FROM public_event")]

    path = f"/{endpoint_id}/replays"
    assert post.ask("POST", path, json={"event_id": event_id}).json() == {"deliveries": 1}
    assert [sent.headers["webhook-id"] for sent in post.deliver()] == [event_id]
    whole = {"since": "2020-01-01T00:00:00Z", "before": "2099-01-01T00:00:00Z"}
    assert post.ask("POST", path, json=whole).json() == {"deliveries": 0}
    assert post.ask("POST", path, json={**whole, "includes_delivered": True}).json() == {"deliveries": 1}
    assert [sent.headers["webhook-id"] for sent in post.deliver()] == [event_id]
    assert code(post.ask("POST", path, json={})) == (422, "replay_not_acceptable")
    nobodys = {"event_id": f"event_{'0' * 26}"}
    assert code(post.ask("POST", path, json=nobodys)) == (422, "replay_not_acceptable")


def test_a_test_event_goes_to_its_endpoint_alone(post: Post) -> None:
    endpoint_id = post.add()
    post.add("https://river.example/other")
    sent = post.ask("POST", f"/{endpoint_id}/test")
    assert (sent.status_code, sent.json()["event_type"]) == (202, "endpoint.test")
    topics = {each.topic for each in post.house.rows("SELECT topic FROM outbox")}
    assert TASKS_OF[topics.pop()][0] == task_names.DELIVER_WEBHOOKS, "the worker is told at once"
    assert [each.url for each in post.deliver()] == [URL]


def test_a_new_key_signs_beside_the_one_before_it_and_never_three(post: Post) -> None:
    endpoint_id = post.add()
    before = post.shown(endpoint_id)["public_keys"][0]["public_key"]
    rotations = [
        post.ask("POST", f"/{endpoint_id}/keys", json={"former_ends_after_hours": 2}).json()["data"]
        for _ in range(2)
    ]
    assert [len(keys) for keys in rotations] == [2, 2]
    keys = rotations[-1]
    assert before not in [each["public_key"] for each in keys]
    post.happen()
    (sent,) = post.deliver()
    assert sent.headers["webhook-signature"].count("v1a,") == 2
    verify(sent, keys[0]["public_key"])
    post.happen()
    (sent,) = post.deliver(hours=2)
    assert sent.headers["webhook-signature"].count("v1a,") == 1
    verify(sent, keys[0]["public_key"])
    assert len(post.house.rows("SELECT FROM webhook_signing_key")) == 1, "expired keys are deleted"
    post.house.run("DELETE FROM webhook_signing_key")
    post.happen()
    assert post.deliver() == [], "nothing leaves unsigned"


def test_a_private_key_is_sealed_and_the_api_cannot_read_it(post: Post) -> None:
    post.add()
    (row,) = post.house.rows("SELECT sealed FROM webhook_signing_key")
    assert b"whsk_" not in bytes(row.sealed)


def test_five_endpoints_are_taken_each_address_once_and_changed_only_as_they_were_seen(post: Post) -> None:
    made = [post.add(f"{URL}/{number}") for number in range(5)]
    assert post.add(f"{URL}/0") == made[0]
    body = {"url": URL, "event_types": ["payout.paid"]}
    assert code(post.ask("POST", "", json={**body, "url": f"{URL}/0"})) == (409, "endpoint_taken")
    assert code(post.ask("POST", "", json=body)) == (409, "too_many_endpoints")
    assert code(post.ask("POST", "", json={**body, "url": "http://river.example/"})) == (
        422,
        "endpoint_not_acceptable",
    )
    assert code(post.ask("PATCH", f"/{made[1]}", json={"enabled": False})) == (428, "if_match_missing")
    tag = {"If-Match": post.ask("GET", f"/{made[1]}").headers["ETag"]}
    taken = post.ask("PATCH", f"/{made[1]}", headers=tag, json={"url": f"{URL}/2"})
    assert code(taken) == (409, "endpoint_taken")
    changed = post.ask(
        "PATCH", f"/{made[1]}", headers=tag, json={"url": URL, "enabled": False, "description": "Till"}
    )
    assert (changed.json()["disabled_reason"], changed.json()["description"]) == ("by_member", "Till")
    assert code(post.ask("PATCH", f"/{made[1]}", headers=tag, json={})) == (412, "changed_meanwhile")
    assert post.ask("DELETE", f"/{made[1]}").status_code == 204
    assert code(post.ask("GET", f"/{made[1]}")) == (404, "endpoint_not_found")
    gone = post.house.client.get(f"/v1/public/webhook-endpoints/{made[1]}/keys")
    assert code(gone) == (404, "endpoint_not_found")


def test_an_endpoint_that_was_removed_while_its_delivery_was_taken_is_sent_nothing(post: Post) -> None:
    endpoint_id = post.add()
    post.happen()
    fan_out(post.house.database, now=post.house.clock())
    assert post.ask("DELETE", f"/{endpoint_id}").status_code == 204
    assert post.deliver() == []


def test_events_are_gone_after_thirty_days_with_their_deliveries(post: Post) -> None:
    endpoint_id = post.add()
    post.happen()
    post.deliver()
    post.house.clock.now += timedelta(days=30, seconds=1)
    public_events.forget_old(post.house.database, now=post.house.clock())
    assert post.deliveries(endpoint_id) == []
    assert post.house.rows("SELECT FROM webhook_attempt") == []


def test_a_gift_tells_of_its_success_and_of_what_goes_back_until_its_donor_is_erased(
    database: Database,
) -> None:
    books = Returns(database)
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.news("refund.created")
    books.news("charge.refunded")
    (gift,) = books.rows("donation")
    told = [(each.type, each.subject_id, each.data) for each in books.rows("public_event")]
    amount = {"minor_units": "2500", "currency": "EUR"}
    assert told == [
        (
            "donation.succeeded",
            gift.id,
            {"donation_id": gift.id, "amount": amount, "fund_id": None, "method": None, "plan_id": None},
        ),
        (
            "donation.refunded",
            gift.id,
            {"donation_id": gift.id, "refunded": {"minor_units": "1000", "currency": "EUR"}},
        ),
    ]
    donations.erase_donor(database, SECRETS, email_sha256=None, donation_id=gift.id, now=books.clock())
    assert books.rows("public_event") == []
