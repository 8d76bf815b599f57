"""Donors decide what is shared of their gifts: nothing unless they say so, and no more than they said."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from amply.modules.mail import address_digest
from amply.modules.sharing import Decision, PublishedConsent, Purpose, service, wording
from amply.modules.sharing.names import LakeNames
from tests.backend.api_world import assert_problem
from tests.backend.conftest import Databases
from tests.backend.consent_world import TICK, SharingPage
from tests.backend.giving_world import ADA, EVE, DonorsPage
from tests.backend.ledger_world import LedgerWorld

EVES = address_digest(EVE.email)


@pytest.fixture
def page(books: LedgerWorld, databases: Databases) -> Iterator[SharingPage]:
    own = databases.as_role("amply_api")
    made = SharingPage(books, own)
    with made.client:
        yield made
    own.close()


def history(page: SharingPage) -> list[tuple[str, str, str | None]]:
    rows = sorted(page.rows("sharing_consent"), key=lambda row: (row.decided_at, row.span_id, row.version))
    return [(row.decision, row.way, row.wording) for row in rows]


def asked_for(page: DonorsPage, **more: Any) -> Any:
    gift = {
        "organization_id": page.organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": "ada@example.org"},
        **more,
    }
    return page.client.post("/v1/donations", json=gift, headers={"Idempotency-Key": "k"})


# ---- where no data is shared -------------------------------------------------------------------------------------


def test_where_no_data_is_shared_reading_is_empty_and_changing_is_refused(
    books: LedgerWorld, databases: Databases
) -> None:
    own = databases.as_role("amply_api")
    page = DonorsPage(books, own)
    with page.client:
        offer = page.client.get("/v1/public/data-sharing")
        assert (offer.status_code, offer.json()) == (200, {"degraded": True, "data": []})
        assert page.see("data-sharing").json() == {"degraded": True, "data": []}
        said = {"purpose": "analytics", "wording": "1", "shares": True}
        assert_problem(page.ask("data-sharing", said), status=503, code="data_sharing_not_offered")
        # A gift is worth more than a tick that nobody keeps.
        assert asked_for(page, data_sharing={"purpose": "analytics", "wording": "1"}).status_code == 201
    assert page.rows("sharing_span") == []
    own.close()


def test_who_consented_takes_it_back_where_no_data_is_shared_any_more(page: SharingPage) -> None:
    page.decides(shares=True)
    app: Any = page.client.app
    app.state.consents = None
    shown = page.see("data-sharing").json()
    assert (shown["degraded"], [each["extent"] for each in shown["data"]]) == (True, ["all"])
    assert_problem(page.decides(shares=True), status=503, code="data_sharing_not_offered")
    for _ in range(2):
        answer = page.decides(shares=False)
        assert (answer.status_code, answer.json()) == (200, {"degraded": True, "data": []})
    assert history(page)[-1] == ("withdrawn", "own_page", None)
    page.tells()
    assert page.states() == ["withdrawn"]


# ---- beside a gift -----------------------------------------------------------------------------------------------


def test_a_gift_without_a_tick_consents_to_nothing(page: SharingPage) -> None:
    assert asked_for(page).status_code == 201
    assert page.rows("sharing_span") == []
    assert page.extent() == "none"


def test_a_tick_is_kept_with_the_words_that_stood_beside_it_and_counts_for_its_gift_alone(
    page: SharingPage,
) -> None:
    (offered,) = page.client.get("/v1/public/data-sharing").json()["data"]
    assert offered["texts"].keys() == {"en", "de", "fr"}
    ticked = {"purpose": offered["purpose"], "wording": offered["wording"]}
    answer = asked_for(page, data_sharing=ticked)
    assert answer.status_code == 201
    assert history(page) == [("given", "donation_page", "1")]
    assert [row.donation_id for row in page.rows("sharing_tick")] == [answer.json()["id"]]
    assert page.extent() == "ticked"
    assert page.extent(page.link(EVES)) == "none"
    # Repeated, it is the same gift and the same tick.
    assert asked_for(page, data_sharing=ticked).headers["Idempotent-Replayed"] == "true"
    assert len(history(page)) == 1


@pytest.mark.parametrize(
    "said", [{"purpose": "analytics", "wording": "0"}, {"purpose": "ads", "wording": "1"}]
)
def test_what_nobody_asked_is_not_noted_beside_a_gift_and_refused_on_the_donors_page(
    page: SharingPage, said: dict[str, str]
) -> None:
    """A newer release may have asked; a gift is worth more than its tick."""
    assert asked_for(page, data_sharing=said).status_code == 201
    assert page.rows("sharing_span") == []
    assert_problem(
        page.ask("data-sharing", {**said, "shares": True}),
        status=422,
        code="data_sharing_not_acceptable",
        param="data_sharing",
    )


def test_no_row_says_whose_consent_it_is(page: SharingPage) -> None:
    page.gives(data_sharing=TICK)
    (span,) = page.rows("sharing_span")
    assert span.donor_sha256 is None
    assert None not in (span.sealed, span.donor_index)
    held = [str(row) for table in ("sharing_span", "sharing_consent") for row in page.rows(table)]
    assert not any("ada" in each or address_digest("ada@example.org") in each for each in held)


# ---- on the donor's own page ---------------------------------------------------------------------------------------


def test_the_switch_sets_what_it_says_however_often(page: SharingPage) -> None:
    for shares, extent in ((True, "all"), (True, "all"), (False, "none"), (False, "none"), (True, "all")):
        assert page.decides(shares=shares).status_code == 200
        assert page.extent() == extent
        page.clock.advance(seconds=1)
    assert history(page) == [
        ("given", "own_page", "1"),
        ("withdrawn", "own_page", None),
        ("given", "own_page", "1"),
    ]
    assert len(page.rows("sharing_span")) == 2, "whoever consents again begins anew, under another name"


def test_somebody_elses_link_decides_nothing_for_a_donor(page: SharingPage) -> None:
    page.decides(shares=True)
    page.decides(shares=False, token=page.link(EVES))
    assert page.extent() == "all"
    said = {"purpose": "analytics", "wording": "1", "shares": False}
    assert page.client.post("/v1/donor/data-sharing", json=said).status_code == 401


def test_a_box_that_anybody_can_tick_opens_nothing_that_its_owner_took_back(page: SharingPage) -> None:
    """Whoever gives in somebody's name shares that gift, and nothing of theirs."""
    page.gives()
    page.decides(shares=True)
    page.tells()
    assert page.writes() == 1
    page.decides(shares=False)
    theirs = page.gives(data_sharing=TICK)
    page.tells()
    page.writes()
    taken_back, anew = page.raw.rows()
    assert taken_back["donor_id"] != anew["donor_id"]
    assert page.consents.items[taken_back["donor_id"], "analytics"].state == "withdrawn"
    assert [row.donation_id for row in page.rows("sharing_tick")] == [theirs]


