"""Blind indexes of encrypted attributes, compared as SCIM defines (RFC 7643 §2.4).

Whoever reads the table sees that two values are equal, within one organisation, and not what they are.
"""

from collections.abc import Collection
from functools import cache
from typing import Any, Final

from scim2_models import Group, Path, Resource, User
from scim2_models.path.resolution import AttributeBinding

from amply.modules import people
from amply.modules.scim.group_digests import called, digest_of

_ATTRIBUTES: Final[tuple[tuple[type[Resource[Any]], tuple[str, ...]], ...]] = (
    (User, ("userName", "externalId", "emails.value")),
    (Group, ("displayName", "externalId", "members.value")),
)
USER_NAME: Final = "urn:ietf:params:scim:schemas:core:2.0:User:userName"


def digests_of(resource: Resource[Any], *, key: people.PeopleKey, organization_id: str) -> set[bytes]:
    """All blind indexes of a resource."""
    found = {
        digest_of(binding.urn, compared, key=key, organization_id=organization_id)
        for binding, path in _paths(type(resource))
        for value in _values(path.get(resource, strict=False))
        if (compared := compared_as(binding, str(value))) is not None
    }
    if isinstance(resource, Group) and resource.display_name:
        found.add(called(resource.display_name, key=key, organization_id=organization_id))
    return found


def compared_as(binding: AttributeBinding, value: str) -> str | None:
    """A value's comparison form; None if it cannot be compared."""
    try:
        return str(binding.comparable(value))
    except ValueError:
        return None


def name_of(resource: Resource[Any]) -> str | None:
    """A user name's comparison form, which is unique."""
    if not isinstance(resource, User) or not resource.user_name:
        return None
    binding, _ = _paths(type(resource))[0]
    return compared_as(binding, resource.user_name)


def is_found_by(urn: str) -> bool:
    """Whether values of this attribute are indexed."""
    return urn in _urns()


def _values(found: Any) -> Collection[Any]:
    if found is None:
        return ()
    return [each for each in found if each is not None] if isinstance(found, list) else [found]


@cache
def _paths(model: type[Resource[Any]]) -> tuple[tuple[AttributeBinding, Any], ...]:
    names = next(names for kind, names in _ATTRIBUTES if issubclass(model, kind))
    paths = [Path[model](name) for name in names]  # type: ignore[valid-type] # the library binds paths to models so
    return tuple((binding, path) for path in paths if (binding := path.resolve()) is not None)


@cache
def _urns() -> frozenset[str]:
    return frozenset(binding.urn for model, _ in _ATTRIBUTES for binding, _ in _paths(model))
