"""Permissions for the seller portal: the API reads datasets, usage, revenue and release certificates (ADR 0145)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from aws_cdk import aws_iam as iam

from constructs_lib.table import READS_TABLES
from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.permissions import allow_key, allow_on_objects

CERTIFICATES = "released/*/certificate"
"""Beside the files of each release, which the API reads none of."""


@dataclass(frozen=True, kw_only=True)
class PortalData:
    """The lake's tables and buckets for the API, where there is a seller portal."""

    lake: LakeAndGovernance
    control: ControlPlane

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Table names as the tasks' variables."""
        return {
            "AMPLY_LAKE_CURATED_BUCKET": self.lake.curated.bucket_name,
            "AMPLY_LAKE_DATASETS_TABLE": self.control.datasets.table_name,
            "AMPLY_LAKE_REVENUE_TABLE": self.control.revenue_share.table_name,
            "AMPLY_LAKE_USAGE_TABLE": self.control.usage.table_name,
        }

    def allow_reading(self, role: iam.IRole) -> None:
        """Read by key and by owner; no scans, no writes."""
        datasets, usage, revenue = self.control.datasets, self.control.usage, self.control.revenue_share
        asked = [
            f"{datasets.table_arn}/index/by-owner",
            usage.table_arn,
            f"{revenue.table_arn}/index/by-credited",
        ]
        role.add_to_principal_policy(iam.PolicyStatement(actions=["dynamodb:Query"], resources=asked))
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["dynamodb:BatchGetItem"], resources=[datasets.table_arn, revenue.table_arn]
            )
        )
        allow_on_objects(role, self.lake.curated, CERTIFICATES, ["s3:GetObject"])
        allow_key(role, self.lake.key, READS_TABLES)
