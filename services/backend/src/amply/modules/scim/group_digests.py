"""Blind indexes of groups, without importing the SCIM models: sign-in uses them.

Whoever reads the table sees that two values are equal, within one organisation, and not what they are.
"""

from typing import Final

from amply.modules import people

MEMBER: Final = "urn:ietf:params:scim:schemas:core:2.0:Group:members.value"
_CALLED: Final = "a group as roles name it"
"""The name in its original case, since role mappings are case-sensitive."""


def digest_of(urn: str, compared: str, *, key: people.PeopleKey, organization_id: str) -> bytes:
    """Blind index of an attribute's value in its comparison form."""
    return key.value_of(organization_id, urn, compared)


def called(name: str, *, key: people.PeopleKey, organization_id: str) -> bytes:
    """Blind index of the name of a group that maps to a role."""
    return key.value_of(organization_id, _CALLED, name)


def has(user_id: str, *, key: people.PeopleKey, organization_id: str) -> bytes:
    """Blind index of a group's member."""
    return key.value_of(organization_id, MEMBER, user_id)
