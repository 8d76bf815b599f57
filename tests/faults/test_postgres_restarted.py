"""PostgreSQL stopped, and its power cut, under load: every process finds back by itself, and nothing is missing."""

import pytest

from tests.faults.books import Books
from tests.faults.gifts import Crowd
from tests.faults.platform import SERVICES, Organization, Platform

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults"), pytest.mark.allow_hosts(["127.0.0.1"])]


def test_restarted_under_load_every_answered_gift_exists_exactly_once(
    platform: Platform, organization: Organization, books: Books
) -> None:
    before = {task: platform[task].pid for task in SERVICES}

    with Crowd(platform, organization, donors=4, pause=0.2) as crowd:
        for stop in (platform.database.stop_fast, platform.database.cut_power):
            crowd.wait_for_answers(8)
            stop()
            crowd.wait_for_silence(3)
            platform.database.start_again()
        crowd.wait_for_answers(8)
    crowd.finish()

    books.come_to_rest()
    donations = {gift.donation_id for gift in crowd.gifts}
    assert len(donations) == len(crowd.gifts), "one donation a gift, the same in every answer"
    found = platform.database.rows("SELECT id FROM donation WHERE id = ANY(%s)", list(donations))
    assert {row["id"] for row in found} == donations
    books.check_published()
    assert {task: platform[task].pid for task in SERVICES} == before
    assert all(platform[task].is_running for task in SERVICES)
