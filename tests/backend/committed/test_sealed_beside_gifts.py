"""What stands beside gifts and people: sealed, found, sealed anew when a key rotates, and never lost or changed on the way."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from amply.entrypoints.personal_data import sealed_rows
from amply.infra.database import Database
from amply.infra.vault import DONOR_INDEX, DONORS, PEOPLE, SealedBytesUnreadable, SealedRecord
from amply.infra.vault.keyring import COMING
from amply.infra.vault.reencryption import reencrypt, versions
from amply.infra.vault.resealing import not_newest
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import donations, members, onboarding, organizations, receipts
from amply.modules.donations import Dedication, DedicationKind, GiftOptions, OfflineGift, Recipient
from amply.modules.giving.letters import ask_for_link
from amply.modules.mail import Language
from amply.modules.receipts.digest import ReceiptWordsChanged, words_of
from amply.modules.receipts.models import IssuedReceiptRow, ReceiptFactsRow
from tests.backend.conftest import Databases
from tests.backend.key_service import keyring
from tests.backend.ledger_world import NOW, LedgerWorld
from tests.backend.people_world import KEY
from tests.backend.personal_data import found_in
from tests.backend.receipt_office import ReceiptOffice
from tests.backend.sealed_rows import SEALED

LATER: Final = {name: kind for name, kind in SEALED.items() if kind.fields.is_later}
SECRETS: Final = {
    "honouree": "Grace Hopper",
    "told": "ann@told.example",
    "street": "1 Lighthouse Road",
    "declared": "Lovelacedottir",
    "reference": "CHEQUE-4711",
    "asked": "who@asked.example",
    "invited": "joan@invited.example",
    "opens": "olga@opens.example",
    "contact": "carl@contact.example",
}
HOME: Final = receipts.PostalAddress(
    lines=(SECRETS["street"],), city="London", region="", postal_code="SW1A 1AA", country="GB"
)


class Archive(ReceiptOffice):
    """One of each kind of rows, and whoever keeps them."""

    def __init__(self, books: LedgerWorld, databases: Databases) -> None:
        super().__init__(books)
        self.databases = databases
        self.master = databases.as_role("master")
        self.restart()

    def restart(self) -> None:
        """Processes that begin now: with whatever keys there are."""
        for each in (self.database, self.master):
            each.keyring = keyring(each, bucket=self.databases.name)

    def fill(self) -> None:
        declared = receipts.declare(
            title="Ms", first_name="Ada", last_name=SECRETS["declared"], house="1", postcode="SW1A 1AA"
        )
        told = Recipient(name="Ann", email=SECRETS["told"])
        dedication = Dedication(kind=DedicationKind.IN_HONOUR_OF, honouree=SECRETS["honouree"], notify=told)
        self.gives(gift_aid=declared, address=HOME, options=GiftOptions(dedication=dedication))
        self.publish_and_send()
        self.record(SECRETS["reference"])
        with self.master.transaction() as session:
            of: dict[str, Any] = {"organization_id": self.organization_id, "now": NOW}
            en = Language.EN
            ask_for_link(session, email=SECRETS["asked"], language=None, now=NOW)
            members.invite_owner(session, email=SECRETS["invited"], language=en, **of)
            onboarding.invite(session, email=SECRETS["opens"], language=en, confirmed=None, **of)
            contact = organizations.Contact(email=SECRETS["contact"], language="en")
            organizations.keep_contact(session, contact=contact, **of)

    def record(self, reference: str) -> str:
        gift = OfflineGift(
            organization_id=self.organization_id,
            method=donations.OfflineMethod.CHEQUE,
            amount=Money(minor_units=5000, currency="EUR"),
            received_on=date(2026, 11, 20),
            reference=reference,
            donor_name="Ada",
        )
        return donations.record_offline(self.database, self.world.secrets, gift=gift, now=NOW)

    def said(self) -> dict[str, Any]:
        """Everything as whoever works with it reads it."""
        with self.master.transaction() as session:
            return {
                name: [row.opened() for row in session.scalars(select(kind))] for name, kind in LATER.items()
            }

    def at_rest(self) -> bytes:
        with self.master.transaction() as session:
            rows = [session.scalars(text(f"SELECT {each}::text FROM {each}")).all() for each in LATER]  # noqa: S608 -- this file's words
        return json.dumps(rows).encode()

    def reencrypt(self, *, later: timedelta = timedelta()) -> int:
        key = replace(KEY, keyring=self.database.keyring)
        return reencrypt(self.database, sealed_rows(key), now=system_clock() + later)

    def rotate(self, scope: str) -> None:
        assert self.database.keyring is not None
        self.database.keyring.rotate(scope, now=system_clock() - COMING)
        self.restart()

    def values_of(self, scope: str) -> list[tuple[str, int]]:
        with self.database.transaction() as session:
            found = versions(session, sealed_rows(KEY), now=system_clock())
        return [(each.state, each.values) for each in found if each.scope == scope]


@pytest.fixture
def archive(books: LedgerWorld, databases: Databases) -> Archive:
    return Archive(books, databases)


def test_each_kind_is_kept_read_and_stands_nowhere_in_the_clear(archive: Archive) -> None:
    archive.fill()
    said = archive.said()
    assert {name: len(rows) for name, rows in said.items()} == dict.fromkeys(LATER, 1)
    assert set(found_in(json.dumps(said).encode(), SECRETS)) == set(SECRETS), "it would be found"
    assert found_in(archive.at_rest(), SECRETS) == []


def test_before_sealing_begins_they_are_as_the_release_before_reads_them_and_are_sealed_later(
    archive: Archive,
) -> None:
    with archive.master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET later_begins_at = now() + interval '3 hours'"))
    archive.restart()
    archive.fill()
    said = archive.said()
    assert set(found_in(archive.at_rest(), SECRETS)) == set(SECRETS), (
        "what does not seal yet writes as before"
    )
    assert archive.reencrypt() == 0
    with archive.master.transaction() as session:
        assert session.scalar(text("SELECT count(sealed) FROM donation")) == 2, "the first tables go on"

    with archive.master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET later_begins_at = now()"))
    archive.restart()
    assert archive.said() == said, "both forms are read"
    assert archive.reencrypt() == len(LATER)
    assert found_in(archive.at_rest(), SECRETS) == []
    assert archive.said() == said
    assert archive.reencrypt() == 0


def test_what_somebody_without_keys_wrote_is_sealed_by_the_worker(archive: Archive) -> None:
    """As staff's commands do, which have no key of people's."""
    archive.master.keyring = None
    with archive.master.transaction() as session:
        contact = organizations.Contact(email=SECRETS["contact"], language="en")
        organizations.keep_contact(session, organization_id=archive.organization_id, contact=contact, now=NOW)
    assert found_in(archive.at_rest(), SECRETS) == ["contact"]
    assert archive.reencrypt() == 1
    assert found_in(archive.at_rest(), SECRETS) == []
    with archive.database.transaction() as session:
        assert organizations.contact_of(session, organization_id=archive.organization_id) == contact


@pytest.mark.parametrize("scope", [DONORS, DONOR_INDEX, PEOPLE])
def test_a_rotation_seals_them_anew_and_destroys_what_is_not_used(archive: Archive, scope: str) -> None:
    archive.fill()
    said = archive.said()
    archive.rotate(scope)
    assert archive.said() == said, "the old version is read while it is there"
    waiting = archive.values_of(scope)[0][1]
    assert archive.reencrypt(later=timedelta(hours=3)) > 0
    assert archive.reencrypt(later=timedelta(hours=3)) == 0
    assert archive.values_of(scope) == [("destroyed", 0), ("sealing", waiting)]
    archive.restart()
    assert archive.said() == said


def test_what_waits_to_be_sealed_is_found_by_indexes(archive: Archive) -> None:
    """One test, and the next one too: each kind needs no database of its own."""
    assert archive.database.keyring is not None
    for name, kind in LATER.items():
        found = []
        with archive.database.transaction() as session:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            for each in not_newest(archive.database.keyring, kind):
                asked = select(getattr(kind, kind.fields.key)).where(each).compile(archive.database.engine)
                plan = session.connection().exec_driver_sql(f"EXPLAIN {asked}", asked.params)
                found.append("\n".join(line for (line,) in plan))
        ends = (
            *("in_the_clear", "sealed_by"),
            *(["recipient_with_others"] if kind.fields.another_column else []),
            *([kind.fields.index_column] if kind.fields.indexed else []),
        )
        used = [f"ix_{name}_{end}" in plan for end, plan in zip(ends, found, strict=True)]
        assert used == [True] * len(ends), found


def test_what_is_copied_to_another_row_or_table_does_not_open(archive: Archive) -> None:
    for kind in LATER.values():
        with archive.database.transaction() as session:
            fields: dict[str, Any] = dict.fromkeys(kind.fields.names, "x")
            kept = kind.fields.at_rest(session, row_id="one", fields=fields)["sealed"]
            assert _opened(kind, archive.database, kept, row_id="one") == fields
            with pytest.raises(SealedBytesUnreadable):
                _opened(kind, archive.database, kept, row_id="other")
            for other in LATER.values():
                if other is not kind:
                    with pytest.raises(SealedBytesUnreadable):
                        _opened(other, archive.database, kept, row_id="one")


def _opened(kind: type[SealedRecord], database: Database, sealed: bytes, *, row_id: str) -> dict[str, Any]:
    return kind.fields.open(database.keyring, row_id=row_id, sealed=sealed, plain=None)


# ---- what a receipt says -----------------------------------------------------------------------------------------


def _changes(statement: str) -> Callable[[Archive], None]:
    def change(archive: Archive) -> None:
        with archive.master.transaction() as session:
            session.execute(text(f"SET ROLE amply_owner; {statement}"))

    return change


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE issued_receipt SET words = repeat('0', 64)",
        "UPDATE issued_receipt SET words = NULL",
        "UPDATE issued_receipt SET document = '{}', sealed = NULL",
        "UPDATE issued_receipt SET sealed = NULL; UPDATE issued_receipt SET sealed = 'x'",
        "UPDATE issued_receipt SET sealed = NULL; UPDATE issued_receipt SET document = '{}'",
    ],
)
def test_the_database_changes_no_digest_and_brings_no_forgotten_words_back(
    archive: Archive, statement: str
) -> None:
    archive.fill()
    with pytest.raises(IntegrityError, match="an issued receipt is not changed"):
        _changes(statement)(archive)


def test_words_in_the_clear_are_not_changed_and_their_digest_is_the_databases_own(archive: Archive) -> None:
    with archive.master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET later_begins_at = now() + interval '3 hours'"))
    archive.restart()
    archive.fill()
    for statement in (
        'UPDATE issued_receipt SET document = document || \'{"title": "another"}\'',
        "UPDATE issued_receipt SET salt = 'another'",
    ):
        with pytest.raises(IntegrityError, match="an issued receipt is not changed"):
            _changes(statement)(archive)
    with archive.master.transaction() as session:
        assert session.scalar(text("SELECT words = receipt_words(document, salt) FROM issued_receipt"))
    _changes("UPDATE issued_receipt SET document = NULL")(archive)
    with archive.master.transaction() as session:
        assert session.scalar(text("SELECT count(salt) FROM issued_receipt")) == 0, (
            "as the release before forgets"
        )


def test_other_words_sealed_by_the_right_key_are_noticed_by_whoever_opens_them(archive: Archive) -> None:
    archive.fill()
    with archive.database.transaction() as session:
        (row,) = session.scalars(select(IssuedReceiptRow))
        assert receipts.latest(session, donation_id=row.donation_id) is not None
        row.document = {**(row.document or {}), "title": "another"}
    with archive.database.transaction() as session, pytest.raises(ReceiptWordsChanged):
        receipts.latest(session, donation_id=row.donation_id)


_SAID: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def test_the_digest_of_words_is_the_same_here_and_in_the_database(database: Database) -> None:
    """One connection for all of them: each is a statement."""
    with database.engine.connect() as connection:

        @given(document=st.dictionaries(_SAID, st.lists(st.lists(_SAID, max_size=2), max_size=3) | _SAID))
        def alike(document: dict[str, Any]) -> None:
            made = connection.execute(
                text("SELECT receipt_words(CAST(:document AS jsonb), :salt)"),
                {"document": json.dumps(document), "salt": "salted"},
            )
            assert made.scalar_one() == words_of(document, salt="salted")

        alike()


# ---- what is found by an index -----------------------------------------------------------------------------------


def test_a_reference_is_refused_a_second_time_while_the_indexs_key_rotates(archive: Archive) -> None:
    first = archive.record("4711")
    archive.rotate(DONOR_INDEX)
    with pytest.raises(donations.OfflineGiftKnown, match=first):
        archive.record("47 11")
    assert archive.reencrypt() > 0
    with pytest.raises(donations.OfflineGiftKnown, match=first):
        archive.record("4711")
    assert archive.record("4712") != first


# ---- a declaration that is withdrawn -----------------------------------------------------------------------------


def test_a_declaration_that_the_api_withdraws_counts_no_more_and_is_taken_out(
    archive: Archive, databases: Databases
) -> None:
    archive.fill()
    (donation_id,) = [row.donation_id for row in archive.rows("receipt_facts")]
    api = databases.as_role("amply_api")
    with api.transaction() as session:
        assert session.scalar(text("SELECT hold_receipt(:id)"), {"id": donation_id})
        receipts.withdraw_declarations(session, donation_ids=[donation_id])
        assert not session.scalar(text("SELECT hold_receipt(:id)"), {"id": donation_id})
    with archive.database.transaction() as session:
        told, _ = receipts.told_of(session, donation_id=donation_id)
        assert (told.gift_aid, told.address) == (None, HOME)
        assert session.get_one(ReceiptFactsRow, donation_id).gift_aid is not None, "the API cannot open it"
    assert archive.reencrypt() == 1
    with archive.database.transaction() as session:
        row = session.get_one(ReceiptFactsRow, donation_id)
        assert (row.gift_aid, row.forgets_gift_aid, row.address is not None) == (None, False, True)
    assert archive.reencrypt() == 0
    api.close()


def test_what_the_release_before_writes_says_whether_it_declares(archive: Archive) -> None:
    archive.gives()
    (gift,) = archive.rows("donation")
    with archive.master.transaction() as session:
        session.execute(
            text("INSERT INTO receipt_facts (donation_id, gift_aid) VALUES (:id, '{}')"), {"id": gift.id}
        )
        assert session.scalar(text("SELECT declares_gift_aid FROM receipt_facts"))
        session.execute(text("UPDATE receipt_facts SET gift_aid = NULL"))
        assert not session.scalar(text("SELECT declares_gift_aid FROM receipt_facts"))


def test_nothing_is_sealed_without_the_digest_of_its_words(archive: Archive) -> None:
    archive.fill()
    with pytest.raises(DBAPIError, match="ck_issued_receipt_words"), archive.master.transaction() as session:
        session.execute(
            text("""
                INSERT INTO issued_receipt (id, organization_id, jurisdiction, donation_id, kind, reasons, minor_units,
                    eligible_minor_units, currency, language, issued_at, sealed)
                SELECT 'rct_x', organization_id, jurisdiction, donation_id, kind, reasons, minor_units,
                    eligible_minor_units, currency, language, issued_at, sealed
                FROM issued_receipt
            """)
        )
