"""The Athena workgroup for queries of the lake: a scan limit for each query, and enforced settings."""

from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from stacks.stack import AmplyStack

CUTOFF_BYTES = 10 * 1024**3
"""Of one question: at 5 USD a terabyte, five cents. Athena ends it there and charges what it read."""


def workgroup_name(environment: str) -> str:
    return f"amply-{environment}"


def make_workgroup(stack: AmplyStack, answers: s3.Bucket, key: kms.Key) -> athena.CfnWorkGroup:
    group = athena.CfnWorkGroup
    return athena.CfnWorkGroup(
        stack,
        "Questions",
        name=workgroup_name(stack.settings.name),
        description="Questions to what was released",
        # Saved questions and their history are no data of account.
        recursive_delete_option=not stack.settings.durability.protected,
        work_group_configuration=group.WorkGroupConfigurationProperty(
            bytes_scanned_cutoff_per_query=CUTOFF_BYTES,
            enforce_work_group_configuration=True,
            publish_cloud_watch_metrics_enabled=True,
            requester_pays_enabled=False,
            engine_version=group.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
            result_configuration=group.ResultConfigurationProperty(
                output_location=f"s3://{answers.bucket_name}/",
                expected_bucket_owner=stack.account,
                encryption_configuration=group.EncryptionConfigurationProperty(
                    encryption_option="SSE_KMS", kms_key=key.key_arn
                ),
            ),
        ),
    )
