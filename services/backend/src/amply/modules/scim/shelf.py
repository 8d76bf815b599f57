"""A directory's users and groups in PostgreSQL, as the library's storage asks for them.

All of an organisation's are read at once, a thousand at most: they are sealed, so that only here can be searched in them.
The library's own storage in memory does the searching, sorting, paging and comparing; what it changes is written down.
"""

import json
import secrets
from datetime import datetime
from typing import Any, Final

from scim2_models import Group, Resource, ResourceType, ResponseParameters, SCIMException, SearchRequest, User
from scim2_server.memory import InMemoryStorage
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.modules import people
from amply.modules.scim.domain import RESOURCES_MAX, Known
from amply.modules.scim.models import ResourceRow

_PREFIXES: Final = {"User": "scu", "Group": "scg"}
_VERSION_BYTES: Final = 12


class TooManyResources(SCIMException):
    """A directory holds as much as it may."""

    status = 409
    _default_detail = f"Delete users or groups first: {RESOURCES_MAX} are kept."


class _Memory(InMemoryStorage):
    """The library's, with our ids, versions and clock."""

    def generate_id(self, resource_type: ResourceType, resource: Resource[Any]) -> str:
        del resource
        return ids.new_id(_PREFIXES[str(resource_type.name)])

    def next_version(self) -> str:
        return f'W/"{secrets.token_hex(_VERSION_BYTES)}"'


class Shelf(ScimStorage):
    """One organisation's, within one transaction that is bound to it and to the token that asks."""

    def __init__(
        self, session: Session, known: Known, *, key: people.PeopleKey, models: dict[str, Any], now: datetime
    ) -> None:
        self._session = session
        self._known = known
        self._key = key
        self._models = models
        self._memory = _Memory(clock=lambda: now)
        self._memory.resources = [self._read(row) for row in self._rows()]
        self.deleted_persons: list[str] = []

    @property
    def users(self) -> list[Any]:
        """All users."""
        return [each for each in self._memory.resources if isinstance(each, User)]

    @property
    def groups(self) -> list[Any]:
        """All groups."""
        return [each for each in self._memory.resources if isinstance(each, Group)]

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        return self._memory.get(resource_type, resource_id, response_parameters=response_parameters)

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        return self._memory.search(resource_types, search_request, position=position)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        if len(self._memory.resources) >= RESOURCES_MAX:
            raise TooManyResources
        made = self._memory.create(resource_type, _without_secrets(resource))
        self._write(resource_type, made)
        return made

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        made = self._memory.update(
            resource_type, _without_secrets(resource), expected_version=expected_version
        )
        self._write(resource_type, made)
        return made

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        self._memory.delete(resource_type, resource_id, expected_version=expected_version)
        gone = self._session.scalars(
            delete(ResourceRow)
            .where(ResourceRow.organization_id == self._known.organization_id, ResourceRow.id == resource_id)
            .returning(ResourceRow.person_id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if gone is not None:
            self.deleted_persons.append(gone)

    def _rows(self) -> list[ResourceRow]:
        return list(
            self._session.scalars(
                select(ResourceRow)
                .where(ResourceRow.organization_id == self._known.organization_id)
                .limit(RESOURCES_MAX)
            )
        )

    def _read(self, row: ResourceRow) -> Resource[Any]:
        said = json.loads(self._key.unseal(row.sealed, of=row.id))
        read: Resource[Any] = self._models[row.kind].model_validate(said)
        return read

    def _write(self, resource_type: ResourceType, resource: Resource[Any]) -> None:
        kind, resource_id = str(resource_type.name), str(resource.id)
        sealed = self._key.seal(json.dumps(resource.model_dump()), of=resource_id)
        values = {"sealed": sealed, "address_index": self._index(resource)}
        statement = insert(ResourceRow).values(
            id=resource_id, organization_id=self._known.organization_id, kind=kind, **values
        )
        self._session.execute(statement.on_conflict_do_update(index_elements=[ResourceRow.id], set_=values))

    def _index(self, resource: Resource[Any]) -> bytes | None:
        address = address_in(resource) if isinstance(resource, User) else None
        return None if address is None else self._key.index_of(address)

    def link(self, user_id: str, person_id: str) -> None:
        """Note who a user is here."""
        self._session.execute(
            update(ResourceRow)
            .where(ResourceRow.organization_id == self._known.organization_id, ResourceRow.id == user_id)
            .values(person_id=person_id)
            .execution_options(synchronize_session=False)
        )


def address_in(user: Any) -> people.Address | None:
    """The address that a user signs in with: their user name, or else their primary one."""
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
