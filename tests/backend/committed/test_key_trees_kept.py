"""Trees of keys as processes have them: made once, kept while the bucket is away, missed when they are gone, and put back."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import text

from amply.entrypoints.personal_data import of_donors
from amply.infra.vault import (
    DONORS,
    CellLocation,
    KeyNotAtHand,
    Keyring,
    KeyTreeAway,
    KeyTrees,
    LeafCut,
    StoredTree,
    head_of,
)
from amply.infra.vault.keyring import KEPT_AT_MOST, LOOK_EVERY, TREE_AWAY
from amply.infra.vault.puncturable_prf import KeyTree
from amply.infra.vault.reencryption import reencrypt
from amply.infra.vault.shredding import LEFT_BEHIND
from amply.kernel.clock import system_clock
from tests.backend.conftest import Databases
from tests.backend.db.test_keyring import Process, Ticks
from tests.backend.key_service import MemoryTrees, Wrapping, keyring
from tests.backend.plan_world import ADA, EMAIL
from tests.backend.shredding_world import House, furnished

PLACE = CellLocation(table="donation", column="sealed", row="don_1")


@pytest.fixture
def house(databases: Databases) -> House:
    return furnished(databases)


def test_only_who_keeps_trees_makes_one_and_until_then_values_are_sealed_as_before(
    databases: Databases,
) -> None:
    api_database, worker_database = databases.as_role("amply_api"), databases.as_role("amply_app")
    with databases.as_role("master").engine.begin() as connection:
        connection.execute(text("DELETE FROM data_key"))
    bucket = secrets.token_hex(8)
    api = keyring(api_database, bucket=bucket, keeps_trees=False)
    before = api.seal(b"Ada", scope=DONORS, at=PLACE, of=ADA)
    assert head_of(before).leaf is None
    assert MemoryTrees(bucket=bucket).kept == {}

    worker = keyring(worker_database, bucket=bucket)
    later = keyring(api_database, bucket=bucket, keeps_trees=False)
    for sealing in (worker, later):
        sealed = sealing.seal(b"Ada", scope=DONORS, at=PLACE, of=ADA)
        assert head_of(sealed).leaf == tree_of(worker).leaf_of(ADA)
        assert [each.open(sealed, scope=DONORS, at=PLACE) for each in (worker, later)] == [b"Ada"] * 2
    assert later.open(before, scope=DONORS, at=PLACE) == b"Ada"


def tree_of(keys: Keyring) -> KeyTree:
    assert keys.trees is not None
    held = keys.trees.look(DONORS, 1)
    assert held is not None
    assert held.tree is not None
    return held.tree


def test_before_leaves_begin_values_are_sealed_as_the_release_before_reads_them_and_taken_over_later(
    house: House,
) -> None:
    master = house.databases.as_role("master")
    with master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET leaves_begin_at = now() + interval '3 hours'"))
    house.starts_anew()
    house.plans.start(key="again")
    assert [head_of(each).leaf is None for each in house.gifts().values()] == [False, True]

    with master.engine.begin() as connection:
        connection.execute(text("UPDATE sealing SET leaves_begin_at = now()"))
    house.starts_anew()
    assert reencrypt(house.database, of_donors(), now=system_clock()) == 2
    assert {head_of(each).leaf for each in house.gifts().values()} == {house.tree().leaf_of(ADA)}
    assert house.addresses() == [EMAIL, EMAIL]


def test_a_process_goes_on_while_the_bucket_is_away_and_for_hours(house: House) -> None:
    store = Away(bucket=house.databases.name)
    process = Process(house.database, ticks=Ticks())
    wrapping = Wrapping()
    process.keys = Keyring(
        house.database.engine,
        wrapping,
        trees=KeyTrees(store, wrapping, keeps=False),
        clock=system_clock,
        ticks=process.ticks,
    )
    process.keys.freshen()
    ((gift, sealed),) = house.gifts().items()
    at = CellLocation(table="donation", column="sealed", row=gift)
    store.is_away = True
    process.waits(LOOK_EVERY * 2)
    assert EMAIL.encode() in process.keys.open(sealed, scope=DONORS, at=at)
    process.waits(KEPT_AT_MOST + timedelta(minutes=1))
    with pytest.raises(KeyNotAtHand):
        process.keys.open(sealed, scope=DONORS, at=at)
    with pytest.raises(KeyNotAtHand):
        process.keys.seal(b"Ada", scope=DONORS, at=at, of=ADA)
    store.is_away = False
    process.waits(LOOK_EVERY)
    assert EMAIL.encode() in process.keys.open(sealed, scope=DONORS, at=at)


class Away(MemoryTrees):
    """A bucket that does not answer."""

    is_away = False

    def read(self, name: str, *, unless: str | None = None) -> StoredTree | None:
        if self.is_away:
            raise KeyTreeAway("away")
        return super().read(name, unless=unless)


def test_a_tree_that_is_lost_rings_and_its_copy_opens_everything_but_what_was_erased(house: House) -> None:
    house.plans.start(key="bobs", email="bob@example.org")
    (erased, *_) = house.gifts().items()
    house.erase()
    copy = dict(house.bucket)

    house.bucket.clear()
    with structlog.testing.capture_logs() as lines:
        house.starts_anew()
    assert [line["event"] for line in lines] == [TREE_AWAY]
    assert "donors/1 is not there" in lines[0]["reason"]
    with pytest.raises(KeyNotAtHand):
        house.addresses()
    with pytest.raises(KeyNotAtHand):
        house.plans.start(key="none is made instead")
    assert house.bucket == {}

    house.bucket.update(copy)
    assert house.addresses() == ["bob@example.org", None]
    with pytest.raises(LeafCut):
        house.opened(*erased)


def test_a_copy_from_before_an_erasure_that_is_put_back_is_cut_again_by_the_worker(house: House) -> None:
    (gift,) = house.gifts().items()
    older = dict(house.bucket)
    house.erase()
    house.bucket.update(older)
    assert EMAIL.encode() in house.opened(*gift)
    house.starts_anew()
    assert house.worker() == 1
    with pytest.raises(LeafCut):
        house.opened(*gift)
    house.starts_anew()
    assert house.worker() == 0


def test_a_copy_of_a_destroyed_versions_tree_that_is_put_back_is_cut_again_as_well(house: House) -> None:
    leaf = house.tree().leaf_of(ADA)
    house.rotate()
    while reencrypt(house.database, of_donors(), now=system_clock() + timedelta(hours=3)):
        pass
    with house.database.transaction() as session:
        assert (
            session.scalar(text("SELECT wrapped FROM data_key WHERE scope = 'donors' AND version = 1"))
            is None
        )
    older = house.bucket["donors/1"]
    house.erase()
    house.bucket["donors/1"] = older
    assert house.tree().has(leaf)
    assert house.worker() == 1
    assert not house.tree().has(leaf)
    assert house.worker() == 0


def test_a_former_tree_that_is_away_holds_back_no_erasure_of_the_newest(house: House) -> None:
    house.rotate()
    closed = house.close()
    house.remove()
    house.finish([each for each in closed if each.version == 1])
    lost = house.bucket.pop("donors/1")
    with pytest.raises(KeyTreeAway):
        house.worker(later=LEFT_BEHIND)
    assert not house.tree(2).has(next(each.leaf for each in closed if each.version == 2))
    house.bucket["donors/1"] = lost
    assert house.worker(later=LEFT_BEHIND) == 0


@pytest.mark.parametrize("body", [b"", b"something else", None])
def test_bytes_that_are_no_tree_ring_and_are_not_taken_for_an_erasure(
    house: House, body: bytes | None
) -> None:
    if body is None:
        stored = house.bucket["donors/1"].body
        body = stored[:-1] + bytes([stored[-1] ^ 1])
    house.bucket["donors/1"] = replace(house.bucket["donors/1"], body=body, mark="other")
    with structlog.testing.capture_logs() as lines:
        house.starts_anew()
    assert [line["event"] for line in lines] == [TREE_AWAY]
    with pytest.raises(KeyNotAtHand):
        house.addresses()


def test_another_tree_in_its_place_rings(house: House) -> None:
    house.bucket.clear()
    house.trees.make(DONORS, 1)
    with structlog.testing.capture_logs() as lines:
        house.starts_anew()
    assert [line["event"] for line in lines] == [TREE_AWAY]
    assert "another one" in lines[0]["reason"]
    with pytest.raises(KeyNotAtHand):
        house.addresses()
