"""Refunds that are heard of under an id of ours: of a request that was refused since, or of another gift's."""

from tests.backend.committed.money_back import INTENT
from tests.backend.committed.test_refund_requests import (  # noqa: F401 -- fixtures
    Finance,
    another_waits,
    eur,
    finance,
)


def test_a_refund_whose_request_was_refused_in_a_restored_database_is_shown_once_and_as_it_was_made(
    finance: Finance,  # noqa: F811 -- the fixture
) -> None:
    asked = finance.ask(eur(1000)).json()
    finance.house.run("UPDATE refund_request SET state = 'refused', refusal = 'refund_refused'")
    finance.house.processor.tell_refund(INTENT, "re_before", minor_units=1000, refund_id=asked["id"])
    finance.news("refund.created")

    path = f"/gifts/{finance.donation_id}/refunds/{asked['id']}"
    assert finance.house.ask("GET", path, by="usr_viewer").json()["status"] == "succeeded"
    assert finance.house.rows("SELECT state, refusal FROM refund_request") == [("recorded", None)]


def test_a_refund_that_names_the_request_of_another_gift_leaves_that_waiting(
    finance: Finance,  # noqa: F811 -- the fixture
) -> None:
    finance.ask(eur(100))
    another_waits(finance)
    finance.house.processor.tell_refund(INTENT, "re_edited", minor_units=500, refund_id="rfd_" + "z" * 26)
    finance.news("refund.created")

    assert finance.house.rows("SELECT state FROM refund_request") == [("waiting",)] * 2
    assert finance.house.rows("SELECT minor_units FROM refund WHERE remote_id = 're_edited'") == [(500,)]
