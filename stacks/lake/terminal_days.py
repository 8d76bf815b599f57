"""Gathers each day's terminal messages into one file for the anonymiser, with its policy."""

from pathlib import Path
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam

from constructs_lib.function import PlainFunction
from constructs_lib.table import READS_TABLES, WRITES_TABLES
from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.lake.terminal_contract import DATASETS
from stacks.permissions import ONLY_WHAT_IS_NOT_THERE, allow_key, allow_objects
from stacks.stack import AmplyStack

EVERY: Final = Duration.hours(3)


def gather_days(
    stack: AmplyStack, *, lake: LakeAndGovernance, control: ControlPlane, sources: Path
) -> PlainFunction:
    """A function by the clock. It reads what was kept, writes files where there are none, and two items of one table."""
    function = PlainFunction(
        stack,
        "Gather",
        description="Makes a file of each day that terminals told of",
        sources=sources,
        handler="amply_terminals.handlers.gather_days",
        environment={
            "AMPLY_RAW_BUCKET": lake.raw.bucket_name,
            "AMPLY_DATASETS_TABLE": control.datasets.table_name,
        },
        log=stack.log_keeping,
        seconds=900,
        memory_mib=512,
    )
    _allow(function.role, lake, control)
    events.Rule(
        stack,
        "Clock",
        description="Days of terminals that are over",
        schedule=events.Schedule.rate(EVERY),
        # What one turn fails at, the next one does.
        targets=[targets.LambdaFunction(function.function, retry_attempts=0)],
    )
    return function


def _allow(role: iam.Role, lake: LakeAndGovernance, control: ControlPlane) -> None:
    for kind, dataset in DATASETS.items():
        allow_objects(role, lake.raw, f"terminals/{kind}/", ["s3:GetObject"])
        allow_objects(
            role,
            lake.raw,
            f"datasets/{dataset}/",
            ["s3:PutObject"],
            conditions=ONLY_WHAT_IS_NOT_THERE,
        )
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["dynamodb:UpdateItem"],
            resources=[control.datasets.table_arn],
            conditions={
                "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": sorted(DATASETS.values())},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )
    )
    allow_key(role, lake.key, sorted({"kms:GenerateDataKey", *READS_TABLES, *WRITES_TABLES}))
