"""Webhook endpoints: registered, told of what happens, and sent again what they missed."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select

from amply.entrypoints import task_names
from amply.entrypoints.scheduler import TASKS_OF
from amply.infra.database import Database
from amply.modules import donations, public_events
from amply.modules.webhook_endpoints import deliveries
from amply.modules.webhook_endpoints.fan_out import fan_out
from amply.modules.webhook_endpoints.models import DeliveryRow
from tests.backend.committed.money_back import INTENT, REFUND, Returns
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.member_world import House
from tests.backend.webhook_fakes import Sent
from tests.backend.webhook_post import SUBJECT, URL, Post, beside, code, post_of


@pytest.fixture
def post(house: House) -> Post:
    return post_of(house)


def verify(sent: Sent, public_key: str) -> None:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    signed = f"{sent.headers['webhook-id']}.{sent.headers['webhook-timestamp']}.".encode() + sent.body
    key.verify(base64.b64decode(sent.headers["webhook-signature"].split(" ")[0].removeprefix("v1a,")), signed)


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
