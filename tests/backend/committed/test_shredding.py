"""An erasure takes a key along: copies of the rows from before open for nobody, and nobody else loses anything."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from amply.entrypoints.admin_erase import _erase
from amply.entrypoints.personal_data import keep_sealed, of_donors
from amply.infra.vault import DONORS, KeyNotAtHand, KeyTreeAway, LeafCut, SealedBytesUnreadable, head_of
from amply.infra.vault.reencryption import SealedRows, reencrypt
from amply.infra.vault.resealing import under_leaf
from amply.infra.vault.shredding import BACKUPS_LAST, LEFT_BEHIND, let_go_of_trees
from amply.infra.vault.stored_trees import EMPTIED
from amply.kernel.clock import system_clock
from amply.modules import giving, mail, recurring, sharing
from amply.modules.donations.erasure import DonorNotNamed
from amply.modules.donations.models import DonationRow
from amply.modules.recurring import changes
from amply.modules.recurring.models import PlanRow
from amply.modules.sharing.models import SpanRow
from amply.modules.sharing.service import decide
from constructs_lib.durability import DISPOSABLE, PERMANENT, RECOVERABLE
from tests.backend.conftest import Databases
from tests.backend.consent_world import TICK
from tests.backend.plan_world import ADA, EMAIL
from tests.backend.shredding_world import COMMITMENT_KEY, House, furnished

BOB = "bob@example.org"
LONG = timedelta(hours=3)
_PAPERS = """
    INSERT INTO donor_document (id, email_sha256, kind, donation_id, next_attempt_at, created_at, expires_at)
    SELECT whose, whose, 'proof', 'don_1', now(), now(), now() FROM unnest(ARRAY[:ada, :bob]) AS whose
"""
_FIRST = "WHERE scope = 'donors' AND version = 1"


@pytest.fixture
def house(databases: Databases) -> House:
    return furnished(databases)


def test_all_of_a_donor_is_under_one_leaf_and_another_donor_under_another(house: House) -> None:
    house.plans.start(key="again")
    house.plans.start(key="bobs", email=BOB)
    with house.database.transaction() as session:
        sealed = session.scalars(text("SELECT sealed FROM donation UNION ALL SELECT sealed FROM plan")).all()
    leaves = [head_of(bytes(each)).leaf for each in sealed]
    assert sorted(leaves.count(each) for each in set(leaves)) == [2, 4]
    assert set(leaves) == {house.tree().leaf_of(ADA), house.tree().leaf_of(mail.address_digest(BOB))}


def test_copies_of_an_erased_donors_rows_open_for_nobody_and_others_do(house: House) -> None:
    house.plans.start(key="bobs", email=BOB)
    (ada, hers), (bob, his) = house.gifts().items()
    before = dict(house.bucket)
    house.erase()
    with pytest.raises(LeafCut):
        house.opened(ada, hers)
    assert BOB.encode() in house.opened(bob, his)

    house.bucket.update(before)
    assert EMAIL.encode() in house.opened(ada, hers), "the tree from before is all that is missing"


def test_a_donor_who_gives_again_is_kept_under_another_leaf_and_erased_again(house: House) -> None:
    for number in range(3):
        (copy,) = house.gifts().items()
        assert house.addresses()[-1] == EMAIL
        house.erase()
        with pytest.raises(LeafCut):
            house.opened(*copy)
        house.plans.start(key=f"again {number}")
    assert len(house.gifts()) == 1


def test_a_process_that_has_not_heard_of_an_erasure_keeps_nothing_under_what_was_cut(house: House) -> None:
    elsewhere = house.databases.as_role("amply_app")
    house.erase()
    house.plans.database = elsewhere
    with pytest.raises(KeyNotAtHand):
        house.plans.start(key="again")
    assert house.gifts() == {}
    house.plans.start(key="again")
    assert house.addresses()[-1] == EMAIL


def test_whoever_seals_at_the_moment_is_waited_for_and_erased_as_well(house: House) -> None:
    with ThreadPoolExecutor(1) as pool:
        with house.database.transaction() as session:
            session.scalars(select(DonationRow)).one().message = "on its way"
            session.flush()
            closing = pool.submit(house.close)
            assert waits(house, closing)
        closed = closing.result()
    (copy,) = house.gifts().items()
    assert b"on its way" in house.opened(*copy)
    house.remove()
    house.finish(closed)
    with pytest.raises(LeafCut):
        house.opened(*copy)


def test_a_donors_first_gift_that_is_not_committed_yet_is_waited_for(house: House) -> None:
    bob = mail.address_digest(BOB)
    with ThreadPoolExecutor(1) as pool:
        with house.database.transaction() as session:
            session.scalars(select(DonationRow)).one().donor_email = BOB
            session.flush()
            closing = pool.submit(house.close, bob)
            assert waits(house, closing)
        closed = closing.result()
    assert [each.leaf for each in closed] == [house.tree().leaf_of(bob)]


def waits(house: House, closing: "Future[Any]") -> bool:
    """Whether somebody who closes a leaf waits for whoever seals under it, looked at until it is known."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    watching = house.databases.as_role("master")
    while not closing.done():
        with watching.engine.connect() as connection:
            if connection.scalar(waiting):
                return True
    return False


