"""SCIM rows that key rotation re-encrypts."""

from amply.infra.vault.reencryption import SealedRows
from amply.modules import people
from amply.modules.scim.models import ResourceRow


def sealed_rows(key: people.PeopleKey) -> SealedRows:
    """Resources encrypted under the people key."""
    return people.sealed_columns_of(
        key, "directories", columns=(people.SealedColumn(column=ResourceRow.sealed, of=str),)
    )
