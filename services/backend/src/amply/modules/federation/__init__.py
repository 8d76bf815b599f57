"""An organisation's own sign-in: its provider, its domains, and whom they bring in, as what. Import from here only."""

from amply.modules.federation.arriving import Arriving, forget, require_provider
from amply.modules.federation.connections import connection_of
from amply.modules.federation.domain import HOLDS_FOR, role_by
from amply.modules.federation.ports import Directory, DomainRecords, Listed, RecordsAway
from amply.modules.federation.router import Parts, finding_router, router
from amply.modules.federation.tasks import Checking, check_domains, tended

__all__ = [
    "HOLDS_FOR",
    "Arriving",
    "Checking",
    "Directory",
    "DomainRecords",
    "Listed",
    "Parts",
    "RecordsAway",
    "check_domains",
    "connection_of",
    "finding_router",
    "forget",
    "require_provider",
    "role_by",
    "router",
    "tended",
]
