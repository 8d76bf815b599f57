"""Whose turn it is to be sent something: endpoints that fail, rest, answer slowly, are gone or moved, and are disabled."""

import dataclasses
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from amply.modules import webhook_endpoints
from amply.modules.webhook_endpoints import Answer, delivering
from amply.modules.webhook_endpoints.domain import ATTEMPTS_MAX, FAILING_MAX, RETRY_AFTER_MAX
from amply.modules.webhook_endpoints.fan_out import fan_out
from amply.modules.webhook_endpoints.models import DeliveryRow
from tests.backend.member_world import House
from tests.backend.webhook_post import AWAY, GONE, URL, Post, beside, code, post_of


@pytest.fixture
def post(house: House) -> Post:
    return post_of(house)


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


def test_what_somebody_asks_for_waits_for_no_rest(post: Post) -> None:
    endpoint_id = post.add()
    post.sender.answers[URL] = AWAY
    post.happen()
    post.deliver()
    post.deliver(hours=8)
    post.sender.answers.clear()
    assert post.deliver(minutes=1) == []
    assert post.ask("POST", f"/{endpoint_id}/test").status_code == 202
    assert "endpoint.test" in {json.loads(sent.body)["type"] for sent in post.deliver()}


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
