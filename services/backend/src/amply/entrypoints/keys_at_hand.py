"""A database whose processes keep and show what is personal: it has the keys for that at hand."""

from amply.adapters.kms import KmsKeyWrapping
from amply.infra.database import Database
from amply.infra.settings import VaultSettings
from amply.infra.vault import ALWAYS, Keyring


def with_keys(database: Database, settings: VaultSettings, *, only_opens: bool = False) -> Database:
    """The same database; its transactions find the keys there.

    `only_opens`: none but those it asks for, which are organisations' own, and it seals nothing.
    """
    database.keyring = Keyring(
        database.engine,
        KmsKeyWrapping(key_arn=settings.personal_key_arn),
        scopes=() if only_opens else ALWAYS,
        only_opens=only_opens,
    )
    return database
