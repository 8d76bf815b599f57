"""Reading an account as the bootstrap's lookup role, which may change nothing."""

from typing import Final

import boto3
from botocore.config import Config
from mypy_boto3_cloudformation.client import CloudFormationClient

from operations.places import Place

_PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})


def cloudformation(place: Place) -> CloudFormationClient:
    """CloudFormation of one account and region, for looking."""
    taken = boto3.client("sts", region_name=place.region, config=_PATIENCE).assume_role(
        RoleArn=place.lookup_role, RoleSessionName="amply-lookup"
    )["Credentials"]
    return boto3.client(
        "cloudformation",
        region_name=place.region,
        config=_PATIENCE,
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
