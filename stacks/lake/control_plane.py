"""What the data platform knows of account: consents, datasets, contracts, usage, revenue shares and grants.

Keys and who asks by them: docs/adr/0136-the-marketplace.md. No table has a time to live.
"""

from collections.abc import Mapping

from constructs import Construct

from constructs_lib.table import KeptTable
from stacks.environment import Environment
from stacks.lake.governance import LakeAndGovernance
from stacks.stack import AmplyStack


class ControlPlane(AmplyStack):
    """Amounts of money are whole numbers of minor units, beside their currency."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, lake: LakeAndGovernance
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: control plane of the data platform",
            holds_data=True,
        )
        self._lake = lake
        self.consents = self._table("Consents", partition="subject", sort="purpose")
        # What a release asks: who changed their mind on these days.
        self.consents.find_by("by-day", partition="changed_on", sort="subject")
        self.datasets = self._table("Datasets", partition="dataset_id", sort="part")
        self.datasets.find_by("by-owner", partition="owner", sort="dataset_id")
        self.contracts = self._table("Contracts", partition="contract_id")
        self.contracts.find_by("by-buyer", partition="buyer_id", sort="contract_id")
        self.usage = self._table("Usage", partition="contract_month", sort="event")
        self.revenue_share = self._table("RevenueShare", partition="period", sort="transfer_id")
        self.revenue_share.find_by("by-credited", partition="credited", sort="period")
        self.grants = self._table("Grants", partition="token_digest", sort="dataset_id")
        # What a revocation asks: every grant of a contract.
        self.grants.find_by("by-contract", partition="contract_id", sort="token_digest")

    def _table(self, construct_id: str, *, partition: str, sort: str | None = None) -> KeptTable:
        return KeptTable(
            self,
            construct_id,
            partition=partition,
            sort=sort,
            durability=self.settings.durability,
            key=self._lake.key,
        )

    @property
    def names(self) -> Mapping[str, str]:
        """As functions are told of them."""
        return {
            "AMPLY_CONSENTS_TABLE": self.consents.table_name,
            "AMPLY_DATASETS_TABLE": self.datasets.table_name,
            "AMPLY_CONTRACTS_TABLE": self.contracts.table_name,
            "AMPLY_USAGE_TABLE": self.usage.table_name,
            "AMPLY_REVENUE_TABLE": self.revenue_share.table_name,
            "AMPLY_GRANTS_TABLE": self.grants.table_name,
        }
