"""Events that nobody delivered are found in the provider's own list, once, in turn, and no further back than it reaches."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog

from amply.infra.database import Database
from amply.modules import payments, webhooks
from amply.modules.webhooks.missed_events import DELIVERED_WITHIN, LISTED_FOR
from tests.backend.payout_world import FakeEvents, Treasury
from tests.backend.world import NOW

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def treasury(database: Database) -> Treasury:
    return Treasury(database)


def event(
    treasury: Treasury,
    event_id: str,
    *,
    at: datetime = NOW,
    event_type: str = "payment_intent.succeeded",
    **more: Any,
) -> webhooks.ProviderEvent:
    return webhooks.ProviderEvent(
        **{
            "id": event_id,
            "type": event_type,
            "account_id": treasury.account_id,
            "livemode": False,
            "occurred_at": at,
            "object": {"id": "pi_0", "object": "payment_intent", "metadata": {}},
            **more,
        }
    )


def look(treasury: Treasury, source: FakeEvents, *, now: datetime = LATER) -> webhooks.WalkResult:
    return webhooks.find_missed(treasury.gaps(source), account_id=treasury.account_id, now=now)


def stored(treasury: Treasury) -> set[str]:
    return {row.id for row in treasury.rows("provider_event")}


def test_an_event_that_never_came_is_stored_and_booked(treasury: Treasury) -> None:
    source = FakeEvents({treasury.account_id: [event(treasury, "evt_lost")]})
    with structlog.testing.capture_logs() as lines:
        assert look(treasury, source) == webhooks.WalkResult(listed=1, missed=1, completed=True)

    assert [(line["event"], line["count"]) for line in lines] == [("events_missed", 1)]
    assert treasury.handle("evt_lost") == webhooks.Outcome.APPLIED
    assert treasury.kinds() == ["donation.succeeded", "processor.fee"]


def test_one_that_came_is_not_missed(treasury: Treasury) -> None:
    treasury.deliver("evt_here", "payment_intent.succeeded")
    source = FakeEvents({treasury.account_id: [event(treasury, "evt_here")]})
    with structlog.testing.capture_logs() as lines:
        assert look(treasury, source) == webhooks.WalkResult(listed=1, missed=0, completed=True)
    assert lines == []


def test_one_that_may_still_be_on_its_way_is_left_for_the_next_run(treasury: Treasury) -> None:
    source = FakeEvents({treasury.account_id: [event(treasury, "evt_young", at=LATER)]})
    assert look(treasury, source).listed == 0
    assert look(treasury, source, now=LATER + DELIVERED_WITHIN + timedelta(seconds=1)).missed == 1


def test_what_was_looked_at_is_not_listed_again(treasury: Treasury) -> None:
    source = FakeEvents({treasury.account_id: [event(treasury, "evt_old", at=NOW - timedelta(days=3))]})
    assert look(treasury, source).listed == 1
    assert look(treasury, source, now=LATER + timedelta(hours=1)).listed == 0


def test_no_event_is_looked_for_that_the_provider_does_not_list_any_more(treasury: Treasury) -> None:
    ancient = event(treasury, "evt_ancient", at=LATER - LISTED_FOR - timedelta(minutes=1))
    assert look(treasury, FakeEvents({treasury.account_id: [ancient]})).listed == 0


def test_a_long_list_is_walked_in_several_runs_and_nothing_is_left_out(
    treasury: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amply.modules.webhooks.missed_events.PAGES_MAX", 2)
    listed = [event(treasury, f"evt_{number}", at=NOW - timedelta(minutes=number)) for number in range(50)]
    source = FakeEvents({treasury.account_id: list(listed)}, page=10)

    looked = look(treasury, source)
    assert (looked.missed, looked.completed) == (20, False)
    newer = event(treasury, "evt_newer", at=LATER)
    source.listed[treasury.account_id].insert(0, newer)
    while not looked.completed:
        looked = look(treasury, source)
    assert stored(treasury) == {each.id for each in listed}
    assert look(treasury, source, now=LATER + timedelta(hours=1)).missed == 1, "what came meanwhile is next"


def test_a_run_that_breaks_off_keeps_what_it_has_found(treasury: Treasury) -> None:
    listed = [event(treasury, f"evt_{number}", at=NOW - timedelta(minutes=number)) for number in range(20)]
    source = FakeEvents({treasury.account_id: list(listed)}, page=10)
    pages = source.events_between

    def breaks(**asked: Any) -> webhooks.EventPage:
        if asked["older_than"] is not None:
            raise payments.ProcessorUnavailable("away")
        return pages(**asked)

    source.events_between = breaks  # type: ignore[method-assign]  # the second page fails
    with pytest.raises(payments.ProcessorUnavailable):
        look(treasury, source)
    assert len(stored(treasury)) == 10
    source.events_between = pages  # type: ignore[method-assign]  # and then does not
    assert look(treasury, source).missed == 10


def test_events_of_the_other_kind_of_environment_are_not_stored(treasury: Treasury) -> None:
    source = FakeEvents({treasury.account_id: [event(treasury, "evt_live", livemode=True)]})
    assert look(treasury, source).missed == 0
    assert stored(treasury) == set()


def test_what_nobody_handles_is_kept_for_a_known_account_and_for_nobody_else(treasury: Treasury) -> None:
    odd = event(treasury, "evt_odd", event_type="balance.available", object={"object": "balance"})
    strangers = event(treasury, "evt_strange", event_type="balance.available", account_id="acct_stranger")
    source = FakeEvents({treasury.account_id: [odd, strangers]})
    assert look(treasury, source).missed == 1
    assert stored(treasury) == {"evt_odd"}


def test_accounts_have_their_turn_each_hour_and_one_that_refuses_holds_back_no_other(
    treasury: Treasury,
) -> None:
    accounts = [None, "acct_left", treasury.account_id]
    source = FakeEvents(
        {treasury.account_id: [event(treasury, "evt_lost")]},
        refuses={"acct_left": payments.ProcessorRefused("left")},
    )
    webhooks.find_missed_of(treasury.gaps(source), account_ids=accounts, now=LATER)
    assert set(source.asked) == set(accounts)
    assert stored(treasury) == {"evt_lost"}

    webhooks.find_missed_of(treasury.gaps(source), account_ids=accounts, now=LATER + timedelta(minutes=5))
    assert len(source.asked) == 3, "nobody's turn yet"
    webhooks.find_missed_of(treasury.gaps(source), account_ids=accounts, now=LATER + timedelta(minutes=61))
    assert len(source.asked) == 6
