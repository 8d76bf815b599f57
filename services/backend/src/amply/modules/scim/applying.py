"""What a directory has changed, made so here at once: who is gone or not active is out, with all their sessions, and groups
are roles. An organisation keeps an owner, whatever its directory says.
"""

from collections.abc import Mapping
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
from amply.modules.scim.domain import Known
from amply.modules.scim.shelf import Shelf, address_in

_LAST_OWNER: Final = "ck_member_last_owner"
_ROLES: Final = text("SELECT default_role, group_roles FROM roles_by_provider(:organization_id)")
_DOMAINS: Final = text("SELECT unnest(domains) FROM find_connection(:organization_id)")
_MEMBERS: Final = text("SELECT person_id, role FROM member WHERE organization_id = :organization_id")
_USERS: Final = text(
    "SELECT id, person_id FROM scim_resource WHERE organization_id = :organization_id AND kind = 'User'"
)
_SET: Final = text(
    "UPDATE member SET role = :role WHERE organization_id = :organization_id AND person_id = :person_id"
)
_END: Final = text("DELETE FROM member WHERE organization_id = :organization_id AND person_id = :person_id")
_UNINVITE: Final = text(
    "DELETE FROM member_invitation WHERE organization_id = :organization_id AND invited_by = :person_id"
)


@dataclass
class Applying:
    """One request's. `stamps` are the new stamps of those whose sessions end, for the cache to be told of afterwards."""

    session: Session
    known: Known
    shelf: Shelf
    key: people.PeopleKey = field(repr=False)
    now: datetime
    stamps: dict[str, int] = field(default_factory=dict)

    def apply(self) -> None:
        """Hold all users against the members, and change those who are not as the directory has them.

        Raises:
            LastOwner: Nobody would be left to own the organisation; nothing of the request is kept.
        """
        self._link()
        members = self._members()
        for person_id in self.shelf.deleted_persons:
            if person_id in members:
                self._end(person_id)
        roles = self.session.execute(_ROLES, self._where()).one_or_none()
        for user_id, person_id in self._persons().items():
            user = next((each for each in self.shelf.users if each.id == user_id), None)
            if user is None or person_id not in members:
                continue
            if user.active is False:
                self._end(person_id)
            elif roles is not None and members[person_id] != Role.OWNER:
                self._give(person_id, members[person_id], self._role(roles, user_id))

    def _role(self, roles: Any, user_id: str) -> Role | None:
        groups = [
            str(group.display_name)
            for group in self.shelf.groups
            if any(each.value == user_id for each in group.members or ())
        ]
        return federation.role_by(roles.default_role, roles.group_roles, tuple(groups))

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
        domains = set(self.session.scalars(_DOMAINS, self._where()))
        persons = self._persons()
        members = self._members()
        for user in self.shelf.users:
            address = None if persons.get(user.id) else address_in(user)
            if address is None or address.folded.rpartition("@")[2] not in domains:
                continue
            person_id = people.find_by_address(self.session, address=address, key=self.key)
            if person_id is not None and person_id in members and person_id not in persons.values():
                self.shelf.link(user.id, person_id)

    def _members(self) -> Mapping[str, str]:
        return {row.person_id: row.role for row in self.session.execute(_MEMBERS, self._where())}

    def _persons(self) -> Mapping[str, str]:
        rows = self.session.execute(_USERS, self._where())
        return {row.id: row.person_id for row in rows if row.person_id is not None}

    def _where(self) -> dict[str, str]:
        return {"organization_id": self.known.organization_id}

    def _record(self, action: Action, person_id: str, *, reason: str | None = None) -> None:
        deed = audit.Deed(
            actor=audit.Actor(kind=audit.ActorKind.KEY, id=self.known.token_id),
            action=action,
            targets=(person_id,),
            organization_id=self.known.organization_id,
            reason=reason,
        )
        audit.record(self.session, deed, now=self.now)
