"""Federated sign-in of an organisation: its identity provider, its domains, and the roles of whoever signs in. Import from
here only.
"""

from typing import TYPE_CHECKING

from amply.modules.federation.connections import connection_of
from amply.modules.federation.dependencies import Dependencies
from amply.modules.federation.domain import role_by
from amply.modules.federation.federated_sign_in import FederatedSignIn, forget, require_provider
from amply.modules.federation.ports import Directory, DirectoryEntry, DomainRecords, RecordsAway
from amply.modules.federation.tasks import DomainCheckDependencies, check_domains, sealed_rows

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "Dependencies",
    "Directory",
    "DirectoryEntry",
    "DomainCheckDependencies",
    "DomainRecords",
    "FederatedSignIn",
    "RecordsAway",
    "check_domains",
    "connection_of",
    "forget",
    "require_provider",
    "role_by",
    "routers",
    "sealed_rows",
]


def routers() -> "tuple[APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.federation import router  # noqa: PLC0415 -- see above

    return router.router, router.finding_router
