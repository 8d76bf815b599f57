"""Organisations that receive gifts. Import from here only."""

from amply.modules.organizations.domain import Organization, OrganizationNotFound, SlugTaken
from amply.modules.organizations.queries import get, list_public
from amply.modules.organizations.router import router
from amply.modules.organizations.service import create

__all__ = ["Organization", "OrganizationNotFound", "SlugTaken", "create", "get", "list_public", "router"]