def test_killed_before_anything_was_removed_nothing_is_lost_and_the_worker_ends_it(house: House) -> None:
    (copy,) = house.gifts().items()
    house.close()
    assert house.addresses() == [EMAIL]
    assert house.worker() == 0, "whoever closed it may be at work still"
    assert house.worker(later=LEFT_BEHIND) == 1
    assert house.addresses() == [EMAIL], "what was not removed is under another leaf"
    with pytest.raises(LeafCut):
        house.opened(*copy)
    assert house.worker(later=LEFT_BEHIND) == 0


def test_what_cannot_be_sealed_anew_holds_back_no_erasure_and_the_other_way_round(house: House) -> None:
    tried = []

    def fails(_session: Session, _limit: int) -> int:
        tried.append(True)
        raise SealedBytesUnreadable("one row")

    kinds = (SealedRows(name="broken", reseal=fails, columns={}), *of_donors())
    (copy,) = house.gifts().items()
    house.close()
    with pytest.raises(SealedBytesUnreadable):
        keep_sealed(house.database, kinds, now=system_clock() + LEFT_BEHIND)
    with pytest.raises(LeafCut):
        house.opened(*copy)

    house.bucket.clear()
    with pytest.raises(KeyTreeAway):
        keep_sealed(house.database, kinds, now=system_clock())
    assert len(tried) == 2


@pytest.mark.parametrize("who", ["the command again", "the worker"])
def test_killed_before_the_leaf_was_cut_it_is_cut_later(house: House, who: str) -> None:
    (copy,) = house.gifts().items()
    house.close()
    house.remove()
    assert EMAIL.encode() in house.opened(*copy)
    if who == "the command again":
        house.erase()
    else:
        house.worker(later=LEFT_BEHIND)
    with pytest.raises(LeafCut):
        house.opened(*copy)
    house.plans.start(key="again")
    assert house.addresses()[-1] == EMAIL


def test_an_erasure_of_nobody_cuts_nothing(house: House) -> None:
    before = dict(house.bucket)
    house.erase(mail.address_digest(BOB))
    house.erase()
    cut = dict(house.bucket)
    assert cut != before
    house.erase()
    assert house.bucket == cut


