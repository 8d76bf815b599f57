"""Permissions for the data marketplace: operators manage contracts and tokens, the worker settles months (ADR 0143)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from constructs_lib.table import READS_TABLES, WRITES_TABLES
from constructs_lib.waiver import Waiver, waive, waive_once_resolved
from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.permissions import allow_key, as_written
from stacks.waivers import NEXT_REVIEW


@dataclass(frozen=True, kw_only=True)
class MarketplaceAccess:
    """The control plane's tables and the usage plan for the platform's tasks. Only API keys can be deleted."""

    lake: LakeAndGovernance
    control: ControlPlane
    plan: apigateway.UsagePlan

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Table names as the tasks' variables."""
        tables = {
            f"AMPLY_LAKE_{name}_TABLE": table.table_name
            for name, table in (
                ("CONTRACTS", self.control.contracts),
                ("DATASETS", self.control.datasets),
                ("GRANTS", self.control.grants),
                ("REVENUE", self.control.revenue_share),
                ("USAGE", self.control.usage),
            )
        }
        return {**tables, "AMPLY_LAKE_USAGE_PLAN": self.plan.usage_plan_id}

    def allow_administering(self, role: iam.IRole) -> None:
        """Write contracts, token digests and keys, and read owners; no usage, no revenue."""
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
        self._allow_buyers_keys(role)

    def allow_settling(self, role: iam.IRole) -> None:
        """Read contracts, usage and owners, and write shares; no tokens."""
        control = self.control
        _allow(role, control.contracts, ["dynamodb:GetItem", "dynamodb:Scan"])
        _allow(role, control.usage, ["dynamodb:GetItem", "dynamodb:Query"])
        _allow(role, control.datasets, ["dynamodb:GetItem"])
        _allow(role, control.revenue_share, ["dynamodb:PutItem"])
        self._allow_key(role)

    def _allow_buyers_keys(self, role: iam.IRole) -> None:
        """Keys have no names in permissions: any may be made and deleted. Read, and given a use, are those of the plan alone.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
        """
        plan_id = self.plan.usage_plan_id
        gateway = f"arn:aws:apigateway:{cdk.Stack.of(role).region}::"
        plans = f"{gateway}/usageplans"
        for actions, arn in (
            (["apigateway:POST"], f"{gateway}/apikeys"),
            (["apigateway:DELETE"], f"{gateway}/apikeys/*"),
            (["apigateway:GET", "apigateway:POST"], f"{plans}/{plan_id}/keys"),
            (["apigateway:DELETE"], f"{plans}/{plan_id}/keys/*"),
        ):
            role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[arn]))
        waive(role, f"AwsSolutions-IAM5[Resource::{gateway}/apikeys/*]", KEYS_ARE_NAMED_AS_THEY_COME)
        waive_once_resolved(
            role,
            lambda: f"AwsSolutions-IAM5[Resource::{plans}/{as_written(role, plan_id)}/keys/*]",
            KEYS_ARE_NAMED_AS_THEY_COME,
        )

    def _allow_key(self, role: iam.IRole) -> None:
        allow_key(role, self.lake.key, sorted({*READS_TABLES, *WRITES_TABLES}))


def _allow(role: iam.IRole, table: dynamodb.ITable, actions: Sequence[str]) -> None:
    role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=[table.table_arn]))


KEYS_ARE_NAMED_AS_THEY_COME = Waiver(
    reason="The gateway gives each key its id when it is made; a key that is in no plan opens nothing.",
    until=NEXT_REVIEW,
)