def test_clicks_at_once_end_in_one_state_and_in_one_order(page: SharingPage) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda shares: page.decides(shares=shares), [True, False] * 3 + [True] * 2))
    assert {answer.status_code for answer in answers} == {200}
    spans = page.rows("sharing_span")
    given = [span for span in spans if span.is_given]
    assert len(given) == (page.extent() == "all")
    for span in spans:
        of_it = sorted(row.version for row in page.rows("sharing_consent") if row.span_id == span.id)
        assert of_it == list(range(1, span.version + 1))


def test_who_decides_waits_for_whoever_decides_for_the_same_donor(page: SharingPage) -> None:
    """Of two that begin a consent at once, the second finds the first one's."""

    def impatient(digest: str) -> None:
        with page.database.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '20ms'"))
            service.decide(session, email_sha256=digest, said=TICK, shares=True, now=page.clock())

    with page.database.transaction() as session, ThreadPoolExecutor(1) as pool:
        service.decide(session, email_sha256=ADA, said=TICK, shares=True, now=page.clock())
        with pytest.raises(OperationalError, match="lock timeout"):
            pool.submit(impatient, ADA).result()
        pool.submit(impatient, EVES).result()
    assert len(page.rows("sharing_span")) == 2


# ---- being forgotten -----------------------------------------------------------------------------------------------


