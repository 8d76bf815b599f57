"""Members of organisations: invitations, roles, leaving, and transfer of ownership. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.members.changes import leave_everywhere
from amply.modules.members.dependencies import Dependencies
from amply.modules.members.domain import TOPIC_INVITED, InvitationNotValid
from amply.modules.members.invitations import JoinKey, invite_owner
from amply.modules.members.ports import People
from amply.modules.members.tasks import InvitationDependencies, sealed_rows, send_invitations

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "TOPIC_INVITED",
    "Dependencies",
    "InvitationDependencies",
    "InvitationNotValid",
    "JoinKey",
    "People",
    "invite_owner",
    "leave_everywhere",
    "routers",
    "sealed_rows",
    "send_invitations",
]


def routers() -> "tuple[APIRouter, APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.members import invited_router, router  # noqa: PLC0415 -- see above

    return router.router, router.own_router, invited_router.invited_router
