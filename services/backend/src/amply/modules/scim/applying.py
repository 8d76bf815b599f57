"""Applies directory changes: deactivated users lose membership and sessions at once, groups map to roles. An owner always
remains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg.errors
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.modules import audit, federation, people
from amply.modules.access import LastOwner, Role
from amply.modules.audit import Action
from amply.modules.scim import group_digests, values
from amply.modules.scim.domain import DirectoryCaller
from amply.modules.scim.models import ResourceRow
from amply.modules.scim.storage import PostgresScimStorage, address_in

_LAST_OWNER: Final = "ck_member_last_owner"
_ROLES: Final = text("SELECT default_role, group_roles FROM roles_by_provider(:organization_id)")
_DOMAINS: Final = text("SELECT unnest(domains) FROM find_connection(:organization_id)")
_STILL_IN: Final = text("""
    SELECT person_id FROM member WHERE organization_id = :organization_id AND person_id = ANY(:person_ids)
""")
_LISTED: Final = text("""
    SELECT resource.id AS user_id, member.person_id, resource.active, member.role
    FROM member
    JOIN scim_resource resource
        ON (resource.organization_id, resource.person_id) = (member.organization_id, member.person_id)
    WHERE member.organization_id = :organization_id AND resource.kind = 'User'
    ORDER BY resource.id
""")
# Members whose address a user has who is nobody here yet.
_ALIKE: Final = text("""
    SELECT resource.id AS user_id, person.id AS person_id
    FROM member
    JOIN person ON person.id = member.person_id
    JOIN scim_resource resource
        ON (resource.organization_id, resource.address_index) = (member.organization_id, person.address_index)
    WHERE member.organization_id = :organization_id AND resource.kind = 'User' AND resource.person_id IS NULL
        AND NOT EXISTS (
            SELECT FROM scim_resource linked
            WHERE (linked.organization_id, linked.person_id) = (member.organization_id, member.person_id)
        )
    ORDER BY resource.id
""")
_SET: Final = text(
    "UPDATE member SET role = :role WHERE organization_id = :organization_id AND person_id = :person_id"
)
_END: Final = text("DELETE FROM member WHERE organization_id = :organization_id AND person_id = :person_id")
_UNINVITE: Final = text(
    "DELETE FROM member_invitation WHERE organization_id = :organization_id AND invited_by = :person_id"
)


@dataclass
class Applying:
    """Effects of one SCIM request. `stamps`: new stamps of people whose sessions end, to be written to the cache
    afterwards.
    """

    session: Session
    known: DirectoryCaller
    shelf: PostgresScimStorage
    key: people.PeopleKey = field(repr=False)
    now: datetime
    stamps: dict[str, int] = field(default_factory=dict)

    def apply(self) -> None:
        """Compare members with the directory, and apply up to five hundred differences.

        Raises:
            LastOwner: Nobody would be left to own the organisation; nothing of the request is kept.
        """
        self._link()
        for person_id in self._still_in(self.shelf.deleted_persons):
            self._end(person_id)
        roles = self.session.execute(_ROLES, self._where()).one_or_none()
        listed = self.session.execute(_LISTED, self._where()).all()
        groups = {} if roles is None else self._groups_of([row.user_id for row in listed], roles.group_roles)
        for row in listed:
            if row.active is False:
                self._end(row.person_id)
            elif roles is not None and row.role != Role.OWNER:
                named = tuple(groups.get(row.user_id, ()))
                self._give(
                    row.person_id, row.role, federation.role_by(roles.default_role, roles.group_roles, named)
                )

    def _groups_of(self, user_ids: Sequence[str], group_roles: Mapping[str, str]) -> Mapping[str, list[str]]:
        """Those of a role's groups that each user is in, by the digests of both."""
        asked: dict[str, Any] = {"key": self.key, "organization_id": self.known.organization_id}
        users = {group_digests.has(each, **asked): each for each in user_ids}
        names = {group_digests.called(each, **asked): each for each in group_roles}
        found: dict[str, list[str]] = {}
        for row in values.both(
            self.session, organization_id=self.known.organization_id, names=names.keys(), users=users.keys()
        ):
            found.setdefault(users[bytes(row.user_digest)], []).append(names[bytes(row.name_digest)])
        return found

    def _give(self, person_id: str, before: str, role: Role | None) -> None:
        if role is None:
            self._end(person_id)
            return
        if role == before:
            return
        self.session.execute(_SET, {**self._where(), "person_id": person_id, "role": role})
        if role.rank < Role(before).rank:
            self.session.execute(_UNINVITE, {**self._where(), "person_id": person_id})
        self._record(Action.MEMBER_ROLE_CHANGED, person_id, reason=role)

    def _end(self, person_id: str) -> None:
        """Out, and every session with it: who was let go must not go on anywhere they are signed in."""
        self.session.execute(_UNINVITE, {**self._where(), "person_id": person_id})
        try:
            self.session.execute(_END, {**self._where(), "person_id": person_id})
        except IntegrityError as refused:
            cause = refused.orig
            if isinstance(cause, psycopg.errors.CheckViolation) and cause.diag.constraint_name == _LAST_OWNER:
                raise LastOwner(
                    "An organisation keeps an owner: have somebody else made one before this one leaves."
                ) from None
            raise
        stamp = people.move_stamp(self.session, person_id=person_id)
        if stamp is not None:
            self.stamps[person_id] = stamp
        self._record(Action.MEMBER_REMOVED, person_id)

    def _link(self) -> None:
        """Users who are members already, by their address, where that is of a domain of the organisation's."""
        alike = {row.user_id: row.person_id for row in self.session.execute(_ALIKE, self._where())}
        if not alike:
            return
        domains = set(self.session.scalars(_DOMAINS, self._where()))
        linked: set[str] = set()
        for user in self.shelf.users(ResourceRow.id.in_(alike)):
            address, person_id = address_in(user), alike[user.id]
            if address is None or address.folded.rpartition("@")[2] not in domains or person_id in linked:
                continue
            self.shelf.link(user.id, person_id)
            linked.add(person_id)

    def _still_in(self, person_ids: Sequence[str]) -> Sequence[str]:
        if not person_ids:
            return ()
        asked = {**self._where(), "person_ids": list(person_ids)}
        return self.session.scalars(_STILL_IN, asked).all()

    def _where(self) -> dict[str, str]:
        return {"organization_id": self.known.organization_id}

    def _record(self, action: Action, person_id: str, *, reason: str | None = None) -> None:
        deed = audit.AuditedAction(
            actor=audit.Actor(kind=audit.ActorKind.KEY, id=self.known.token_id),
            action=action,
            targets=(person_id,),
            organization_id=self.known.organization_id,
            reason=reason,
        )
        audit.record(self.session, deed, now=self.now)
