"""An erasure finds what is about a person in everybody's books, under the role that runs it."""

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import ProgrammingError

from amply.infra.database import Database
from amply.modules import ledger
from amply.modules.ledger import postings
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORG, OTHER_ORG, LedgerWorld
from tests.backend.unit.test_postings import euros

SOUGHT = "zoe@example.org"
HERS = {"donor_email": "Zoe@Example.org", "donor_name": "Zoë"}
HIS = {"donor_email": "ada@example.org"}


def searched(books: LedgerWorld, database: Database | None = None) -> ledger.UnassignedOpenings:
    return ledger.search(database or books.app, secrets=books.secrets, traces={SOUGHT})


def about(books: LedgerWorld, found: ledger.UnassignedOpenings | None = None, *gifts: str) -> set[str]:
    found = found or searched(books)
    with books.app.transaction() as session:
        return ledger.entries_about(
            session, secrets=books.secrets, donation_ids=gifts, traces={SOUGHT}, searched=found
        )


@pytest.fixture
def api(databases: Databases) -> Iterator[Database]:
    opened = databases.as_role("amply_api", pool_size=1)
    yield opened
    opened.close()


def test_row_level_security_hides_no_organisations_entries_from_the_worker(books: LedgerWorld) -> None:
    hers = {books.post(organization_id=owner, personal=HERS).id for owner in (ORG, OTHER_ORG)}
    books.post(personal=HIS)
    found = searched(books)
    assert found.about({SOUGHT.upper()}) == hers
    assert found.about({"ada@example.org"}) == set(), "it was not looked for"
    later = {books.post(organization_id=owner, personal=HERS).id for owner in (ORG, OTHER_ORG)}
    assert about(books, found) == hers | later
    with books.app.transaction() as session:
        assert ledger.erase_openings(session, entry_ids=sorted(hers | later)) == 4
    assert about(books) == set()


def test_who_answers_requests_can_read_no_opening_at_all(books: LedgerWorld, api: Database) -> None:
    books.post(personal=HERS)
    with pytest.raises(ProgrammingError, match="permission denied"):
        searched(books, api)


def test_what_takes_an_entry_back_or_corrects_it_is_about_the_same_person(books: LedgerWorld) -> None:
    """Its own openings may say less: a refund's name the refund."""
    gift = books.post(personal=HERS)
    lines = postings.donation_succeeded(organization_id=ORG, amount=euros(2_500))
    refund = books.book(
        postings.refund(organization_id=ORG, amount=euros(500)),
        reverses=gift.id,
        personal={"reference": "stripe:refund:re_1"},
    )
    corrected = books.book(
        postings.correction(
            wrong=lines, right=postings.donation_succeeded(organization_id=ORG, amount=euros(900))
        ),
        supersedes=gift.id,
        reason="wrong_amount",
        personal={"reference": "stripe:charge:ch_1"},
    )
    books.post(personal=HIS)
    assert about(books) == {gift.id, refund.id, corrected.id}


def test_what_says_whose_gift_it_is_of_is_found_by_that_and_not_by_what_a_donor_wrote(
    books: LedgerWorld,
) -> None:
    """Whoever gives somebody else's address for a name loses nothing when that one is erased."""
    gift = ledger.OfGift(id="don_hers", whose="donation:don_hers", sealed=None)
    other = ledger.OfGift(id="don_his", whose="donation:don_his", sealed=None)
    with books.app.transaction() as session:
        hers, his = (
            ledger.post(
                session, entry=books.entry(personal=personal), now=NOW, secrets=books.secrets, gift=of
            ).id
            for personal, of in ((HIS, gift), ({"donor_name": SOUGHT}, other))
        )
    refund = books.book(
        postings.refund(organization_id=ORG, amount=euros(500)),
        reverses=hers,
        personal={"reference": "stripe:refund:re_1"},
    )
    assert about(books, None, "don_hers") == {hers, refund.id}
    assert about(books) == set()
    assert his not in about(books, None, "don_hers")


def test_entries_keys_are_kept_as_digests_and_nothing_else_of_them(books: LedgerWorld) -> None:
    given = "stripe:pi_1:donation.succeeded"
    first = books.post(key=given)
    assert books.post(key=given) == ledger.PostedEntry(id=first.id, created=False)
    with books.app.transaction() as session:
        kept = session.connection().exec_driver_sql("SELECT idempotency_key FROM entry").scalars().all()
    assert kept == [ledger.stored_key(given)]
