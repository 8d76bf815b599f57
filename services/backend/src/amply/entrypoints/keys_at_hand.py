"""A database whose processes keep and show what is personal: it has the keys for that at hand."""

from amply.adapters.kms import KmsKeyWrapping
from amply.infra.database import Database
from amply.infra.settings import VaultSettings
from amply.infra.vault import Keyring


def with_keys(database: Database, settings: VaultSettings) -> Database:
    """The same database; its transactions find the keys there."""
    database.keyring = Keyring(database.engine, KmsKeyWrapping(key_arn=settings.personal_key_arn))
    return database
