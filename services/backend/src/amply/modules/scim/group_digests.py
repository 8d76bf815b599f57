"""Blind indexes of groups, without importing the SCIM models: sign-in uses them.

Whoever reads the table sees that two values are equal, within one organisation, and not what they are.
"""

from typing import Final

from amply.modules import people

MEMBER: Final = "urn:ietf:params:scim:schemas:core:2.0:Group:members.value"
_CALLED: Final = "a group as roles name it"
"""Its name, capitals and all: roles are given to names as they are written."""


def digest_of(urn: str, compared: str, *, key: people.PeopleKey, organization_id: str) -> bytes:
    """What stands for a value of an attribute, in the form it is compared in."""
    return key.value_of(organization_id, urn, compared)


def called(name: str, *, key: people.PeopleKey, organization_id: str) -> bytes:
    """What stands for a group's name where it is a role's."""
    return key.value_of(organization_id, _CALLED, name)


def has(user_id: str, *, key: people.PeopleKey, organization_id: str) -> bytes:
    """What a group has whose member a user is."""
    return key.value_of(organization_id, MEMBER, user_id)
