"""Where the card of a gift to several organisations is entered, and cards that are tried on it."""

from datetime import timedelta

import pytest

from amply.infra.database import Database
from amply.modules import defence, payments, webhooks
from amply.modules.donations import erase_donor
from amply.modules.donations.split_domain import SetupsUsedUp
from amply.modules.donations.splits import new_setup
from amply.modules.mail import address_digest
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.split_giver import Giver
from tests.backend.world import anybody


@pytest.fixture
def giver(database: Database) -> Giver:
    return Giver(database)


def test_five_methods_are_asked_for_and_no_more(giver: Giver) -> None:
    split_id = giver.give_with()
    for _ in range(4):
        new_setup(giver.parts, split_id=split_id, admit=anybody)

    with pytest.raises(SetupsUsedUp):
        new_setup(giver.parts, split_id=split_id, admit=anybody)


def test_what_is_asked_for_at_the_same_time_is_one_method(giver: Giver) -> None:
    split_id = giver.give_with()
    made = []

    def meanwhile(about: defence.SetupOf) -> defence.Fingerprints:
        made.append(new_setup(giver.parts, split_id=split_id, admit=anybody))
        return anybody(about)

    made.append(new_setup(giver.parts, split_id=split_id, admit=meanwhile))
    assert {setup.client_secret for setup in made} == {f"seti_{split_id}_2_secret_x"}
    assert [row.setups for row in giver.rows("split_gift")] == [2]


def test_four_cards_are_tried_on_one_gift_whichever_setup_they_are_entered_in_and_no_more(
    giver: Giver,
) -> None:
    split_id = giver.give().body["id"]
    new_setup(giver.parts, split_id=split_id, admit=anybody)
    for number in range(3):
        giver.decline_card(split_id, f"stolen-{number}", number=1)
    assert giver.end_what_must() == 0
    giver.decline_card(split_id, "stolen-3", number=2)

    assert giver.end_what_must() == 2
    assert sorted(giver.processor.canceled) == [f"seti_{split_id}_1", f"seti_{split_id}_2"]
    with pytest.raises(SetupsUsedUp):
        new_setup(giver.parts, split_id=split_id, admit=anybody)
    assert giver.end_what_must() == 0


def test_a_card_that_a_setup_does_not_take_counts_once_for_the_donor_and_at_every_organisation(
    giver: Giver,
) -> None:
    split_id = giver.give().body["id"]
    for _ in range(2):
        giver.decline_card(split_id, "mine", at=giver.clock())
    rows = giver.rows("decline")

    assert {row.organization_id for row in rows} == set(giver.organizations)
    assert [row.is_repeat for row in rows].count(False) == 2, "one for each attempt"
    assert {(row.owner_id, row.donation_id) for row in rows} == {(split_id, None)}
    events = [row for row in giver.rows("provider_event") if row.type == "setup_intent.setup_failed"]
    assert [(row.outcome, row.payload) for row in events] == [("applied", {})] * 2
    with giver.database.transaction() as session:
        again = webhooks.replay_one(session, event_id=events[0].id, now=giver.clock())
    assert again.started == 0
    handled = [row.outcome for row in giver.rows("provider_event") if row.id == events[0].id]
    assert handled == ["applied"]


def test_a_card_that_every_part_is_declined_with_counts_once_against_the_donor(giver: Giver) -> None:
    split_id = giver.give_with("pm_broke")
    giver.method_cloning.declines = {"pm_broke"}
    for attempts in (1, 2):
        giver.pay(split_id)
        giver.hear(declined="broke")
        rows = giver.rows("decline")
        assert {row.organization_id for row in rows} == set(giver.organizations)
        assert {row.split_id for row in rows} == {split_id}
        assert [row.is_repeat for row in rows].count(False) == attempts


def test_a_card_that_a_gift_to_several_was_declined_with_is_the_card_of_one_gift(giver: Giver) -> None:
    for key in ("key-1", "key-2"):
        giver.give(key=key)
    giver.hear(declined="broke")

    assert giver.end_what_must() == 0


def test_organisations_are_looked_at_in_one_order_whatever_the_order_of_the_parts(giver: Giver) -> None:
    giver.organizations.sort(reverse=True)
    giver.give()

    assert giver.rows("card_setup")[0].organization_ids == sorted(giver.organizations)


def test_a_setup_that_was_taken_for_ended_and_takes_cards_is_ended_again(giver: Giver) -> None:
    split_id = giver.give().body["id"]
    for number in range(4):
        giver.decline_card(split_id, f"stolen-{number}")
    giver.processor.fails = [payments.ProcessorRefused("it is over")]
    assert giver.end_what_must() == 1
    assert giver.processor.canceled == []
    giver.clock.advance(seconds=1)
    giver.decline_card(split_id, "stolen-4")

    assert giver.end_what_must() == 1
    assert giver.processor.canceled == [f"seti_{split_id}_1"]


def test_a_setup_on_an_account_that_we_are_shut_out_of_is_no_ended_one(giver: Giver) -> None:
    split_id = giver.give().body["id"]
    for number in range(4):
        giver.decline_card(split_id, f"stolen-{number}")
    giver.processor.fails = [payments.AccountUnreachable("shut out")]
    assert giver.end_what_must() == 0
    giver.clock.advance(minutes=2)

    assert giver.end_what_must() == 1


def test_a_setup_is_ended_after_a_day_and_one_of_others_is_none_of_ours(giver: Giver) -> None:
    split_id = giver.give().body["id"]
    giver.decline_card("spl_of_others", "mine")
    assert giver.rows("decline") == []
    giver.clock.advance(days=1, seconds=1)

    assert giver.end_what_must() == 4, "three parts, and where their card would be entered"
    assert f"seti_{split_id}_1" in giver.processor.canceled
    with giver.database.transaction() as session:
        defence.forget(session, now=giver.clock() + timedelta(days=2))
    assert giver.rows("card_setup") == []


def test_a_donor_is_not_erased_while_where_cards_were_tried_is_about_to_end(giver: Giver) -> None:
    split_id = giver.give().body["id"]
    for number in range(4):
        giver.decline_card(split_id, f"stolen-{number}")

    def erase() -> int:
        ada = address_digest("ada@example.org")
        return erase_donor(
            giver.database, SECRETS, email_sha256=ada, donation_id=None, now=giver.clock()
        ).gifts

    with pytest.raises(payments.EndingUnderWay):
        erase()
    assert giver.end_what_must() == 1
    assert erase() == 3
