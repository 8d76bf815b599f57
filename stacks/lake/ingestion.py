"""Permissions for ingestion: the API signs upload forms and links, the worker reads, validates and writes (ADR 0142)."""

from aws_cdk import aws_iam as iam

from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.lake.lifecycle import AS_IT_CAME, REFUSED
from stacks.permissions import allow_key, allow_objects, allow_on_objects

ACCEPTED = "datasets/"
CHECKING_MIB = 1024
"""What a worker has at least where it checks what is handed in: a program beside it may take half of that for one file of Parquet."""
_WRITES = ("s3:PutObject", "s3:AbortMultipartUpload")


def allow_offering(role: iam.IRole, lake: LakeAndGovernance) -> None:
    """Permissions of presigned forms and links, which are limited by the signing role's."""
    allow_objects(role, lake.raw, AS_IT_CAME, ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"])
    allow_on_objects(role, lake.raw, f"{REFUSED}*", ["s3:GetObject"])
    allow_key(role, lake.key, ["kms:Decrypt", "kms:GenerateDataKey"])


def allow_checking(role: iam.IRole, lake: LakeAndGovernance, control: ControlPlane) -> None:
    """Read uploads, write results, and publish datasets."""
    read = ["s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject"]
    allow_objects(role, lake.raw, AS_IT_CAME, read)
    # It sees whether accepted rows are there before it says that none are.
    allow_objects(role, lake.raw, ACCEPTED, ["s3:GetObject", *_WRITES])
    allow_on_objects(role, lake.raw, f"{REFUSED}*", _WRITES)
    role.add_to_principal_policy(
        iam.PolicyStatement(actions=["dynamodb:UpdateItem"], resources=[control.datasets.table_arn])
    )
