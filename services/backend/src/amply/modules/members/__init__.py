"""Who is in an organisation, and as what: invitations, roles, leaving, and handing ownership on. Import from here only."""

from amply.modules.members.changes import leave_everywhere
from amply.modules.members.domain import FACT_INVITED, MEMBERS_MAX, InvitationNotValid
from amply.modules.members.invitations import JoinKey, invite_owner
from amply.modules.members.invited_router import invited_router
from amply.modules.members.ports import People
from amply.modules.members.router import Parts, own_router, router
from amply.modules.members.tasks import Inviting, send_invitations, tended

__all__ = [
    "FACT_INVITED",
    "MEMBERS_MAX",
    "InvitationNotValid",
    "Inviting",
    "JoinKey",
    "Parts",
    "People",
    "invite_owner",
    "invited_router",
    "leave_everywhere",
    "own_router",
    "router",
    "send_invitations",
    "tended",
]
