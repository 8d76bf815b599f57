"""PostgreSQL storage of a directory's users and groups, as scim2-server requires it.

They are sealed, so that the database finds them by digests of their names, ids and members, and counts and pages what it found
(ADR 0131). Filters and orders that it does not have are left to the library's own storage in memory, over a thousand at most. That
one also decides what a change means: it is given the rows that the change is about, and what it makes of them is written down. Of a
group it is given the members that are named, where the change is about them alone.
"""

import json
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from scim2_models import (
    Group,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    SearchRequest,
    TooManyException,
    User,
)
from scim2_server.memory import InMemoryStorage
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy import ColumnElement, Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.modules import people
from amply.modules.access import hold_organization
from amply.modules.scim import digests, group_digests, values
from amply.modules.scim.domain import RESOURCES_MAX, DirectoryCaller
from amply.modules.scim.filters import narrowed
from amply.modules.scim.models import ResourceRow

SEARCHED_MAX: Final = 1_000
"""Resources filtered or sorted in memory for one request."""
_BYTES_MAX: Final = 8 * 1024 * 1024
"""Encrypted bytes of one page: groups may be large."""
# The database takes what is written without it for an earlier release's, which keeps no digests (0050).
_DIGESTS_KEPT: Final = text("SELECT set_config('amply.scim_digests', 'kept', true)")
_PREFIXES: Final = {"User": "scu", "Group": "scg"}
_VERSION_BYTES: Final = 12


class TooManyResources(SCIMException):
    """The directory reached its maximum size."""

    status = 409
    _default_detail = (
        f"Delete users or groups first: {RESOURCES_MAX} are kept, and so many members of a group."
    )


class _Memory(InMemoryStorage):
    """The library's in-memory backend with our ids, versions and clock."""

    def generate_id(self, resource_type: ResourceType, resource: Resource[Any]) -> str:
        del resource
        return ids.new_id(_PREFIXES[str(resource_type.name)])

    def next_version(self) -> str:
        return f'W/"{secrets.token_hex(_VERSION_BYTES)}"'


