"""Rows of blind indexes by which SCIM resources are found, one for each indexed value."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from amply.modules.scim.models import ResourceRow, ValueRow

_GONE: Final = text("""
    DELETE FROM scim_value had
    WHERE had.resource_id = :resource_id AND had.organization_id = :organization_id AND NOT EXISTS (
        SELECT FROM unnest(CAST(:digests AS bytea[])) AS kept WHERE kept = had.digest
    )
""")
_ADDED: Final = text("""
    INSERT INTO scim_value (organization_id, digest, resource_id)
    SELECT :organization_id, kept, :resource_id
    FROM unnest(CAST(:digests AS bytea[])) AS kept
    WHERE NOT EXISTS (SELECT FROM scim_value had WHERE had.resource_id = :resource_id AND had.digest = kept)
    ON CONFLICT DO NOTHING
""")
_NO_LONGER: Final = text("""
    DELETE FROM scim_value
    WHERE organization_id = :organization_id AND resource_id = :resource_id
        AND digest = ANY(CAST(:digests AS bytea[]))
""")
_BESIDES: Final = text("""
    INSERT INTO scim_value (organization_id, digest, resource_id)
    SELECT :organization_id, added, :resource_id FROM unnest(CAST(:digests AS bytea[])) AS added
    ON CONFLICT DO NOTHING
""")
_BOTH: Final = text("""
    SELECT of_user.digest AS user_digest, named.digest AS name_digest
    FROM scim_value named
    JOIN scim_value of_user
        ON of_user.organization_id = named.organization_id AND of_user.resource_id = named.resource_id
    WHERE named.organization_id = :organization_id AND named.digest = ANY(:names) AND of_user.digest = ANY(:users)
""")


def having(organization_id: str, digest: bytes) -> ColumnElement[bool]:
    """Resources of an organisation with a value."""
    found = select(ValueRow.resource_id).where(
        ValueRow.organization_id == organization_id, ValueRow.digest == digest
    )
    return ResourceRow.id.in_(found)


def keep(session: Session, *, organization_id: str, resource_id: str, digests: Collection[bytes]) -> None:
    """Replace a resource's index entries."""
    asked = {"organization_id": organization_id, "resource_id": resource_id, "digests": list(digests)}
    session.execute(_GONE, asked)
    session.execute(_ADDED, asked)


def change(
    session: Session,
    *,
    organization_id: str,
    resource_id: str,
    gone: Collection[bytes],
    added: Collection[bytes],
) -> None:
    """Remove some of a resource's index entries, and add others."""
    for statement, digests in ((_NO_LONGER, gone), (_BESIDES, added)):
        if digests:
            asked = {"organization_id": organization_id, "resource_id": resource_id, "digests": list(digests)}
            session.execute(statement, asked)


def both(
    session: Session, *, organization_id: str, names: Collection[bytes], users: Collection[bytes]
) -> Sequence[Any]:
    """Groups with one of these names and one of these members."""
    asked = {"organization_id": organization_id, "names": list(names), "users": list(users)}
    return session.execute(_BOTH, asked).all()
