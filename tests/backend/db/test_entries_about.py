"""An erasure finds what is about a person in everybody's books, under the role that runs it."""

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import ProgrammingError

from amply.infra.database import Database
from amply.modules import ledger
from amply.modules.ledger import postings
from tests.backend.conftest import Databases
from tests.backend.ledger_world import ORG, OTHER_ORG, LedgerWorld
from tests.backend.unit.test_postings import euros

SOUGHT = "zoe@example.org"
HERS = {"donor_email": "Zoe@Example.org", "donor_name": "Zoë"}
HIS = {"donor_email": "ada@example.org"}


def about(books: LedgerWorld, database: Database | None = None) -> ledger.EntriesAbout:
    return ledger.entries_about(database or books.app, secrets=books.secrets, traces={SOUGHT})


def since(books: LedgerWorld, horizon: int) -> set[str]:
    with books.app.transaction() as session:
        return ledger.entries_about_since(session, secrets=books.secrets, traces={SOUGHT}, horizon=horizon)


@pytest.fixture
def api(databases: Databases) -> Iterator[Database]:
    opened = databases.as_role("amply_api", pool_size=1)
    yield opened
    opened.close()


def test_row_level_security_hides_no_organisations_entries_from_the_worker(books: LedgerWorld) -> None:
    hers = {books.post(organization_id=owner, personal=HERS).id for owner in (ORG, OTHER_ORG)}
    books.post(personal=HIS)
    found = about(books)
    assert found.entry_ids == hers
    later = {books.post(organization_id=owner, personal=HERS).id for owner in (ORG, OTHER_ORG)}
    assert since(books, found.horizon) >= later
    with books.app.transaction() as session:
        assert ledger.erase_openings(session, entry_ids=sorted(hers | later)) == 4
    assert about(books).entry_ids == set()


def test_who_answers_requests_can_read_no_opening_at_all(books: LedgerWorld, api: Database) -> None:
    books.post(personal=HERS)
    with pytest.raises(ProgrammingError, match="permission denied"):
        about(books, api)


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
    assert about(books).entry_ids == {gift.id, refund.id, corrected.id}


def test_entries_keys_are_kept_as_digests_and_nothing_else_of_them(books: LedgerWorld) -> None:
    given = "stripe:pi_1:donation.succeeded"
    first = books.post(key=given)
    assert books.post(key=given) == ledger.PostedEntry(id=first.id, created=False)
    with books.app.transaction() as session:
        kept = session.connection().exec_driver_sql("SELECT idempotency_key FROM entry").scalars().all()
    assert kept == [ledger.stored_key(given)]
