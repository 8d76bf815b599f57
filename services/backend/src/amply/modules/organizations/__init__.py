"""Organisations that receive gifts, and the funds they receive them for. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.organizations.contacts import (
    Contact,
    address_at_rest,
    contact_of,
    is_address,
    keep_contact,
    sealed_rows,
)
from amply.modules.organizations.domain import (
    PICTURE_LANGUAGES,
    Organization,
    OrganizationNotAcceptable,
    OrganizationNotFound,
    OrganizationState,
    Picture,
    PictureFile,
    PictureKind,
    SlugTaken,
    check,
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
from amply.modules.organizations.own_profile import own as own_organization
from amply.modules.organizations.pictures import describe_picture, hide_picture, show_picture
from amply.modules.organizations.queries import get, get_many
from amply.modules.organizations.return_origins import allow_return, forbid_return
from amply.modules.organizations.schemas import PictureOut
from amply.modules.organizations.service import create, take_anonymous_gifts
from amply.modules.organizations.states import (
    MoveNotPossible,
    StateChange,
    locked,
    move,
    name_as,
    set_tier,
    settle,
    state_of,
    tier_of,
    tiers,
)
from amply.modules.organizations.text_rules import line_of, name_of, sdgs_of, text_of, website_of

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "PICTURE_LANGUAGES",
    "Contact",
    "Fund",
    "FundKind",
    "FundNotAcceptable",
    "MoveNotPossible",
    "Organization",
    "OrganizationNotAcceptable",
    "OrganizationNotFound",
    "OrganizationState",
    "Picture",
    "PictureFile",
    "PictureKind",
    "PictureOut",
    "SlugTaken",
    "StateChange",
    "address_at_rest",
    "allow_return",
    "check",
    "close_fund",
    "contact_of",
    "create",
    "create_fund",
    "describe_picture",
    "find_fund",
    "forbid_return",
    "fund_names",
    "funds_of",
    "get",
    "get_many",
    "hide_picture",
    "is_address",
    "keep_contact",
    "line_of",
    "locked",
    "move",
    "name_as",
    "name_of",
    "open_fund",
    "own_organization",
    "rename_fund",
    "routers",
    "sdgs_of",
    "sealed_rows",
    "set_tier",
    "settle",
    "show_picture",
    "state_of",
    "take_anonymous_gifts",
    "text_of",
    "tier_of",
    "tiers",
    "website_of",
]


def routers() -> "tuple[APIRouter, APIRouter, APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.organizations import own_router, project_router, router  # noqa: PLC0415 -- see above

    return (
        router.router,
        project_router.project_router,
        project_router.public_project_router,
        own_router.own_router,
    )
