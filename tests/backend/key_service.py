"""Test keys for personal data, and in-memory doubles of KMS and the key-tree bucket."""

import secrets
from collections import defaultdict
from threading import Lock
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from amply.infra.database import Database
from amply.infra.vault import Keyring, KeyTreeMoved, KeyTrees, KeyWrappingAway, StoredTree

HAVE_KEYS = frozenset({"amply_api", "amply_app"})
"""Roles of processes that keep or show what is personal."""
ONLY_OPENS = "amply_operator"
"""The role of staff's commands, which open what organisations said of themselves."""


class Wrapping:
    """Stands for the key service where a test is about something else; `contract/test_key_wrapping.py` holds it to KMS."""

    _KEY = AESGCM(b"w" * 32)

    def __init__(self, *, key_arn: str = "") -> None:
        """As `KmsKeyWrapping`, which it stands in for in commands; there is one key, whatever it is called."""

    def generate(self, *, scope: str, version: int) -> tuple[bytes, bytes]:
        key = secrets.token_bytes(32)
        nonce = secrets.token_bytes(12)
        return key, nonce + self._KEY.encrypt(nonce, key, f"{scope}/{version}".encode())

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        try:
            return self._KEY.decrypt(wrapped[:12], wrapped[12:], f"{scope}/{version}".encode())
        except InvalidTag:
            raise KeyWrappingAway("refused") from None


class MemoryTrees:
    """Stands for the bucket of trees; `contract/test_key_trees.py` holds both to the same."""

    _BUCKETS: ClassVar[defaultdict[str, dict[str, StoredTree]]] = defaultdict(dict)
    _ONE_AT_A_TIME: ClassVar[Lock] = Lock()

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self.kept = self._BUCKETS[bucket]

    @classmethod
    def copy(cls, template: str, *, name: str) -> None:
        """As a database that is copied: what its values are sealed under goes along."""
        cls._BUCKETS[name] = dict(cls._BUCKETS[template])

    @classmethod
    def drop(cls, name: str) -> None:
        cls._BUCKETS.pop(name, None)

    def read(self, name: str, *, unless: str | None = None) -> StoredTree | None:
        found = self.kept.get(name)
        return StoredTree(body=b"", mark=unless) if found is not None and found.mark == unless else found

    def write(self, name: str, body: bytes, *, replaces: str | None) -> str:
        with self._ONE_AT_A_TIME:
            found = self.kept.get(name)
            if (found.mark if found is not None else None) != replaces:
                raise KeyTreeMoved("moved")
            self.kept[name] = StoredTree(body=body, mark=secrets.token_hex(8))
            return self.kept[name].mark


def new_keyring(
    database: Database, wrapping: Wrapping | None = None, *, like: Keyring | None = None
) -> Keyring:
    """The keys of a process that starts now; its trees are where those of another process are."""
    trees = like.trees if like is not None else None
    return Keyring(database.engine, wrapping or Wrapping(), trees=trees)


def keyring_for(user: str, database: Database, *, bucket: str) -> Keyring | None:
    """The keys that a process of this role has."""
    if user == ONLY_OPENS:
        return Keyring(database.engine, Wrapping(), scopes=(), only_opens=True)
    return keyring(database, bucket=bucket, keeps_trees=user == "amply_app") if user in HAVE_KEYS else None


def keyring(database: Database, *, bucket: str = "tests", keeps_trees: bool = True) -> Keyring:
    """The keys of a process that has started."""
    wrapping = Wrapping()
    trees = KeyTrees(MemoryTrees(bucket=bucket), wrapping, keeps=keeps_trees)
    made = Keyring(database.engine, wrapping, trees=trees)
    made.freshen()
    return made
