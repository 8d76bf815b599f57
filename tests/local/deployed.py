"""Queries the emulated cloud's APIs for what a deployment created."""

from typing import Any

import boto3

from local_cloud.cloud import ACCESS
from local_cloud.settings import REGION, Settings


def boto_client(settings: Settings, service: str) -> Any:
    """Any service by its name: the typed overloads know only literals."""
    session: Any = boto3.session.Session(
        region_name=REGION,
        aws_access_key_id=ACCESS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ACCESS["AWS_SECRET_ACCESS_KEY"],
    )
    return session.client(service, endpoint_url=settings.cloud_url)


def leftovers_of_a_deployment(settings: Settings) -> list[str]:
    """What is there beyond what bootstrapping made and every account has. Keys may wait for their deletion."""

    def ask(service: str, operation: str, *path: str) -> list[Any]:
        found = getattr(boto_client(settings, service), operation)()
        for step in path:
            found = found.get(step) or []
        return list(found)

    kms = boto_client(settings, "kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in ask("kms", "list_keys", "Keys")]
    found = [
        *(stack["StackName"] for stack in ask("cloudformation", "describe_stacks", "Stacks")),
        *(bucket["Name"] for bucket in ask("s3", "list_buckets", "Buckets")),
        *(key["KeyId"] for key in keys if key["KeyState"] != "PendingDeletion"),
        *ask("sqs", "list_queues", "QueueUrls"),
        *(secret["Name"] for secret in ask("secretsmanager", "list_secrets", "SecretList")),
        *(parameter["Name"] for parameter in ask("ssm", "describe_parameters", "Parameters")),
        *(role["RoleName"] for role in ask("iam", "list_roles", "Roles")),
        *(group["logGroupName"] for group in ask("logs", "describe_log_groups", "logGroups")),
        *ask("ecs", "list_clusters", "clusterArns"),
        *(topic["TopicArn"] for topic in ask("sns", "list_topics", "Topics")),
        *(alarm["AlarmName"] for alarm in ask("cloudwatch", "describe_alarms", "MetricAlarms")),
        *(vpc["VpcId"] for vpc in ask("ec2", "describe_vpcs", "Vpcs") if not vpc["IsDefault"]),
        *(db["DBInstanceIdentifier"] for db in ask("rds", "describe_db_instances", "DBInstances")),
        *(item["Id"] for item in ask("cloudfront", "list_distributions", "DistributionList", "Items")),
        *(api["ApiId"] for api in ask("apigatewayv2", "get_apis", "Items")),
        *(function["FunctionName"] for function in ask("lambda", "list_functions", "Functions")),
    ]
    return [name for name in found if not name.startswith(("cdk-", "CDKToolkit", "/cdk-bootstrap/"))]
