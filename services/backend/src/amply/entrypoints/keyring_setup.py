"""Attaches the keyring for personal data to a Database."""

from amply.adapters.kms import KmsKeyWrapping
from amply.adapters.s3 import S3KeyTrees
from amply.infra.database import Database
from amply.infra.settings import OpeningSettings, VaultSettings
from amply.infra.vault import Keyring, KeyTrees


def with_keys(database: Database, settings: VaultSettings, *, keeps_trees: bool) -> Database:
    """Attach a keyring to the database, and return it. `keeps_trees`: whether this process may write key trees."""
    wrapping = KmsKeyWrapping(key_arn=settings.personal_key_arn)
    trees = KeyTrees(S3KeyTrees(bucket=settings.key_tree_bucket), wrapping, keeps=keeps_trees)
    database.keyring = Keyring(database.engine, wrapping, trees=trees)
    return database


def that_only_opens(database: Database, settings: OpeningSettings) -> Database:
    """Attach a decrypt-only keyring for organisations' own keys, each loaded on demand, and return the database."""
    wrapping = KmsKeyWrapping(key_arn=settings.personal_key_arn)
    database.keyring = Keyring(database.engine, wrapping, scopes=(), only_opens=True)
    return database
