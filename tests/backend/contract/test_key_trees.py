"""Where trees of keys are kept: S3 as the emulated cloud has it, and what other tests use, held to the same."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from amply.adapters.kms import KmsKeyWrapping
from amply.adapters.s3 import S3KeyTrees
from amply.infra.database import Database, ExternalCallInTransaction
from amply.infra.vault import DONORS, KeyTreeAway, KeyTreeMoved, KeyTrees, KeyWrappingAway, TreeStore
from tests.backend.key_service import MemoryTrees, Wrapping

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.usefixtures("cloud")]


def a_bucket() -> str:
    name = f"key-trees-{secrets.token_hex(8)}"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def _in_s3() -> TreeStore:
    return S3KeyTrees(bucket=a_bucket())


def _in_memory() -> TreeStore:
    return MemoryTrees(bucket=secrets.token_hex(8))


both = pytest.mark.parametrize("store_of", [_in_s3, _in_memory])


@both
def test_no_write_goes_over_another_one(store_of: Callable[[], TreeStore]) -> None:
    store = store_of()
    assert store.read("donors/1") is None
    with pytest.raises(KeyTreeMoved):
        store.write("donors/1", b"one", replaces='"something"')
    first = store.write("donors/1", b"one", replaces=None)
    with pytest.raises(KeyTreeMoved):
        store.write("donors/1", b"another", replaces=None)
    second = store.write("donors/1", b"two", replaces=first)
    with pytest.raises(KeyTreeMoved):
        store.write("donors/1", b"three", replaces=first)
    found = store.read("donors/1", unless=first)
    assert found is not None
    assert (found.body, found.mark) == (b"two", second)
    known = store.read("donors/1", unless=second)
    assert known is not None
    assert known.mark == second


@both
def test_leaves_cut_at_once_are_all_cut(store_of: Callable[[], TreeStore]) -> None:
    store = store_of()
    trees = KeyTrees(store, Wrapping(), keeps=True)
    trees.make(DONORS, 1)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda leaf: trees.cut(DONORS, 1, [leaf]), range(3))) == [True] * 3
    held = trees.look(DONORS, 1)
    assert held is not None
    assert held.tree is not None
    assert [held.tree.has(leaf) for leaf in range(4)] == [False, False, False, True]
    assert trees.cut(DONORS, 1, [1]) is False, "and once more changes nothing"


def test_what_stands_in_s3_tells_no_secret_and_opens_for_its_scope_and_version_alone() -> None:
    bucket = a_bucket()
    s3, kms = boto3.client("s3"), boto3.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    trees = KeyTrees(S3KeyTrees(bucket=bucket), KmsKeyWrapping(key_arn=arn), keeps=True)
    tree = trees.make(DONORS, 1)
    leaf = tree.leaf_of("ada")
    trees.cut(DONORS, 1, [leaf])

    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [(each["Key"], each["IsLatest"]) for each in versions] == [("donors/1", True), ("donors/1", False)]
    bodies = [
        s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
        for each in versions
    ]
    for body in bodies:
        for secret in (tree.nodes, tree.naming, leaf.to_bytes(8)):
            assert secret not in body
    assert 2_000 < len(bodies[0]) < 3_500, "an erasure of some two kilobytes, and the wrapped key"

    s3.put_object(Bucket=bucket, Key="donors/2", Body=bodies[0])
    with pytest.raises((KeyWrappingAway, KeyTreeAway)):
        trees.look(DONORS, 2)
    kms.disable_key(KeyId=arn)
    with pytest.raises(KeyWrappingAway):
        trees.look(DONORS, 1)


def test_a_bucket_that_is_not_there_is_away_and_is_not_asked_inside_a_transaction(database: Database) -> None:
    away = S3KeyTrees(bucket=f"nobodys-{secrets.token_hex(8)}")
    with pytest.raises(KeyTreeAway):
        away.read("donors/1")
    with pytest.raises(KeyTreeAway):
        away.write("donors/1", b"one", replaces=None)
    with database.transaction():
        with pytest.raises(ExternalCallInTransaction):
            away.read("donors/1")
        with pytest.raises(ExternalCallInTransaction):
            away.write("donors/1", b"one", replaces=None)