class PostgresScimStorage(ScimStorage):
    """One organisation's resources, within one transaction that is bound to it and its token.

    `named`: the members of a group that the request is about; None where it may be about all.
    """

    def __init__(
        self,
        session: Session,
        known: DirectoryCaller,
        *,
        key: people.PeopleKey,
        models: dict[str, Any],
        now: datetime,
        named: Collection[str] | None = None,
    ) -> None:
        session.execute(_DIGESTS_KEPT)
        self._session = session
        self._known = known
        self._key = key
        self._models = models
        self._memory = _Memory(clock=lambda: now)
        self._own = ResourceRow.organization_id == known.organization_id
        self.deleted_persons: list[str] = []
        self._named = None if named is None else {each.casefold() for each in named}
        self._others: dict[str, list[dict[str, Any]]] = {}
        self._found_by: dict[str, set[bytes]] = {}
        self._find_what_an_earlier_release_wrote()

    def has_users(self) -> bool:
        """Whether the directory has any user."""
        found = select(ResourceRow.id).where(self._own, ResourceRow.kind == "User").limit(1)
        return self._session.scalars(found).one_or_none() is not None

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        self._hold(ResourceRow.id == resource_id)
        return self._memory.get(resource_type, resource_id, response_parameters=response_parameters)

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        kinds = [str(each.name) for each in resource_types]
        found = narrowed(search_request.filter, self._finds)
        matching: list[ColumnElement[bool]] = [ResourceRow.kind.in_(kinds)]
        matching += [] if found.condition is None else [found.condition]
        if found.is_whole and search_request.sort_by is None and search_request.cursor is None:
            return self._page(search_request, *matching)
        self._require_few(*matching)
        self._hold(*matching)
        return self._memory.search(resource_types, search_request, position=position)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        counted = select(func.count()).select_from(ResourceRow).where(self._own)
        if self._session.scalars(counted).one() >= RESOURCES_MAX:
            raise TooManyResources
        kept = _without_secrets(resource)
        self._hold(self._same_name(kept))
        made = self._memory.create(resource_type, kept)
        self._write(resource_type, made)
        return made

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        kept = _without_secrets(resource)
        if str(resource.id) not in self._others:
            self._hold((ResourceRow.id == str(resource.id)) | self._same_name(kept))
        made = self._memory.update(resource_type, kept, expected_version=expected_version)
        self._write(resource_type, made)
        return made

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        self._hold(ResourceRow.id == resource_id)
        self._memory.delete(resource_type, resource_id, expected_version=expected_version)
        gone = self._session.scalars(
            delete(ResourceRow)
            .where(self._own, ResourceRow.id == resource_id)
            .returning(ResourceRow.person_id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if gone is not None:
            self.deleted_persons.append(gone)

    def users(self, *conditions: ColumnElement[bool]) -> list[Any]:
        """Users of these rows, decrypted."""
        rows = self._session.scalars(select(ResourceRow).where(self._own, *conditions))
        return [self._read(row) for row in rows if row.kind == "User"]

    def link(self, user_id: str, person_id: str) -> None:
        """Store which person a user is."""
        self._session.execute(
            update(ResourceRow)
            .where(self._own, ResourceRow.id == user_id)
            .values(person_id=person_id)
            .execution_options(synchronize_session=False)
        )

    def _page(self, asked: SearchRequest[Any], *matching: ColumnElement[bool]) -> SearchPage:
        """In the order of ids, which is the library's where none is asked for. A page of large groups is a shorter one."""
        counted = select(func.count()).select_from(ResourceRow).where(self._own, *matching)
        total = self._session.scalars(counted).one()
        sizes = self._session.execute(
            select(ResourceRow.id, func.length(ResourceRow.sealed).label("bytes"))
            .where(self._own, *matching)
            .order_by(ResourceRow.id)
            .offset(asked.start_index_0 or 0)
            .limit(asked.count)
        )
        chosen, so_far = list[str](), 0
        for row in sizes:
            so_far += row.bytes
            if chosen and so_far > _BYTES_MAX:
                break
            chosen.append(row.id)
        rows = self._session.scalars(
            select(ResourceRow).where(self._own, ResourceRow.id.in_(chosen)).order_by(ResourceRow.id)
        )
        return SearchPage(total, [self._read(row) for row in rows])

    def _require_few(self, *matching: ColumnElement[bool]) -> None:
        some = select(func.length(ResourceRow.sealed).label("bytes")).where(self._own, *matching)
        few = some.limit(SEARCHED_MAX + 1).subquery()
        told = self._session.execute(select(func.count(), func.coalesce(func.sum(few.c.bytes), 0))).one()
        if told[0] > SEARCHED_MAX or told[1] > _BYTES_MAX:
            raise TooManyException(
                detail=f"Ask for less than {SEARCHED_MAX} at once: without an order, and by 'eq' of an id, a name, an address or a member."
            )

    def _finds(self, urn: str, compared: str) -> ColumnElement[bool]:
        return values.having(
            self._known.organization_id,
            group_digests.digest_of(
                urn, compared, key=self._key, organization_id=self._known.organization_id
            ),
        )

    def _same_name(self, resource: Resource[Any]) -> ColumnElement[bool]:
        """Whoever would share a name that is one user's alone."""
        named = digests.name_of(resource)
        return ResourceRow.id.in_(()) if named is None else self._finds(digests.USER_NAME, named)

    def _hold(self, *conditions: ColumnElement[bool]) -> None:
        """Let the storage in memory have these and no others."""
        rows = self._session.scalars(select(ResourceRow).where(self._own, *conditions))
        self._memory.resources = [self._read_named(row) for row in rows]

    def _read(self, row: ResourceRow) -> Resource[Any]:
        return self._understood(row, self._said(row))

    def _read_named(self, row: ResourceRow) -> Resource[Any]:
        """A group with those of its members that the request names; the others are put aside as they are."""
        said = self._said(row)
        if self._named is None or row.kind != "Group":
            return self._understood(row, said)
        named, others = list[dict[str, Any]](), list[dict[str, Any]]()
        for member in said.pop("members", ()):
            (named if str(member.get("value")).casefold() in self._named else others).append(member)
        read = self._understood(row, {**said, "members": named} if named else said)
        self._others[row.id], self._found_by[row.id] = others, self._digests_of(read)
        return read

    def _said(self, row: ResourceRow) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._key.unseal(row.sealed, of=row.id))
        return said

    def _understood(self, row: ResourceRow, said: dict[str, Any]) -> Resource[Any]:
        read: Resource[Any] = self._models[row.kind].model_validate(said)
        return read

    def _write(self, resource_type: ResourceType, resource: Resource[Any]) -> None:
        kind, resource_id = str(resource_type.name), str(resource.id)
        whole = resource.model_dump()
        if others := self._others.get(resource_id):
            whole["members"] = [*others, *whole.get("members", ())]
        if isinstance(resource, Group) and len(whole.get("members", ())) > RESOURCES_MAX:
            raise TooManyResources
        sealed = self._key.seal(json.dumps(whole), of=resource_id)
        said = {
            "sealed": sealed,
            "address_index": self._index(resource),
            "active": resource.active if isinstance(resource, User) else None,
            "is_indexed": True,
        }
        statement = insert(ResourceRow).values(
            id=resource_id, organization_id=self._known.organization_id, kind=kind, **said
        )
        self._session.execute(statement.on_conflict_do_update(index_elements=[ResourceRow.id], set_=said))
        self._note_values(resource)

    def _note_values(self, resource: Resource[Any]) -> None:
        resource_id, found_by = str(resource.id), self._digests_of(resource)
        where = {"organization_id": self._known.organization_id, "resource_id": resource_id}
        if (before := self._found_by.get(resource_id)) is None:
            values.keep(self._session, **where, digests=found_by)
        else:
            values.change(self._session, **where, gone=before - found_by, added=found_by - before)

    def _digests_of(self, resource: Resource[Any]) -> set[bytes]:
        return digests.digests_of(resource, key=self._key, organization_id=self._known.organization_id)

    def _index(self, resource: Resource[Any]) -> bytes | None:
        address = address_in(resource) if isinstance(resource, User) else None
        return None if address is None else self._key.index_of(address)

    def _find_what_an_earlier_release_wrote(self) -> None:
        """It kept a thousand at most, and no digests. Nobody changes them meanwhile."""
        earlier: Select[ResourceRow] = select(ResourceRow).where(self._own, ResourceRow.is_indexed.is_(False))
        if self._session.scalars(earlier.limit(1)).one_or_none() is None:
            return
        one_at_a_time(self._session, self._known)
        for row in self._session.scalars(earlier.execution_options(populate_existing=True)).all():
            resource = self._read(row)
            self._note_values(resource)
            self._session.execute(
                update(ResourceRow)
                .where(self._own, ResourceRow.id == row.id)
                .values(active=resource.active if isinstance(resource, User) else None, is_indexed=True)
                .execution_options(synchronize_session=False)
            )


def one_at_a_time(session: Session, known: DirectoryCaller) -> None:
    """Serialise changes of an organisation's directory."""
    hold_organization(session, known.organization_id)


def address_in(user: Any) -> people.Address | None:
    """The address a user signs in with: the user name, or else the primary e-mail address."""
    primary = [each.value for each in user.emails or () if each.primary and each.value]
    for said in (user.user_name, *primary):
        try:
            return people.address_of(str(said or ""))
        except people.AddressNotAcceptable:
            continue
    return None


def _without_secrets(resource: Resource[Any]) -> Resource[Any]:
    """A password that a directory sends is nobody's business here, and is kept nowhere (RFC 7643 §4.1.1)."""
    if isinstance(resource, User) and resource.password is not None:
        resource = resource.model_copy(deep=True)
        resource.password = None
    return resource
