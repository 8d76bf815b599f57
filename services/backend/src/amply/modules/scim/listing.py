"""What a directory says of somebody who comes by the organisation's provider. What the provider's token says of groups
does not count where a directory says it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.modules import people
from amply.modules.federation import Listed

_LISTED: Final = text("SELECT id, kind, person_id, address_index, sealed FROM listed_by(:organization_id)")
_HAS_ONE: Final = text("SELECT has_directory(:organization_id)")
_CLAIM: Final = text("SELECT claim_listed(:organization_id, :user_id)")


@dataclass(frozen=True)
class Listing:
    """Implements `federation.Directory`."""

    key: people.PeopleKey = field(repr=False)

    def listed(
        self, session: Session, *, organization_id: str, person_id: str, address: people.Address
    ) -> Listed | None:
        """By who they are here, or, for the first time, by their address."""
        if not session.scalar(_HAS_ONE, {"organization_id": organization_id}):
            return None
        rows = session.execute(_LISTED, {"organization_id": organization_id}).all()
        index = self.key.index_of(address)
        found = [row for row in rows if row.person_id == person_id]
        found += [row for row in rows if row.person_id is None and row.address_index == index]
        if not found or not self._said(found[0]).get("active", True):
            return Listed(is_active=False, groups=())
        mine = found[0]
        if mine.person_id is None:
            session.execute(_CLAIM, {"organization_id": organization_id, "user_id": mine.id})
        groups = [self._said(row) for row in rows if row.kind == "Group"]
        return Listed(is_active=True, groups=tuple(_of(groups, mine.id)))

    def _said(self, row: Any) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.key.unseal(bytes(row.sealed), of=row.id))
        return said


def _of(groups: Iterable[dict[str, Any]], user_id: str) -> Iterable[str]:
    for group in groups:
        if any(each.get("value") == user_id for each in group.get("members") or ()):
            yield str(group.get("displayName", ""))
