"""All five processes killed at random moments under load: at the end, exactly what the processor says happened."""

import random
import threading
import time

import pytest

from tests.faults.books import Books
from tests.faults.gifts import Crowd
from tests.faults.platform import SERVICES, Organization, Platform
from tests.faults.waiting import until

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.xdist_group("faults"),
    pytest.mark.allow_hosts(["127.0.0.1"]),
]

SEED = 20261121
KILLING_SECONDS = 20


def kill_at_random(platform: Platform, chance: random.Random) -> None:
    """Round by round each process once, in a random order, while it works; then start it again at once."""
    enough = time.monotonic() + KILLING_SECONDS
    pause = threading.Event()
    while time.monotonic() < enough:
        for task in chance.sample(SERVICES, len(SERVICES)):
            until(
                platform[task].is_ready, otherwise=f"{task} does not come back: {platform[task].log_tail()}"
            )
            pause.wait(chance.uniform(0.0, 1.0))
            platform[task].kill()
            platform[task].launch()
    for task in SERVICES:
        platform[task].wait_until_ready()


def test_every_payment_is_booked_once_and_every_donor_hears_of_it(
    platform: Platform, organization: Organization, books: Books
) -> None:
    with Crowd(platform, organization, donors=3, pause=0.4) as crowd:
        kill_at_random(platform, random.Random(SEED))  # noqa: S311 -- a seed that can be named, not a secret
    crowd.finish()

    books.come_to_rest()
    books.check_published()
    receipts = {row["donor_email"]: row["attempts"] for row in books.wait_for_receipts()}
    mails = platform.cloud.mails()
    assert {gift.email for gift in crowd.gifts} <= receipts.keys() == mails.keys()
    # An attempt is counted before its e-mail leaves: a kill in between sends again, never not at all.
    assert all(1 <= mails[email] <= attempts for email, attempts in receipts.items())
