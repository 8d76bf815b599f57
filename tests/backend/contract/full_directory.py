"""A SCIM directory with thousands of users, inserted in bulk as single requests would have written them."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text

from amply.kernel import ids
from amply.modules.scim import digests, group_digests
from tests.backend.contract.scim_directory import Directory
from tests.backend.federation_world import DOMAIN, FederationWorld

STATEMENTS_MAX: Final = 30
"""Of one request, those that bind it, count it and record it among them."""


def run(river: FederationWorld, statement: str, **values: Any) -> None:
    with river.master.transaction() as session:
        session.execute(text(statement), values)


def found(directory: Directory, path: str) -> list[str]:
    answer = directory.ask("GET", path)
    assert answer.status_code == 200, answer.text
    return [str(each["id"]) for each in answer.json()["Resources"]]


def fill(river: FederationWorld, many: int) -> list[str]:
    """Users as a directory would have written them one by one, and a group of them all; their ids."""
    key, organization_id = river.people.parts.key, river.organization_id
    with river.master.transaction() as session:
        like = session.execute(text("SELECT id, sealed FROM scim_resource WHERE kind = 'User'")).one()
    said = json.loads(key.unseal(bytes(like.sealed), of=like.id))
    made = [ids.new_id("scu") for _ in range(many)]
    names = [f"user-{n}@{DOMAIN}" for n in range(many)]
    run(
        river,
        """
        INSERT INTO scim_resource (id, organization_id, kind, sealed, active, is_indexed)
        SELECT id, :of, 'User', sealed, true, true
        FROM unnest(CAST(:ids AS text[]), CAST(:sealed AS bytea[])) AS given (id, sealed)
        """,
        of=organization_id,
        ids=made,
        sealed=[
            key.seal(json.dumps({**said, "id": each, "userName": name}), of=each)
            for each, name in zip(made, names, strict=True)
        ],
    )
    run(
        river,
        """
        INSERT INTO scim_value (organization_id, digest, resource_id)
        SELECT :of, digest, id FROM unnest(CAST(:ids AS text[]), CAST(:digests AS bytea[])) AS given (id, digest)
        """,
        of=organization_id,
        ids=made,
        digests=[
            group_digests.digest_of(digests.USER_NAME, name, key=key, organization_id=organization_id)
            for name in names
        ],
    )
    with river.master.connection() as connection:
        connection.execute(text("ANALYZE scim_resource, scim_value"))
    return made


def crowd(river: FederationWorld, group: str, users: Sequence[str]) -> None:
    """Let these be in a group, as a directory would have put them there one by one."""
    key, organization_id = river.people.parts.key, river.organization_id
    with river.master.transaction() as session:
        sealed = session.scalar(text("SELECT sealed FROM scim_resource WHERE id = :id"), {"id": group})
    said = json.loads(key.unseal(bytes(sealed), of=group))
    said["members"] = [*said["members"], *({"value": each} for each in users)]
    run(
        river,
        """
        WITH had AS (UPDATE scim_resource SET sealed = :sealed, is_indexed = true WHERE id = :id)
        INSERT INTO scim_value (organization_id, digest, resource_id)
        SELECT :of, digest, :id FROM unnest(CAST(:digests AS bytea[])) AS given (digest)
        """,
        of=organization_id,
        id=group,
        sealed=key.seal(json.dumps(said), of=group),
        digests=[group_digests.has(each, key=key, organization_id=organization_id) for each in users],
    )
