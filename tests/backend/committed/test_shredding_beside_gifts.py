"""What stands beside a gift goes with its donor's key: copies open for nobody, and nothing is lost that was not to go."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from amply.entrypoints.admin_erase import _erase, _forget_told
from amply.entrypoints.personal_data import of_donors
from amply.infra.vault import DONORS, LeafCut, SealedRecord, head_of
from amply.infra.vault.keyring import COMING
from amply.infra.vault.reencryption import reencrypt
from amply.infra.vault.resealing import under_leaf
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import donations, ledger, mail
from amply.modules.donations import (
    Dedication,
    DedicationKind,
    GiftOptions,
    OfflineGift,
    OfflineMethod,
    Recipient,
)
from amply.modules.donations.dedications import DedicationDependencies
from amply.modules.donations.domain import Donor
from amply.modules.donations.models import DedicationRow, DonationRow, OfflineGiftRow
from amply.modules.giving.letters import ask_for_link
from amply.modules.giving.models import LinkRequestRow
from amply.modules.receipts.models import IssuedReceiptRow, ReceiptFactsRow
from tests.backend.committed.test_provider_events import SECRETS as SECRETS_OF_ENTRIES
from tests.backend.committed.test_sealed_beside_gifts import HOME, SECRETS, Archive
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, LedgerWorld
from tests.backend.receipt_office import ADA

BOB: Final = Donor(name="Bob", email="bob@example.org")
BESIDE: Final[tuple[type[SealedRecord], ...]] = (
    *(DedicationRow, ReceiptFactsRow, IssuedReceiptRow, OfflineGiftRow),
    LinkRequestRow,
)
Copies = dict[tuple[type[SealedRecord], str], bytes]


@pytest.fixture
def archive(books: LedgerWorld, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", "k" * 43)
    # The office's own: no setting leads to it.
    monkeypatch.setattr(ledger.CommitmentSecrets, "from_settings", lambda _settings: SECRETS_OF_ENTRIES)
    return Archive(books, databases)


def gives(archive: Archive, donor: Donor) -> str:
    """A gift that arrived, with all that may stand beside it; its id."""
    told = Recipient(name="Ann", email=SECRETS["told"])
    dedication = Dedication(kind=DedicationKind.IN_HONOUR_OF, honouree=SECRETS["honouree"], notify=told)
    gift = archive.gives(donor=donor, address=HOME, options=GiftOptions(dedication=dedication))
    archive.publish_and_send()
    return gift


def copies(archive: Archive) -> Copies:
    """Every sealed value beside gifts, as a backup has it."""
    with archive.database.transaction() as session:
        return {
            (kind, getattr(row, kind.fields.key)): bytes(row.sealed)
            for kind in BESIDE
            for row in session.scalars(select(kind))
            if row.sealed is not None
        }


def opened(archive: Archive, of: tuple[type[SealedRecord], str], sealed: bytes) -> bytes:
    kind, row = of
    archive.restart()
    assert archive.database.keyring is not None
    archive.database.keyring.freshen()
    return archive.database.keyring.open(sealed, scope=DONORS, at=kind.fields.place(row))


def erase(archive: Archive, **who: Any) -> None:
    _erase(archive.database, **{"email_sha256": None, "donation_id": None, "listed": None, **who})


def test_all_that_stands_beside_a_gift_is_under_its_donors_leaf(archive: Archive) -> None:
    gives(archive, ADA)
    archive.record(SECRETS["reference"])
    with archive.master.transaction() as session:
        ask_for_link(session, email=ADA.email or "", language=None, now=NOW)
        leaf_of = {
            row.id: head_of(bytes(row.sealed)).leaf
            for row in session.scalars(select(DonationRow))
            if row.sealed
        }
    found = {of: head_of(sealed).leaf for of, sealed in copies(archive).items()}
    assert {kind for kind, _ in found} == set(BESIDE)
    with archive.database.transaction() as session:
        for (kind, row), leaf in found.items():
            if kind is LinkRequestRow:
                assert leaf == leaf_of[_first_gift_of_ada(session)]
            else:
                gift = session.scalars(
                    select(kind.__table__.c.donation_id).where(kind.__table__.c[kind.fields.key] == row)
                ).one()
                assert leaf == leaf_of[gift]
    assert None not in found.values()


def _first_gift_of_ada(session: Session) -> str:
    digest = mail.address_digest(ADA.email or "")
    return session.scalars(select(DonationRow.id).where(DonationRow.is_of(session, digest))).first() or ""


def test_copies_from_before_an_erasure_open_for_nobody_and_anothers_do(archive: Archive) -> None:
    ada, bob = gives(archive, ADA), gives(archive, BOB)
    before = copies(archive)
    with archive.database.transaction() as session:
        theirs = _by_gift(session, before)
    erase(archive, email_sha256=mail.address_digest(ADA.email or ""))
    for of, sealed in before.items():
        if theirs[of] == ada:
            with pytest.raises(LeafCut):
                opened(archive, of, sealed)
        else:
            assert theirs[of] == bob
            assert opened(archive, of, sealed)
    assert {kind for kind, _ in before} == {DedicationRow, ReceiptFactsRow, IssuedReceiptRow}


def _by_gift(session: Session, found: Copies) -> dict[tuple[type[SealedRecord], str], str]:
    return {
        (kind, row): session.scalars(
            select(kind.__table__.c.donation_id).where(kind.__table__.c[kind.fields.key] == row)
        ).one()
        for kind, row in found
    }


def test_who_is_told_of_a_gift_is_under_a_leaf_of_their_own_and_goes_alone(archive: Archive) -> None:
    gives(archive, ADA)
    before = recipients(archive)
    assert read_of(archive, before) == [SECRETS["told"]]
    told = mail.address_digest(SECRETS["told"])
    assert archive.database.keyring is not None
    assert archive.database.keyring.trees is not None
    held = archive.database.keyring.trees.look(DONORS, 1)
    assert held is not None
    assert held.tree is not None
    assert [head_of(each).leaf for each in before.values()] == [held.tree.leaf_of(told)]
    erase(archive, email_sha256=told)
    assert read_of(archive, before) == [None]
    with archive.database.transaction() as session:
        row = session.scalars(select(DedicationRow)).one()
        assert (row.honouree, row.recipient_index, row.recipient_sealed) == (SECRETS["honouree"], None, None)
        assert session.scalars(select(DonationRow)).one().donor_email == ADA.email


def test_who_is_told_of_a_gift_goes_with_its_donor_too_and_stays_with_the_donors_other_gift(
    archive: Archive,
) -> None:
    first, second = gives(archive, ADA), gives(archive, ADA)
    before = recipients(archive)
    erase(archive, donation_id=second)
    after = recipients(archive)
    assert (list(after), read_of(archive, before)) == ([first], [None, None])
    assert read_of(archive, after) == [SECRETS["told"]]
    erase(archive, email_sha256=mail.address_digest(ADA.email or ""))
    assert read_of(archive, after) == [None]


def test_a_recipient_who_is_erased_again_takes_a_key_along(archive: Archive) -> None:
    gift = gives(archive, ADA)
    before = recipients(archive)
    _forget_told(archive.database, [gift])
    assert (recipients(archive), read_of(archive, before)) == ({}, [None])
    with archive.database.transaction() as session:
        assert session.scalars(select(DedicationRow)).one().honouree == SECRETS["honouree"]


def test_a_recipient_who_gives_too_is_erased_from_both_by_one_command(archive: Archive) -> None:
    gives(archive, ADA)
    gives(archive, Donor(name="Ann", email=SECRETS["told"]))
    before = recipients(archive)
    erase(archive, email_sha256=mail.address_digest(SECRETS["told"]))
    assert read_of(archive, before) == [None, None]
    with archive.database.transaction() as session:
        left = session.scalars(select(DedicationRow)).one()
        assert (left.honouree, left.recipient_email) == (SECRETS["honouree"], None)


def test_who_is_told_is_still_told_when_a_gift_of_their_own_alone_is_erased(archive: Archive) -> None:
    adas = gives(archive, ADA)
    own = gives(archive, Donor(name="Ann", email=SECRETS["told"]))
    before = recipients(archive)
    erase(archive, donation_id=own)
    assert read_of(archive, before) == [None, None], "the leaf is cut"
    assert read_of(archive, recipients(archive)) == [SECRETS["told"]]
    assert list(recipients(archive)) == [adas]


def test_who_is_told_stands_with_the_others_until_leaves_begin_and_is_sealed_apart_afterwards(
    archive: Archive,
) -> None:
    with archive.master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET leaves_begin_at = now() + interval '3 hours'"))
    archive.restart()
    gives(archive, ADA)
    assert recipients(archive) == {}
    assert _recipient(archive) == "Ann"
    with archive.master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET leaves_begin_at = now()"))
    archive.restart()
    while reencrypt(archive.database, of_donors(), now=system_clock()):
        pass
    assert len(recipients(archive)) == 1
    assert _recipient(archive) == "Ann"

    together = replace(DedicationRow.fields, of_another=(), another_column=None)
    with archive.database.transaction() as session:
        row = session.scalars(select(DedicationRow)).one()
        at_rest = together.at_rest(session, row_id=row.donation_id, fields=row.opened())
        session.execute(
            update(DedicationRow)
            .values(**at_rest, recipient_sealed=None)
            .execution_options(synchronize_session=False)
        )
    assert _recipient(archive) == "Ann"
    assert reencrypt(archive.database, of_donors(), now=system_clock()) == 1
    assert (len(recipients(archive)), _recipient(archive)) == (1, "Ann")
    assert reencrypt(archive.database, of_donors(), now=system_clock()) == 0


def recipients(archive: Archive) -> dict[str, bytes]:
    """What is sealed of who is told, by gift, as a backup has it."""
    with archive.database.transaction() as session:
        return {
            row.donation_id: bytes(row.recipient_sealed)
            for row in session.scalars(select(DedicationRow).order_by(DedicationRow.donation_id))
            if row.recipient_sealed is not None
        }


def read_of(archive: Archive, copies: dict[str, bytes]) -> list[str | None]:
    """The addresses that copies name, to a process that starts now with all keys there are."""
    archive.restart()
    keys = archive.database.keyring
    assert keys is not None
    honoured = DedicationRow.fields.at_rest
    with archive.database.transaction() as session:
        beside = {gift: honoured(session, row_id=gift, fields={"honouree": "x"})["sealed"] for gift in copies}
    return [
        DedicationRow.fields.open(keys, row_id=gift, sealed=beside[gift], plain=None, another=sealed)[
            "recipient_email"
        ]
        for gift, sealed in copies.items()
    ]


def _recipient(archive: Archive) -> str | None:
    with archive.database.transaction() as session:
        return session.scalars(select(DedicationRow)).one().recipient_name


def test_what_stands_beside_a_donors_other_gift_is_kept_when_one_alone_is_erased(archive: Archive) -> None:
    first, second = gives(archive, ADA), gives(archive, ADA)
    before = copies(archive)
    erase(archive, donation_id=second)
    after = copies(archive)
    with archive.database.transaction() as session:
        assert set(_by_gift(session, after).values()) == {first}
    assert {kind for kind, _ in after} == {kind for kind, _ in before}
    for of, sealed in before.items():
        with pytest.raises(LeafCut):
            opened(archive, of, sealed)
    for of, sealed in after.items():
        assert opened(archive, of, sealed)


def test_a_gift_without_an_address_takes_what_stands_beside_it_along(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.CommitmentSecrets, "from_settings", lambda _settings: archive.world.secrets)
    gift = archive.record(SECRETS["reference"])
    before = copies(archive)
    assert OfflineGiftRow in {kind for kind, _ in before}
    erase(archive, donation_id=gift)
    for of, sealed in before.items():
        with pytest.raises(LeafCut):
            opened(archive, of, sealed)


def test_what_a_key_alone_sealed_is_put_under_its_gifts_leaf_and_nothing_waits_for_ever(
    archive: Archive,
) -> None:
    with archive.master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET leaves_begin_at = now() + interval '3 hours'"))
    archive.restart()
    gives(archive, ADA)
    assert {head_of(each).leaf for each in copies(archive).values()} == {None}
    with archive.master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET leaves_begin_at = now()"))
    archive.restart()
    assert reencrypt(archive.database, of_donors(), now=system_clock()) == 5, (
        "one is what the ledger keeps of it"
    )
    assert len({head_of(each).leaf for each in copies(archive).values()} - {None}) == 1
    assert reencrypt(archive.database, of_donors(), now=system_clock()) == 0


def test_what_goes_with_a_gift_waits_until_a_rotation_has_come_to_the_gift(archive: Archive) -> None:
    gives(archive, ADA)
    assert archive.database.keyring is not None
    archive.database.keyring.rotate(DONORS, now=system_clock() - COMING)
    archive.restart()
    beside = [each for each in of_donors() if each.name != "donation"]
    assert reencrypt(archive.database, beside, now=system_clock()) == 0
    assert reencrypt(archive.database, of_donors(), now=system_clock()) == 5
    leaves = {(head_of(each).version, head_of(each).leaf) for each in copies(archive).values()}
    assert [version for version, _ in leaves] == [2]
    assert reencrypt(archive.database, of_donors(), now=system_clock()) == 0


def test_in_a_restored_database_it_is_read_as_erased_and_tells_nobody(archive: Archive) -> None:
    gives(archive, ADA)
    _records_a_thing(archive)
    with archive.database.transaction() as session:
        session.execute(update(DedicationRow).values(handed_over_at=None, attempts=0, next_attempt_at=None))
        heads = [head_of(bytes(row.sealed)) for row in session.scalars(select(DonationRow)) if row.sealed]
    assert archive.database.keyring is not None
    assert archive.database.keyring.trees is not None
    archive.database.keyring.trees.cut(DONORS, 1, [each.leaf for each in heads if each.leaf is not None])
    archive.restart()
    with archive.database.transaction() as session:
        for kind in BESIDE[:-1]:
            for row in session.scalars(select(kind)):
                assert set(row.opened().values()) == {None}
    sent = len(archive.mailer.sent)
    sending = DedicationDependencies(database=archive.database, mailer=archive.mailer)
    assert donations.send_due_dedications(sending, now=NOW + timedelta(hours=1)) == 0
    assert len(archive.mailer.sent) == sent

    archive.database.keyring.rotate(DONORS, now=system_clock() - COMING)
    archive.restart()
    while reencrypt(archive.database, of_donors(), now=system_clock()):
        pass
    assert copies(archive) == {}, "what opens for nobody is not kept for ever"


def _records_a_thing(archive: Archive) -> None:
    thing = OfflineGift(
        organization_id=archive.organization_id,
        method=OfflineMethod.IN_KIND,
        amount=Money(minor_units=5000, currency="EUR"),
        received_on=date(2026, 11, 20),
        reference="SLIP-1",
        donor_name="Ada",
        description="a boat",
    )
    donations.record_offline(archive.database, archive.world.secrets, gift=thing, now=NOW)


def test_what_stands_under_a_leaf_is_found_by_an_index_in_each_table(archive: Archive) -> None:
    gives(archive, ADA)
    head = head_of(next(iter(copies(archive).values())))
    with archive.database.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        for kind in BESIDE:
            key = getattr(kind, kind.fields.key)
            asked = select(key).where(under_leaf(kind.sealed, head)).compile(archive.database.engine)
            plan = session.connection().exec_driver_sql(f"EXPLAIN {asked}", asked.params)
            assert f"ix_{kind.__tablename__}_leaf" in "".join(line for (line,) in plan)
