"""The API killed between the three steps of a gift: nothing lost, nothing doubled, whoever finishes it."""

import pytest

from stacks.contracts import TaskName
from tests.faults.books import Books
from tests.faults.gifts import Gift
from tests.faults.platform import Organization, Platform
from tests.faults.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults"), pytest.mark.allow_hosts(["127.0.0.1"])]

INTENTS = "/v1/payment_intents"


@pytest.fixture
def gifts(platform: Platform, organization: Organization) -> tuple[Gift, Gift]:
    """Two gifts: after the kill one donor asks again, the other never comes back."""
    return Gift(platform=platform, organization=organization), Gift(
        platform=platform, organization=organization
    )


def is_recorded(gift: Gift) -> bool:
    """Whether step (1) is committed and step (3) is not."""
    row = gift.row()
    return row is not None and row["response_body"] is None


def finish(platform: Platform, books: Books, asked_again: Gift, abandoned: Gift) -> None:
    """The one is finished by the client's retry, the other by the completer; then both are paid and booked."""
    asked_again.send_until_answered()
    assert asked_again.donation_id == (asked_again.row() or {})["donation_id"]
    platform.database.let_waits_pass()
    platform.restart(TaskName.SCHEDULER)  # a scheduler that starts looks for stuck payments at once
    until(lambda: not is_recorded(abandoned), otherwise="nobody completed the abandoned gift")
    abandoned.send_until_answered()
    for gift in (asked_again, abandoned):
        gift.pay()
    books.come_to_rest()
    for gift in (asked_again, abandoned):
        assert gift.look()["status"] == "succeeded"


def test_killed_before_the_processor_heard_of_the_gift(
    platform: Platform, organization: Organization, books: Books, gifts: tuple[Gift, Gift]
) -> None:
    before = len(platform.processor.intents(organization.account))
    platform["stripe"].kill()
    requests = [gift.begin() for gift in gifts]
    until(lambda: all(is_recorded(gift) for gift in gifts), otherwise="step (1) is not committed")
    platform["api"].kill()
    assert all(request.was_never_answered() for request in requests)
    platform["stripe"].start()
    assert len(platform.processor.intents(organization.account)) == before, "it was never reached"

    platform["api"].start()

    finish(platform, books, *gifts)


def test_killed_after_the_processor_made_the_intent(
    platform: Platform, organization: Organization, books: Books, gifts: tuple[Gift, Gift]
) -> None:
    before = len(platform.processor.intents(organization.account))
    for _ in gifts:
        platform.processor.hold("POST", INTENTS)
    requests = [gift.begin() for gift in gifts]
    until(lambda: all(is_recorded(gift) for gift in gifts), otherwise="step (1) is not committed")
    until(lambda: platform.processor.held() == len(gifts), otherwise="step (2) is not at the processor")
    platform["api"].kill()
    assert all(request.was_never_answered() for request in requests)
    platform.processor.release()
    until(
        lambda: len(platform.processor.intents(organization.account)) == before + len(gifts),
        otherwise="the processor did not make what it was asked for",
    )
    assert all(is_recorded(gift) for gift in gifts), "step (3) never happened"

    platform["api"].start()

    finish(platform, books, *gifts)


def test_killed_before_the_answer_was_read(
    platform: Platform, books: Books, gifts: tuple[Gift, Gift]
) -> None:
    requests = [gift.begin() for gift in gifts]
    until(
        lambda: all((gift.row() or {}).get("response_body") for gift in gifts),
        otherwise="step (3) is not committed",
    )
    platform["api"].kill()
    for request in requests:
        request.go_away()
    stored = [(gift.row() or {})["response_body"] for gift in gifts]
    platform["api"].start()

    for gift, answer in zip(gifts, stored, strict=True):
        gift.send_until_answered()
        assert gift.answers == [answer], "the answer that nobody read"
        gift.pay()

    books.come_to_rest()
