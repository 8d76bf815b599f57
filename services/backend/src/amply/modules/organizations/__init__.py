"""Organisations that receive gifts, and the funds they receive them for. Import from here only."""

from amply.modules.organizations.contacts import (
    Contact,
    address_at_rest,
    contact_of,
    is_address,
    keep_contact,
    tended,
)
from amply.modules.organizations.domain import (
    Organization,
    OrganizationNotAcceptable,
    OrganizationNotFound,
    OrganizationState,
    SlugTaken,
    check,
    check_slug,
)
from amply.modules.organizations.funds import (
    Fund,
    FundKind,
    FundNotAcceptable,
    close_fund,
    create_fund,
    find_fund,
    fund_names,
    funds_of,
    open_fund,
    rename_fund,
)
from amply.modules.organizations.own_router import own_router
from amply.modules.organizations.project_router import project_router, public_project_router
from amply.modules.organizations.queries import get, get_many
from amply.modules.organizations.return_origins import allow_return, forbid_return
from amply.modules.organizations.router import router
from amply.modules.organizations.service import create, take_anonymous_gifts
from amply.modules.organizations.states import (
    MoveNotPossible,
    Step,
    locked,
    move,
    name_as,
    set_tier,
    settle,
    state_of,
    tier_of,
    tiers,
)
from amply.modules.organizations.words import line_of, sdgs_of, text_of, website_of

__all__ = [
    "Contact",
    "Fund",
    "FundKind",
    "FundNotAcceptable",
    "MoveNotPossible",
    "Organization",
    "OrganizationNotAcceptable",
    "OrganizationNotFound",
    "OrganizationState",
    "SlugTaken",
    "Step",
    "address_at_rest",
    "allow_return",
    "check",
    "check_slug",
    "close_fund",
    "contact_of",
    "create",
    "create_fund",
    "find_fund",
    "forbid_return",
    "fund_names",
    "funds_of",
    "get",
    "get_many",
    "is_address",
    "keep_contact",
    "line_of",
    "locked",
    "move",
    "name_as",
    "open_fund",
    "own_router",
    "project_router",
    "public_project_router",
    "rename_fund",
    "router",
    "sdgs_of",
    "set_tier",
    "settle",
    "state_of",
    "take_anonymous_gifts",
    "tended",
    "text_of",
    "tier_of",
    "tiers",
    "website_of",
]
