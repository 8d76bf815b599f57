"""Nothing is sealed by an envelope key that a rotation does not seal anew: it would be lost with the key."""

from sqlalchemy import text

from amply.entrypoints.personal_data import sealed_rows
from amply.infra.database import Database
from amply.infra.vault.reencryption import QUIET
from amply.modules.people.oidc_sign_in import LINK_LASTS
from tests.backend.people_world import KEY

BY_NO_ENVELOPE_KEY = {
    "donor_document.sealed": "by the links' secret, for an hour",
    "closed_leaf.leaf": "a number that the tree of keys makes of a donor",
    "data_key.tree": "which tree of keys it is, at random",
    "data_key.wrapped": "by KMS: it is an envelope key",
    "daily_key.key": "a key itself, for a day",
    "person_passkey.public_key": "public",
    "person_passkey.credential_id": "told to every browser that asks",
    "receipt_settings.logo": "an organisation's picture",
    "decline.id": "a digest",
    "leaf.bytes": "what the log publishes",
    "tile.hashes": "what the log publishes",
}
DIGESTS = {
    *("address", "card", "device", "mail", "mail_domain", "network"),
    *("address_index", "digest", "hash", "leaf_hash", "mark", "org_prev", "previous_hash"),
    *("request_hash", "root"),
}
"""Names of columns that hold digests, wherever they stand: nobody opens one."""


def _bytes_columns(database: Database) -> set[str]:
    with database.transaction() as session:
        return set(
            session.scalars(
                text("""
                    SELECT relname || '.' || attname FROM pg_attribute
                    JOIN pg_class ON pg_class.oid = attrelid
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
                        AND atttypid = 'bytea'::regtype AND attnum > 0 AND NOT attisdropped
                """)
            )
        )


def test_every_column_of_bytes_is_tended_or_is_nothing_that_an_envelope_key_seals(database: Database) -> None:
    held = {
        f"{column.class_.__tablename__}.{column.key}"
        for kind in sealed_rows(KEY)
        for columns in kind.columns.values()
        for column in columns
    }
    found = _bytes_columns(database)
    explained = {each for each in found if each.partition(".")[2] in DIGESTS}
    assert sorted(found - held - explained) == sorted(BY_NO_ENVELOPE_KEY), (
        "add a new one to `sealed_rows`, or say why not"
    )
    assert held <= found
    assert not held & explained, "what key rotation covers is no digest"


def test_what_the_cache_keeps_sealed_is_gone_before_its_key_is_destroyed() -> None:
    assert LINK_LASTS < QUIET