def test_erasing_one_gift_leaves_its_donors_others_readable(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", COMMITMENT_KEY)
    house.plans.start(key="again")
    (first, second), copies = house.gifts(), house.gifts()
    done, closed = _erase(house.database, email_sha256=None, donation_id=second, listed=None)
    assert (done.gifts, len(closed)) == (1, 1)
    assert set(house.gifts()) == {first}
    assert EMAIL in house.addresses()
    for each in copies.items():
        with pytest.raises(LeafCut):
            house.opened(*each)


def test_a_command_that_names_a_donor_twice_or_wrongly_closes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", COMMITMENT_KEY)
    (gift,), plan = house.gifts(), house.plans.plan
    with house.database.transaction() as session:
        changes.skip_next(session, plan_id=plan.id, email_sha256=ADA, now=system_clock())
    for digest, named in ((ADA, gift), ("no digest", None), (None, None)):
        with pytest.raises(DonorNotNamed):
            _erase(house.database, email_sha256=digest, donation_id=named, listed=None)
    with house.database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM closed_leaf")) == 0
        assert recurring.forget(session, email_sha256=None, donation_id=None, now=system_clock()) == 0
        assert session.scalars(select(PlanRow.status)).all() == ["active"], "nobody's plan has ended"


def test_what_was_sealed_before_a_rotation_goes_as_well_and_its_tree_with_the_last_backup(
    house: House,
) -> None:
    house.plans.start(key="bobs", email=BOB)
    (ada, hers), (bob, his) = house.gifts().items()
    with house.database.transaction() as session:
        had = session.execute(text("SELECT wrapped, tree FROM data_key WHERE scope = 'donors'")).one()
    house.rotate()
    now = system_clock() + LONG
    while reencrypt(house.database, of_donors(), now=now):
        pass
    assert {head_of(each).version for each in house.gifts().values()} == {2}
    house.erase()
    assert let_go_of_trees(house.database, now=now) == 0

    bring_back(house, had)
    with pytest.raises(LeafCut):
        house.opened(ada, hers)
    assert BOB.encode() in house.opened(bob, his), "a backup from then is of use"

    bring_back(house, None)
    assert let_go_of_trees(house.database, now=now + BACKUPS_LAST + timedelta(days=1)) == 1
    assert house.bucket["donors/1"].body == EMPTIED
    bring_back(house, had)
    with pytest.raises(LeafCut):
        house.opened(bob, his)
    assert BOB in house.addresses(), "what is sealed by now is under the other tree"


def bring_back(house: House, had: Any) -> None:
    """The first version of the key as a restored backup has it; None: as it is by now."""
    with house.databases.as_role("master").engine.begin() as connection:
        if had is None:
            connection.execute(text(f"UPDATE data_key SET wrapped = NULL, destroyed_at = now() {_FIRST}"))  # noqa: S608 -- this file's words
        else:
            connection.execute(
                text(f"UPDATE data_key SET wrapped = :wrapped, tree = :tree, destroyed_at = NULL {_FIRST}"),  # noqa: S608 -- this file's words
                {"wrapped": had.wrapped, "tree": had.tree},
            )


def test_no_environment_keeps_a_backup_longer_than_the_trees_that_it_needs() -> None:
    kept = [each.kept_backups.monthly for each in (PERMANENT, RECOVERABLE, DISPOSABLE) if each.kept_backups]
    assert timedelta(days=max(kept)) < BACKUPS_LAST


def test_in_a_restored_database_an_erased_donor_is_an_ordinary_one_who_was_erased(house: House) -> None:
    house.plans.start(key="bobs", email=BOB)
    house.trees.cut(DONORS, 1, [house.tree().leaf_of(ADA)])
    assert house.addresses() == [None, BOB]
    sent, charged = len(house.plans.mailer.sent), dict(house.plans.saved.taken)
    house.plans.on(2026, 2, 28)
    with house.database.transaction() as session:
        plan = session.scalars(select(PlanRow).order_by(PlanRow.id).limit(1)).one()
        assert (plan.status, plan.reason, plan.donor_email) == ("ended", "erased", None)
    assert len(house.plans.mailer.sent) == sent
    assert house.plans.saved.taken == charged, "nobody is charged who was erased"

    house.rotate()
    reencrypt(house.database, of_donors(), now=system_clock())
    assert list(house.addresses()) == [None, BOB]
    assert len(house.gifts()) == 1, "what opens for nobody is not kept for ever"


def test_in_a_restored_database_papers_and_consents_of_an_erased_donor_are_found_by_their_gift(
    house: House,
) -> None:
    (gift,), bob = house.gifts(), mail.address_digest(BOB)
    with house.database.transaction() as session:
        for whose in (ADA, bob):
            decide(session, email_sha256=whose, said=TICK, shares=True, now=system_clock())
    with house.databases.as_role("master").engine.begin() as connection:
        connection.execute(text(_PAPERS), {"ada": ADA, "bob": bob})
    house.trees.cut(DONORS, 1, [house.tree().leaf_of(ADA)])
    house.starts_anew()
    with house.database.transaction() as session:
        giving.forget(session, email_sha256=None, donation_id=gift)
        sharing.forget(session, email_sha256=None, donation_id=gift, now=system_clock())
    with house.database.transaction() as session:
        assert session.scalars(text("SELECT email_sha256 FROM donor_document")).all() == [bob]
        spans = session.scalars(select(SpanRow).order_by(SpanRow.is_given)).all()
        assert [(each.is_given, each.donor_sha256) for each in spans] == [(False, None), (True, bob)]


def test_what_stands_under_a_leaf_is_found_by_an_index(house: House) -> None:
    head = head_of(next(iter(house.gifts().values())))
    with house.database.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        for kind in (DonationRow, PlanRow):
            asked = select(kind.id).where(under_leaf(kind.sealed, head)).compile(house.database.engine)
            plan = session.connection().exec_driver_sql(f"EXPLAIN {asked}", asked.params)
            assert f"ix_{kind.__tablename__}_leaf" in "".join(line for (line,) in plan)
