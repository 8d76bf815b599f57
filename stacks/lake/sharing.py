"""Permissions for data sharing by donors: the worker writes facts and consents to the lake (ADR 0137)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from aws_cdk import aws_iam as iam

from constructs_lib.table import READS_TABLES, WRITES_TABLES
from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.permissions import allow_key, allow_objects

FACTS = "donations/"
"""Where `modules/sharing` writes."""
HANDED_IN = "datasets/"
"""Where what sellers hand in is written, checked and a dataset each."""


@dataclass(frozen=True, kw_only=True)
class SharedData:
    """The lake's resources for the platform's own tasks."""

    lake: LakeAndGovernance
    control: ControlPlane

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Table names as the tasks' variables."""
        return {
            "AMPLY_LAKE_RAW_BUCKET": self.lake.raw.bucket_name,
            "AMPLY_LAKE_CONSENT_TABLE": self.control.consents.table_name,
            "AMPLY_LAKE_DATASETS_TABLE": self.control.datasets.table_name,
        }

    def allow_handing_in(self, role: iam.IRole) -> None:
        """Write and list facts, and write consents."""
        # S3 asks for the right to read where a file is replaced only while it has a version; the worker reads none.
        allow_objects(role, self.lake.raw, FACTS, ["s3:GetObject", "s3:PutObject"])
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=["dynamodb:PutItem"], resources=[self.control.consents.table_arn])
        )
        allow_key(role, self.lake.key, sorted({*READS_TABLES, *WRITES_TABLES}))
