"""Uploads the built site to its bucket, with this environment's configuration for its pages."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment

from constructs_lib.waiver import Waiver, waive
from stacks.provider_logs import may_write
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

BUILD_STAMP = "ready"
"""The build's own marker inside the site folder; nobody needs it served."""

BEHIND = "behind"
"""Pages behind flags, a folder a flag: none of them is part of the site where its flag is off."""

POLICY_FILE = "policy.txt"
"""Whom the pages trust, as a file: what people give to `amply-verify --policy`."""

NOBODY_PINNED = "# This environment pins no key of its log.\n"
"""A policy that names no log: whoever checks with it is refused."""


def upload_site(
    stack: AmplyStack,
    folder: Path,
    *,
    config: Mapping[str, str],
    policy: str,
    bucket: s3.Bucket,
    distribution: cloudfront.Distribution,
) -> None:
    keeping = stack.log_keeping
    log = logs.LogGroup(
        stack, "UploadLog", retention=keeping.retention, removal_policy=keeping.removal_policy
    )
    upload = deployment.BucketDeployment(
        stack,
        "Upload",
        destination_bucket=bucket,
        sources=[
            deployment.Source.asset(str(folder), exclude=[BUILD_STAMP, BEHIND, f"{BEHIND}/**"]),
            deployment.Source.json_data("config.json", dict(config)),
            deployment.Source.data(POLICY_FILE, policy or NOBODY_PINNED),
        ],
        # Pages out there name old hashed assets, with their hash checked: those stay.
        prune=False,
        distribution=distribution,
        distribution_paths=["/*"],
        memory_limit=256,
        log_group=log,
    )
    role = cast(iam.Role, upload.handler_role)
    # As for the library's other functions: AWS's own policy may make any group, this one after its stack too.
    cast(iam.CfnRole, role.node.default_child).managed_policy_arns = None
    role.add_to_policy(may_write(log))
    _waive_for(upload, stack, bucket)


def upload_pages_behind(
    stack: AmplyStack, folder: Path, *, at: str, bucket: s3.Bucket, distribution: cloudfront.Distribution
) -> None:
    """Upload the pages of an enabled flag below `at`. They are deleted when it is disabled.

    Not with the site's own files: those stay where they are, whatever a later version leaves out.
    """
    deployment.BucketDeployment(
        stack,
        f"Upload{''.join(word.capitalize() for word in folder.name.split('-'))}",
        destination_bucket=bucket,
        destination_key_prefix=at,
        sources=[deployment.Source.asset(str(folder))],
        # A page that was loaded a moment ago names the script of its own version.
        prune=False,
        retain_on_delete=False,
        distribution=distribution,
        distribution_paths=[f"/{at}/*"],
        memory_limit=256,
    )


def _waive_for(upload: deployment.BucketDeployment, stack: AmplyStack, bucket: s3.Bucket) -> None:
    """The uploader is the CDK's own Lambda; its rights end at the asset bucket and the site bucket."""
    role = upload.handler_role
    site = stack.get_logical_id(cast(cdk.CfnElement, bucket.node.default_child))
    assets = f"cdk-{cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER}-assets-{stack.account}-{stack.region}"
    actions = ("GetObject*", "GetBucket*", "List*", "DeleteObject*", "Abort*")
    resources = (f"<{site}.Arn>/*", f"arn:aws:s3:::{assets}/*", "*")
    findings = [f"AwsSolutions-IAM5[Action::s3:{action}]" for action in actions]
    findings += [f"AwsSolutions-IAM5[Resource::{resource}]" for resource in resources]
    for finding in findings:
        waive(role, finding, UPLOADER)
    handler = role.node.scope
    if handler is not None:
        waive(handler, "AwsSolutions-L1", UPLOADER)


UPLOADER = Waiver(
    reason="The CDK's own upload Lambda: its runtime and its rights come with the library's version.",
    until=NEXT_REVIEW,
)