def test_who_is_forgotten_has_withdrawn_and_nothing_leads_back_to_them(page: SharingPage) -> None:
    page.gives(data_sharing=TICK)
    page.decides(shares=True)
    page.tells()
    assert page.states() == ["given"]
    page.erases(address_digest("ada@example.org"))
    (span,) = page.rows("sharing_span")
    assert (span.is_given, span.donor_sha256, span.sealed, span.donor_index) == (False, None, None, None)
    assert history(page)[-1] == ("withdrawn", "erasure", None)
    assert page.rows("sharing_tick") == [] == page.rows("sharing_fact")
    page.tells()
    assert page.states() == ["withdrawn"]
    assert page.extent() == "none"
    page.erases(address_digest("ada@example.org"))
    assert len(history(page)) == 3


# ---- telling -------------------------------------------------------------------------------------------------------


def test_a_withdrawal_is_told_again_within_minutes_until_the_table_has_it(page: SharingPage) -> None:
    page.decides(shares=True)
    assert page.tells() == 1
    page.decides(shares=False)
    page.consents.is_away = True
    for _ in range(12):
        assert page.tells() == 0
        page.clock.advance(minutes=10)
    page.consents.is_away = False
    assert page.tells() == 1
    assert page.states() == ["withdrawn"]
    (told,) = page.consents.items.values()
    assert told.told_at == page.clock() == told.changed_at + timedelta(hours=2), "both are known of it"
    assert page.tells() == 0


def test_late_and_repeated_messages_change_nothing_in_the_table(page: SharingPage) -> None:
    page.decides(shares=True)
    page.tells()
    (given,) = page.consents.items.values()
    page.decides(shares=False)
    page.tells()
    assert page.consents.put(given) is Decision.WITHDRAWN
    with page.database.transaction() as session:
        session.execute(text("UPDATE sharing_span SET version = version + 1"))
    page.tells()
    assert page.states() == ["withdrawn"]


def test_a_withdrawal_that_a_restored_database_lost_is_not_undone_by_anybody(page: SharingPage) -> None:
    page.gives(data_sharing=TICK)
    (span,) = page.rows("sharing_span")
    person = LakeNames.at_hand(page.database).person(span.id)
    withdrawn = PublishedConsent(
        subject=person,
        purpose=Purpose.ANALYTICS,
        state=Decision.WITHDRAWN,
        version=2,
        changed_at=page.clock(),
        told_at=page.clock(),
    )
    page.consents.put(withdrawn)
    for _ in range(2):
        page.gives(data_sharing=TICK)
    page.tells()
    assert page.consents.items[person, "analytics"] == withdrawn
    assert history(page)[-1] == ("withdrawn", "consent_table", None)
    assert page.writes() == 0
    assert page.tells() == 0
    assert page.extent() == "none"
    page.gives(data_sharing=TICK)
    page.tells()
    assert page.writes() == 1
    assert person not in {row["donor_id"] for row in page.raw.rows()}


def test_a_restored_database_withdraws_what_the_table_has_given_by_a_later_version(page: SharingPage) -> None:
    page.decides(shares=True)
    page.tells()
    ((place, given),) = page.consents.items.items()
    page.consents.items[place] = replace(given, version=given.version + 2)
    page.decides(shares=False)
    assert page.tells() == 1
    assert page.states() == ["withdrawn"]


def test_every_wording_says_the_same_things_in_three_languages() -> None:
    for words in (*wording.DONATION_PAGE.values(), *wording.OWN_PAGE.values()):
        for texts in words.values():
            assert texts.keys() == {"en", "de", "fr"}
            assert all("20" in each for each in texts.values())
