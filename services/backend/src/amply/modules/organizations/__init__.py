"""Organisations that receive gifts, and the funds they receive them for. Import from here only."""

from amply.modules.organizations.contacts import Contact, contact_of, is_address, keep_contact
from amply.modules.organizations.domain import Organization, OrganizationNotFound, SlugTaken
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
from amply.modules.organizations.queries import get, get_many
from amply.modules.organizations.return_origins import allow_return, forbid_return
from amply.modules.organizations.router import router
from amply.modules.organizations.service import create, take_anonymous_gifts

__all__ = [
    "Contact",
    "Fund",
    "FundKind",
    "FundNotAcceptable",
    "Organization",
    "OrganizationNotFound",
    "SlugTaken",
    "allow_return",
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
    "open_fund",
    "own_router",
    "rename_fund",
    "router",
    "take_anonymous_gifts",
]
