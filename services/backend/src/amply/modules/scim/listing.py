"""A directory's groups for somebody who signs in through the provider. They override the groups in the provider's token."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.modules import people
from amply.modules.federation import DirectoryEntry
from amply.modules.scim import group_digests

_MINE: Final = text("SELECT id, person_id, active FROM listed_as(:organization_id, :index)")
_GROUPS: Final = text("SELECT digest FROM groups_listed(:organization_id, :user, :names)")
_NAMES: Final = text("SELECT group_roles FROM roles_by_provider(:organization_id)")
# What an earlier release wrote has no digests that count until its directory asks this one; that is a thousand at most.
_EARLIER: Final = text("SELECT id, kind, sealed FROM listed_without_digests(:organization_id)")
_HAS_ONE: Final = text("SELECT has_directory(:organization_id)")
_CLAIM: Final = text("SELECT claim_listed(:organization_id, :user_id)")


@dataclass(frozen=True)
class Listing:
    """Implements `federation.Directory`."""

    key: people.PeopleKey = field(repr=False)

    def listed(
        self, session: Session, *, organization_id: str, person_id: str, address: people.Address
    ) -> DirectoryEntry | None:
        """Look up by person, or, at the first sign-in, by address."""
        del person_id  # the unit of work is bound to them, and the database's functions know
        if not session.scalar(_HAS_ONE, {"organization_id": organization_id}):
            return None
        own = {"organization_id": organization_id}
        mine = session.execute(_MINE, {**own, "index": self.key.index_of(address)}).one_or_none()
        if mine is None:
            return DirectoryEntry(is_active=False, groups=())
        earlier = {row.id: (row.kind, self._said(row)) for row in session.execute(_EARLIER, own)}
        _, said = earlier.get(mine.id, ("User", {"active": mine.active is not False}))
        if not said.get("active", True):
            return DirectoryEntry(is_active=False, groups=())
        if mine.person_id is None:
            session.execute(_CLAIM, {**own, "user_id": mine.id})
        groups = [each for kind, each in earlier.values() if kind == "Group"]
        named = self._named(session, organization_id=organization_id, user_id=mine.id)
        return DirectoryEntry(is_active=True, groups=(*named, *_of(groups, mine.id)))

    def _named(self, session: Session, *, organization_id: str, user_id: str) -> tuple[str, ...]:
        """The groups a user is in that roles are given to; others mean nothing here."""
        asked: dict[str, Any] = {"key": self.key, "organization_id": organization_id}
        roles = session.scalar(_NAMES, {"organization_id": organization_id}) or {}
        names = {group_digests.called(each, **asked): each for each in roles}
        given = {
            "organization_id": organization_id,
            "user": group_digests.has(user_id, **asked),
            "names": list(names),
        }
        return tuple(names[bytes(each)] for each in session.scalars(_GROUPS, given)) if names else ()

    def _said(self, row: Any) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.key.unseal(bytes(row.sealed), of=row.id))
        return said


def _of(groups: Iterable[dict[str, Any]], user_id: str) -> Iterable[str]:
    for group in groups:
        if any(each.get("value") == user_id for each in group.get("members") or ()):
            yield str(group.get("displayName", ""))
