"""A donor's gifts on their page: all of theirs, as they stand, and nothing of anybody else's."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from amply.infra.vault import indexes
from amply.kernel.money import Money
from amply.modules import donations, giving, receipts
from amply.modules.donations import Anonymity, void_receipt
from amply.modules.donations.options import GiftOptions
from amply.modules.mail import address_digest
from amply.modules.receipts import Jurisdiction
from tests.backend.api_world import assert_problem
from tests.backend.committed.test_donor_years import records_a_thing
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases
from tests.backend.giving_world import ADA, EVE, DonorsPage
from tests.backend.ledger_world import LedgerWorld
from tests.backend.plan_world import Plans
from tests.backend.unit.receipt_samples import DECLARED, HOME
from tests.backend.world import NOW, ready_organization


@pytest.fixture
def page(books: LedgerWorld, databases: Databases) -> Iterator[DonorsPage]:
    own = databases.as_role("amply_api")
    made = DonorsPage(books, own)
    with made.client:
        yield made
    own.close()


def told(page: DonorsPage, statement: str, **values: object) -> None:
    with page.database.transaction() as session:
        session.execute(text(statement), values)


# ---- whose gifts -------------------------------------------------------------------------------------------------


def test_a_donors_gifts_are_found_by_the_index(page: DonorsPage) -> None:
    page.gives()
    with page.database.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.scalars(
            text(
                "EXPLAIN SELECT id FROM donation WHERE donor_index = ANY (:indexes) ORDER BY id DESC LIMIT 20"
            ),
            {"indexes": indexes(session, ADA)},
        ).all()
    found = "\n".join(plan)
    assert "ix_donation_donor_index" in found, plan
    assert "Seq Scan" not in found, plan


def test_a_donor_sees_their_gifts_and_nobody_elses(page: DonorsPage) -> None:
    first = page.gives(2_500, at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    page.gives(9_900, donor=EVE)
    second = page.gives(700)
    found = page.gifts()

    assert [(gift["id"], gift["amount"]["minor_units"]) for gift in found] == [
        (second, "700"),
        (first, "2500"),
    ]
    assert (found[1]["standing"], found[1]["given_on"], found[1]["anonymity"]) == (
        "succeeded",
        "2026-03-01",
        "public",
    )
    assert not {"donor_name", "donor_email", "message"} & found[0].keys()


def test_each_gift_says_how_it_stands(page: DonorsPage) -> None:
    refunded, disputed, lost = (page.gives(amount) for amount in (1_000, 2_000, 3_000))
    records_a_thing(page)
    told(page, "UPDATE donation SET refunded_minor_units = 400 WHERE id = :id", id=refunded)
    told(page, "UPDATE donation SET dispute_state = 'open' WHERE id = :id", id=disputed)
    told(page, "UPDATE donation SET dispute_state = 'lost' WHERE id = :id", id=lost)

    assert [
        (gift["standing"], gift["refunded"]["minor_units"], gift["method"], gift["description"])
        for gift in page.gifts()
    ] == [
        ("succeeded", "0", "in_kind", "A piano, upright"),
        ("charged_back", "0", None, None),
        ("disputed", "0", None, None),
        ("partially_refunded", "400", None, None),
    ]


def test_what_was_never_paid_is_no_gift_and_a_debit_that_was_sent_back_is_shown(page: DonorsPage) -> None:
    arrived = page.gives()
    page.give(key="never paid")
    failed = page.give(key="failed").body["id"]
    returned = page.give(key="returned").body["id"]
    told(page, "UPDATE donation SET status = 'failed' WHERE id IN (:a, :b)", a=failed, b=returned)
    told(
        page,
        "INSERT INTO payment_notice (donation_id, attempts, next_attempt_at) VALUES (:id, 0, now())",
        id=returned,
    )

    assert [gift["id"] for gift in page.gifts()] == [returned, arrived]


def test_a_gift_says_to_which_plan_or_greater_gift_it_belongs(page: DonorsPage) -> None:
    plans = Plans(page.database, now=NOW)
    plan_id = plans.begin()
    page.processor = plans.processor
    part, alone = page.gives(at=NOW), page.gives(at=NOW)
    told(
        page,
        "INSERT INTO split_gift (id, created_at, updated_at) VALUES ('spl_1', now(), now())",
    )
    told(
        page,
        "INSERT INTO split_part (split_id, position, donation_id) VALUES ('spl_1', 0, :id)",
        id=part,
    )
    assert [(gift["plan_id"], gift["split_id"]) for gift in page.gifts()] == [
        (None, None),
        (None, "spl_1"),
        (plan_id, None),
    ]
    assert page.see(f"gifts/{alone}").json()["plan_id"] is None


def test_gifts_come_in_pages_for_each_organisation(page: DonorsPage) -> None:
    other = ready_organization(page.database, page.processor, slug="meadow-trust")
    given = [page.gives(100 * number) for number in range(1, 6)]
    told(page, "UPDATE donation SET organization_id = :other WHERE id = :id", other=other, id=given[2])

    first = page.see("gifts", organization_id=page.organization_id, limit=3).json()
    rest = page.see(
        "gifts", organization_id=page.organization_id, limit=3, cursor=first["next_cursor"]
    ).json()
    assert [gift["id"] for gift in first["data"] + rest["data"]] == [
        given[4],
        given[3],
        given[1],
        given[0],
    ]
    assert (first["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)
    recipients = page.see("organisations").json()["data"]
    assert [(each["id"], each["gifts"]) for each in recipients] == [(page.organization_id, 4), (other, 1)]
    assert page.see("gifts", limit=101).status_code == 422


def test_years_are_the_organisations_own(page: DonorsPage) -> None:
    page.issues_in(Jurisdiction.CA, fiscal_year_starts=7)
    for moment in ((2026, 7, 1, 3), (2026, 7, 1, 5), (2027, 6, 30, 12), (2024, 2, 29, 12)):
        page.gives(1_000, "CAD", at=datetime(*moment, tzinfo=UTC))
    page.give(key="never paid")

    (recipient,) = page.see("organisations").json()["data"]
    assert [year["year"] for year in recipient["years"]] == [2026, 2025, 2023], "midnight is Toronto's"
    assert recipient["years"][0] == {"year": 2026, "first": "2026-07-01", "last": "2027-06-30"}


# ---- who may see them --------------------------------------------------------------------------------------------


def _reads(page: DonorsPage, donation_id: str, token: str) -> list[Any]:
    tag = page.see(f"gifts/{donation_id}").headers.get("ETag", '"x"')
    return [
        page.see(f"gifts/{donation_id}", token=token),
        page.ask(f"gifts/{donation_id}/anonymity", {"anonymity": "none"}, token=token, If_Match=tag),
        page.ask(f"gifts/{donation_id}/receipt-letter", token=token),
        page.ask("documents", {"kind": "proof", "donation_id": donation_id}, token=token),
        page.ask(
            "documents",
            {"kind": "statement", "organization_id": page.organization_id, "year": 2026},
            token=token,
        ),
    ]


def test_a_gift_of_somebody_else_is_none(page: DonorsPage) -> None:
    theirs = page.gives()
    page.publish_and_send()
    before = (page.rows("donation"), page.rows("receipt"))
    eve = page.link(address_digest(EVE.email))

    for real, invented in zip(_reads(page, theirs, eve), _reads(page, "don_0", eve), strict=True):
        assert real.status_code == invented.status_code == 404
        assert real.json()["detail"] == invented.json()["detail"]
    assert (page.rows("donation"), page.rows("receipt")) == before
    assert page.rows("donor_document") == []
    assert page.see("gifts", token=eve).json()["data"] == []
    assert page.see("organisations", token=eve).json()["data"] == []


@pytest.mark.parametrize(
    "forged",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace(ADA, address_digest(EVE.email)),
        lambda token: "v1." + token.removeprefix("v2."),
        lambda _: "nonsense",
    ],
)
def test_a_forged_link_opens_nothing(page: DonorsPage, forged: Callable[[str], str]) -> None:
    theirs = page.gives()
    for answer in _reads(page, theirs, forged(page.link())):
        assert_problem(answer, status=401, code="link_not_valid")
    assert page.see("gifts", token=forged(page.link())).status_code == 401


def test_an_expired_link_opens_nothing(page: DonorsPage) -> None:
    theirs, token = page.gives(), page.link()
    page.clock.advance(days=7)
    for answer in _reads(page, theirs, token):
        assert_problem(answer, status=401, code="link_not_valid")


def test_a_link_that_is_used_again_after_an_erasure_shows_nothing(page: DonorsPage) -> None:
    theirs, token = page.gives(), page.link()
    page.publish_and_send()
    page.ask("documents", {"kind": "proof", "donation_id": theirs})
    with page.database.transaction() as session:
        giving.forget(session, email_sha256=ADA, donation_id=None)
    donations.erase_donor(page.database, SECRETS, email_sha256=ADA, donation_id=None, now=NOW)

    assert page.see("gifts", token=token).json()["data"] == []
    assert page.see(f"gifts/{theirs}", token=token).status_code == 404
    assert page.rows("donor_document") == []


# ---- receipts ----------------------------------------------------------------------------------------------------


def test_receipts_are_listed_with_what_became_of_them(page: DonorsPage) -> None:
    page.issues_in(Jurisdiction.CA)
    partly, wholly = (page.gives(10_000, "CAD", address=HOME) for _ in range(2))
    page.publish_and_send()
    for donation_id, left in ((partly, 4_000), (wholly, 0)):
        with page.database.transaction() as session:
            remaining = Money(minor_units=left, currency="CAD")
            void_receipt(session, donation_id=donation_id, remaining=remaining, now=NOW)

    listed = {
        gift["id"]: [
            (receipt["number"], receipt["state"], receipt["amount"]["minor_units"])
            for receipt in gift["receipts"]
        ]
        for gift in page.gifts()
    }
    assert listed == {
        partly: [("CA-000003", "valid", "4000"), ("CA-000001", "replaced", "10000")],
        wholly: [("CA-000002", "cancelled", "10000")],
    }


def test_a_receipt_is_sent_again_when_its_donor_asks(page: DonorsPage) -> None:
    given = page.gives()
    assert_problem(
        page.ask("gifts/don_0/receipt-letter"), status=404, code="receipt_not_found", param="donation_id"
    )
    page.publish_and_send()
    assert page.ask(f"gifts/{given}/receipt-letter").status_code == 202
    page.send()

    first, again = page.mailer.sent
    assert (again.to, again.subject, again.attachments) == (first.to, first.subject, first.attachments)
    assert ("receipt_letters", ADA) in page.limiter.counted


# ---- who is told -------------------------------------------------------------------------------------------------


def listed_for_the_organisation(page: DonorsPage) -> tuple[str, str]:
    (gift,) = donations.gifts_of(
        page.database,
        organization_id=page.organization_id,
        first=datetime(2026, 1, 1, tzinfo=UTC).date(),
        last=datetime(2026, 12, 31, tzinfo=UTC).date(),
    )
    return gift.donor_name, gift.may_be_named


def test_a_donor_says_who_is_told_and_what_is_made_afterwards_follows(page: DonorsPage) -> None:
    page.may_be_kept_from_its_organization()
    given = page.gives()
    assert listed_for_the_organisation(page) == ("Ada", "no")
    assert page.hides(given, "none").json()["anonymity"] == "none"
    assert listed_for_the_organisation(page) == ("Ada", "yes")
    assert page.hides(given, "organization").status_code == 200
    assert listed_for_the_organisation(page) == ("", "no")
    assert page.hides(given, "public").status_code == 200
    assert listed_for_the_organisation(page) == ("Ada", "no")


def test_a_change_is_made_to_what_was_seen_and_to_nothing_else(page: DonorsPage) -> None:
    given = page.gives()
    seen = page.see(f"gifts/{given}").headers["ETag"]
    assert [gift["version"] for gift in page.gifts()] == [seen]
    wants = {"anonymity": "none"}
    assert_problem(page.ask(f"gifts/{given}/anonymity", wants), status=428, code="if_match_missing")
    told(page, "UPDATE donation SET refunded_minor_units = 100 WHERE id = :id", id=given)
    assert_problem(
        page.ask(f"gifts/{given}/anonymity", wants, If_Match=seen), status=412, code="changed_meanwhile"
    )
    done = page.hides(given, "none")
    assert done.headers["ETag"] == page.see(f"gifts/{given}").headers["ETag"] != seen


@pytest.mark.parametrize(
    ("known_by", "sentence"),
    [
        ("rules", "has to know its donors"),
        ("gift aid", "Gift Aid declaration"),
        ("receipt", "official receipt names you"),
        ("hand", "received this gift from you itself"),
    ],
)
def test_an_organisation_that_knows_who_gave_goes_on_knowing(
    page: DonorsPage, known_by: str, sentence: str
) -> None:
    if known_by != "rules":
        page.may_be_kept_from_its_organization()
    if known_by == "receipt":
        page.issues_in(Jurisdiction.US)
        page.gives(10_000, "USD")
        page.publish_and_send()
    elif known_by == "hand":
        records_a_thing(page)
    else:
        page.gives(1_000, "GBP", gift_aid=DECLARED if known_by == "gift aid" else None)
    (gift,) = page.gifts()
    answer = page.hides(gift["id"], "organization")

    assert_problem(answer, status=409, code="anonymity_not_changeable", param="anonymity")
    assert sentence in answer.json()["detail"]
    assert page.gifts() == [gift]
    assert page.hides(gift["id"], "none").status_code == 200, "to be named in public is for everybody to say"


def test_no_official_receipt_is_issued_while_a_gift_is_being_kept_from_its_organisation(
    page: DonorsPage, databases: Databases
) -> None:
    """Both decide upon the other: one of them has to wait."""
    page.may_be_kept_from_its_organization()
    page.issues_in(Jurisdiction.US)
    given = page.gives(10_000, "USD")
    api = databases.as_role("amply_api")
    with api.transaction() as session:
        donations.change_anonymity(
            session, donation_id=given, email_sha256=ADA, anonymity=Anonymity.ORGANIZATION, now=NOW
        )
        with pytest.raises(OperationalError) as caught, page.database.engine.begin() as other:
            other.execute(
                text("SELECT FROM receipt WHERE donation_id = :id FOR UPDATE NOWAIT"), {"id": given}
            )
        assert isinstance(caught.value.orig, psycopg.errors.LockNotAvailable)
    api.close()
    page.publish_and_send()
    (receipt,) = page.gifts()[0]["receipts"]
    assert receipt["kind"] == receipts.ReceiptKind.ACKNOWLEDGEMENT


def test_a_gift_that_was_kept_from_its_organisation_can_be_told(page: DonorsPage) -> None:
    page.may_be_kept_from_its_organization()
    given = page.gives(options=GiftOptions(anonymity=Anonymity.ORGANIZATION))
    assert page.hides(given, "public").json()["anonymity"] == "public"
