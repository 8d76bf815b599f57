"""Worker tasks of the data marketplace: monthly settlements and revenue shares."""

from collections.abc import Callable
from typing import Any

import structlog

from amply.adapters.dynamodb.control_plane import (
    DynamoCatalogue,
    DynamoContracts,
    DynamoRevenue,
    DynamoUsage,
)
from amply.entrypoints import task_names
from amply.infra.database import Database
from amply.infra.settings import MarketplaceSettings
from amply.kernel.clock import Clock
from amply.modules import ledger, marketplace, sharing

_log = structlog.get_logger()


def settlement_dependencies(
    database: Database, secrets: ledger.CommitmentSecrets, settings: MarketplaceSettings
) -> marketplace.SettlementDependencies | None:
    """Dependencies of settlements; None where the marketplace is not enabled."""
    if not settings.revenue_table:
        return None
    return marketplace.SettlementDependencies(
        database=database,
        secrets=secrets,
        contracts=DynamoContracts(table=settings.contracts_table),
        usage=DynamoUsage(table=settings.usage_table),
        catalogue=DynamoCatalogue(table=settings.datasets_table),
        revenue=DynamoRevenue(table=settings.revenue_table),
        people=sharing.people_by_organization,
    )


def revenue_tasks(
    parts: marketplace.SettlementDependencies | None, clock: Clock
) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Tasks that settle months and publish revenue shares. No-ops where the marketplace is not enabled."""

    def settle(**_: Any) -> None:
        settled = 0 if parts is None else marketplace.settle_due(parts, now=clock())
        if settled:
            _log.info("data_settled", count=settled)

    def tell(**_: Any) -> None:
        told = 0 if parts is None else marketplace.tell_revenue(parts, now=clock())
        if told:
            _log.info("data_shares_told", count=told)

    return ((task_names.SETTLE_DATA, settle), (task_names.TELL_REVENUE, tell))
