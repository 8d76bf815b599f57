"""Released data that is sold: administration keeps contracts and tokens, the worker settles their months (ADR 0143)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from constructs_lib.table import READS_TABLES, WRITES_TABLES
from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.permissions import allow_key


@dataclass(frozen=True, kw_only=True)
class SoldData:
    """The control plane's tables as the platform's own tasks know them. None of these rights deletes anything."""

    lake: LakeAndGovernance
    control: ControlPlane

    @cached_property
    def names(self) -> Mapping[str, str]:
        """As tasks are told of them."""
        return {
            f"AMPLY_LAKE_{name}_TABLE": table.table_name
            for name, table in (
                ("CONTRACTS", self.control.contracts),
                ("DATASETS", self.control.datasets),
                ("GRANTS", self.control.grants),
                ("REVENUE", self.control.revenue_share),
                ("USAGE", self.control.usage),
            )
        }

    def allow_administering(self, role: iam.IRole) -> None:
        """Writing contracts and digests of tokens, and asking whose a dataset is; no use and no revenue."""
        control = self.control
        _allow(role, control.contracts, ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"])
        _allow(role, control.grants, ["dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"])
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["dynamodb:Query"], resources=[f"{control.grants.table_arn}/index/by-contract"]
            )
        )
        _allow(role, control.datasets, ["dynamodb:GetItem"])
        self._allow_key(role)

    def allow_settling(self, role: iam.IRole) -> None:
        """Reading contracts, use and owners, and writing shares; no tokens."""
        control = self.control
        _allow(role, control.contracts, ["dynamodb:GetItem", "dynamodb:Scan"])
        _allow(role, control.usage, ["dynamodb:GetItem", "dynamodb:Query"])
        _allow(role, control.datasets, ["dynamodb:GetItem"])
        _allow(role, control.revenue_share, ["dynamodb:PutItem"])
        self._allow_key(role)

    def _allow_key(self, role: iam.IRole) -> None:
        allow_key(role, self.lake.key, sorted({*READS_TABLES, *WRITES_TABLES}))


def _allow(role: iam.IRole, table: dynamodb.ITable, actions: Sequence[str]) -> None:
    role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=[table.table_arn]))
