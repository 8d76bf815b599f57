"""What the ledger's commitments are opened with goes with the donor: copies open for nobody, and all that read it go on reading."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from amply.entrypoints.admin_erase import _erase, _erase_all
from amply.entrypoints.personal_data import of_donors
from amply.infra.database import Database
from amply.infra.vault import DONORS, head_of
from amply.infra.vault.keyring import COMING
from amply.infra.vault.reencryption import reencrypt
from amply.infra.vault.resealing import under_leaf
from amply.kernel.clock import system_clock
from amply.modules import donations, ledger, mail
from amply.modules.donations.models import DonationRow
from amply.modules.ledger.openings import OpeningRow
from ledger_format.receipts import Opening, decode_receipt, verify_receipt
from tests.backend.committed.money_back import DISPUTE, INTENT, REFUND, Returns
from tests.backend.committed.test_provider_events import SECRETS as SECRETS_OF_RETURNS
from tests.backend.conftest import Databases
from tests.backend.key_service import new_keyring
from tests.backend.ledger_world import LedgerWorld
from tests.backend.opening_rows import as_before, leaves, linked, openings, said
from tests.backend.plan_world import ADA, EMAIL
from tests.backend.shredding_world import COMMITMENT_KEY, SECRETS, House, furnished

BOB = "bob@example.org"


@pytest.fixture
def house(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", COMMITMENT_KEY)
    return furnished(databases)


@pytest.fixture
def returns(database: Database) -> Returns:
    """A gift with its fee, a refund, and a dispute that cost a fee."""
    made = Returns(database)
    made.processor.tell_refund(INTENT, REFUND, minor_units=500)
    made.news("refund.created")
    made.processor.tell_dispute(INTENT, DISPUTE, (-2000, 1500), status="needs_response", minor_units=2000)
    made.news("charge.dispute.created")
    assert len(openings(database)) == 5
    return made


def gives(house: House, *, key: str, email: str = EMAIL) -> None:
    house.plans.start(key=key, email=email)
    house.plans.hear_of_all()


def addresses(house: House, copies: dict[str, bytes]) -> list[str | None]:
    """Whom copies name, to a process that starts now."""
    found = said(house.database, copies, secrets=SECRETS, bucket=house.databases.name)
    return [each.get("donor_email") for each in found.values()]


def turn(house: House) -> int:
    return reencrypt(house.database, of_donors(SECRETS), now=system_clock())


def gift_leaf(session: Session) -> int | None:
    return head_of(bytes(session.scalars(select(DonationRow.sealed)).first() or b"")).leaf


def test_all_that_is_booked_of_a_gift_is_under_its_leaf_and_says_so(
    returns: Returns, database: Database
) -> None:
    with database.transaction() as session:
        sealed = session.scalars(select(DonationRow.sealed)).one()
    head = head_of(bytes(sealed or b""))
    assert leaves(database) == {(head.version, head.leaf)}
    assert linked(database) == {returns.donation_id}


def test_copies_of_an_erased_donors_openings_open_for_nobody_and_anothers_do(house: House) -> None:
    gives(house, key="bobs", email=BOB)
    copies, before = openings(house.database), dict(house.bucket)
    assert sorted(addresses(house, copies), key=str) == [EMAIL, BOB]
    house.erase()
    assert sorted(addresses(house, copies), key=str) == [None, BOB]
    assert addresses(house, openings(house.database)) == [BOB]

    house.bucket.update(before)
    assert sorted(addresses(house, copies), key=str) == [EMAIL, BOB], (
        "the tree from before is all that is missing"
    )


def test_what_the_release_before_wrote_is_put_under_the_leaf_of_its_gift(
    returns: Returns, database: Database, databases: Databases
) -> None:
    as_before(databases, database)
    before = openings(database)
    said_before = said(database, before, secrets=SECRETS_OF_RETURNS, bucket=databases.name)
    assert (leaves(database), linked(database)) == ({None}, {None})
    assert reencrypt(database, of_donors(SECRETS_OF_RETURNS), now=system_clock()) == 5
    assert linked(database) == {returns.donation_id}
    assert None not in leaves(database)
    assert len(leaves(database)) == 1
    now = openings(database)
    assert said(database, now, secrets=SECRETS_OF_RETURNS, bucket=databases.name) == said_before
    assert reencrypt(database, of_donors(SECRETS_OF_RETURNS), now=system_clock()) == 0


@pytest.mark.parametrize("is_tended", [False, True])
def test_an_erasure_finds_all_openings_whoever_wrote_them(
    returns: Returns, database: Database, databases: Databases, *, is_tended: bool
) -> None:
    as_before(databases, database)
    if is_tended:
        reencrypt(database, of_donors(SECRETS_OF_RETURNS), now=system_clock())
    done = donations.erase_donor(
        database,
        SECRETS_OF_RETURNS,
        email_sha256=None,
        donation_id=returns.donation_id,
        now=system_clock(),
    )
    assert done.entries == 5
    assert openings(database) == {}


def test_until_leaves_begin_the_release_before_reads_and_writes_as_it_always_did(house: House) -> None:
    """Revisions 0048 and 0054 are of one release: what runs beside it opens nothing under leaves, and has hours to end."""
    begin(house, "now() + interval '3 hours'")
    gives(house, key="in between", email=BOB)
    (raw,) = [each for each in openings(house.database).items() if each[1][:1] == b"\1"]
    assert SECRETS.unseal(raw[1], entry_id=raw[0])["donor_email"].value == BOB
    assert turn(house) == 0, "and what is there stays as it is"
    assert addresses(house, dict([raw])) == [BOB]

    with house.database.transaction() as session:
        theirs = SECRETS.seal({"donor_name": Opening(value="Eve", salt=bytes(32))}, entry_id="ent_before")
        session.execute(
            text("INSERT INTO opening (entry_id, sealed) VALUES ('ent_before', :sealed)"), {"sealed": theirs}
        )
    begin(house, "now()")
    while turn(house):
        pass
    assert None not in leaves(house.database)
    found = said(house.database, openings(house.database), secrets=SECRETS, bucket=house.databases.name)
    assert found["ent_before"] == {"donor_name": "Eve"}
    assert found[raw[0]]["donor_email"] == BOB


def begin(house: House, moment: str) -> None:
    with house.databases.as_role("master").engine.begin() as connection:
        connection.execute(text(f"UPDATE sealing SET leaves_begin_at = {moment}"))  # noqa: S608 -- this file's words
    house.starts_anew()


def test_openings_of_no_gift_have_leaves_of_their_own_and_are_not_looked_into_again(
    house: House, books: LedgerWorld
) -> None:
    books.secrets = SECRETS
    entry = books.post(personal={"donor_name": "Zoë", "reference": f"stripe:payment_intent:{EMAIL}"}).id
    assert turn(house) == 1
    assert turn(house) == 0
    assert linked(house.database) >= {None}
    assert len(leaves(house.database)) == 2
    copies = {entry: openings(house.database)[entry]}
    assert (
        said(house.database, copies, secrets=SECRETS, bucket=house.databases.name)[entry]["donor_name"]
        == "Zoë"
    )


def test_openings_wait_until_a_rotation_has_come_to_the_gifts_and_follow_it(house: House) -> None:
    (entry,) = openings(house.database)
    house.rotate()
    house.starts_anew()
    as_before(house.databases, house.database)
    counting = counting_secrets()
    alone = [each for each in of_donors(counting) if each.name == "opening"]
    assert reencrypt(house.database, alone, now=system_clock()) == 0
    assert counting.unsealed == 0, "nor are they looked into in vain"
    turn(house)
    with house.database.transaction() as session:
        leaf = gift_leaf(session)
    assert leaves(house.database) == {(2, leaf)}
    assert turn(house) == 0
    assert addresses(house, openings(house.database)) == [EMAIL]
    assert list(openings(house.database)) == [entry]


def test_an_opening_that_waits_for_its_gift_slows_no_other(house: House) -> None:
    """A full batch says so, and another follows at once, unless none of it could go."""
    gives(house, key="bobs", email=BOB)
    as_before(house.databases, house.database)
    house.close()
    reseal = donations.sealed_openings(SECRETS).reseal
    done = []
    for _ in range(2):
        with house.database.transaction() as session:
            done.append(reseal(session, 2))
    assert done == [2, 0]
    assert len(leaves(house.database) - {None}) == 1, "Ada's leaf is closed, and about to be cut"


def test_openings_of_a_donors_other_gift_are_kept_when_one_alone_is_erased(house: House) -> None:
    gives(house, key="again")
    copies = openings(house.database)
    assert len(copies) == 2
    _, second = house.gifts()
    _erase(house.database, email_sha256=None, donation_id=second, listed=None)
    house.starts_anew()
    assert addresses(house, openings(house.database)) == [EMAIL]
    assert addresses(house, copies) == [None, None]


def test_openings_of_a_donors_other_gift_are_kept_when_nothing_says_yet_whose_they_are(house: House) -> None:
    """Both name the donor, and one alone the gift."""
    gives(house, key="again")
    _, second = house.gifts()
    as_before(house.databases, house.database)
    done, _ = _erase(house.database, email_sha256=None, donation_id=second, listed=None)
    assert done.entries == 1
    house.starts_anew()
    assert addresses(house, openings(house.database)) == [EMAIL]


def test_a_gift_whose_refund_is_under_way_holds_back_no_other_that_is_erased_again(house: House) -> None:
    gives(house, key="bobs", email=BOB)
    (adas,) = house.gifts().keys() - {_gift_of(house, BOB)}
    with house.database.transaction() as session:
        session.execute(
            text("""
                INSERT INTO refund (
                    id, payment_id, minor_units, currency, status, reserved_entry_id, attempts, created_at, updated_at
                )
                SELECT 'ref_1', id, 100, 'EUR', 'created', 'ent_1', 0, now(), now()
                FROM payment
                WHERE donation_id = :gift
            """),
            {"gift": adas},
        )
    copies = openings(house.database)
    done, waiting = _erase_all(house.database, [adas, _gift_of(house, BOB)])
    assert ([each.gifts for each in done], waiting) == ([1], [adas])
    house.starts_anew()
    assert addresses(house, openings(house.database)) == [EMAIL]
    assert addresses(house, copies) == [None, None], "both leaves are cut"


def test_in_a_restored_database_a_receipt_opens_nothing_and_a_rotation_lets_it_go(
    house: House, books: LedgerWorld
) -> None:
    books.secrets = SECRETS
    (entry,) = openings(house.database)
    books.sequence()
    books.publish()
    assert opened(books, entry)["donor_email"] == EMAIL
    house.trees.cut(DONORS, 1, [house.tree().leaf_of(ADA)])
    books.app.keyring = new_keyring(books.app, like=house.keys)
    assert opened(books, entry) == {}, "and it proves the gift all the same"
    house.rotate()
    house.starts_anew()
    while turn(house):
        pass
    assert openings(house.database) == {}, "what opens for nobody is not kept for ever"


def opened(books: LedgerWorld, entry: str) -> dict[str, str]:
    made = books.receipt(entry)
    assert made is not None
    return dict(verify_receipt(decode_receipt(made.encode()), [books.verifier]).opened)


class Counting(ledger.CommitmentSecrets):
    """Counts what it unseals."""

    unsealed = 0

    def unseal(self, sealed: bytes, *, entry_id: str) -> dict[str, Opening]:
        self.unsealed += 1
        return super().unseal(sealed, entry_id=entry_id)


def counting_secrets() -> Counting:
    counting = Counting(key=b"\0" * 32)
    counting._aead = SECRETS._aead
    return counting


def test_however_many_gifts_are_erased_again_each_opening_is_read_once_and_the_tree_written_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = counting_secrets()
    monkeypatch.setattr(ledger.CommitmentSecrets, "from_settings", lambda _settings: counting)
    people = [f"{name}@example.org" for name in ("bob", "cy", "dee")]
    for email in people:
        gives(house, key=email, email=email)
    ids = {email: _gift_of(house, email) for email in people}
    as_before(house.databases, house.database)
    written = _writes(house, monkeypatch)
    done, waiting = _erase_all(house.database, list(ids.values()))
    assert waiting == []
    assert [(each.gifts, each.entries) for each in done] == [(1, 1)] * 3
    assert counting.unsealed == 4
    assert len(written) == 1
    house.starts_anew()
    assert addresses(house, openings(house.database)) == [EMAIL]
    assert _erase_all(house.database, []) == ([], [])


def _gift_of(house: House, email: str) -> str:
    with house.database.transaction() as session:
        found = session.scalars(
            select(DonationRow.id).where(DonationRow.is_of(session, mail.address_digest(email)))
        )
        return found.one()


def _writes(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    written: list[str] = []
    store = house.trees._store
    write = store.write

    def counted(name: str, body: bytes, *, replaces: str | None) -> Any:
        written.append(name)
        return write(name, body, replaces=replaces)

    monkeypatch.setattr(store, "write", counted)
    return written


def test_openings_are_found_by_indexes(house: House) -> None:
    head = head_of(next(iter(openings(house.database).values())))
    asked = select(OpeningRow.entry_id)
    with house.database.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        for condition, index in (
            (under_leaf(OpeningRow.sealed, head), "ix_opening_leaf"),
            (OpeningRow.donation_id == "don_1", "ix_opening_donation_id"),
        ):
            compiled = asked.where(condition).compile(house.database.engine)
            plan = session.connection().exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)
            assert index in "".join(line for (line,) in plan)


def test_a_rotation_of_donors_keys_ends_with_the_former_one_destroyed(house: House) -> None:
    """Nothing of the ledger is left under it."""
    house.rotate()
    later = system_clock() + COMING * 12
    while reencrypt(house.database, of_donors(SECRETS), now=later):
        pass
    with house.database.transaction() as session:
        wrapped = session.scalars(
            text("SELECT wrapped IS NULL FROM data_key WHERE scope = 'donors' ORDER BY version")
        ).all()
    assert wrapped == [True, False]
    house.starts_anew()
    assert addresses(house, openings(house.database)) == [EMAIL]


def test_an_erasure_in_the_midst_of_a_rotation_ends_though_openings_wait_for_gifts_under_another_leaf(
    house: House,
) -> None:
    """The gifts stand under the newest version, and what the ledger keeps of them under the one before."""
    gives(house, key="again")
    house.rotate()
    house.starts_anew()
    reencrypt(house.database, [each for each in of_donors() if each.name == "donation"], now=system_clock())
    copies = openings(house.database)
    assert {head_of(each).version for each in house.gifts().values()} == {2}
    assert {head_of(each).version for each in copies.values()} == {1}
    _, second = house.gifts()
    _, closed = _erase(house.database, email_sha256=None, donation_id=second, listed=None)
    assert sorted(each.version for each in closed) == [1, 2]
    house.starts_anew()
    assert addresses(house, openings(house.database)) == [EMAIL]
    assert addresses(house, copies) == [None, None]
