"""Read-only access to an account: by the bootstrap's lookup role, or by the current credentials."""

from typing import Any, Final

import boto3
from botocore.config import Config
from mypy_boto3_cloudformation.client import CloudFormationClient

from operations.locations import AccountRegion

_PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})


class WrongAccountError(Exception):
    """The credentials are of another account than the environment's; the message names both."""


def cloudformation(place: AccountRegion) -> CloudFormationClient:
    """CloudFormation of one account and region, for looking as the bootstrap's role."""
    return boto3.client("cloudformation", **_looking(place))


def rds(place: AccountRegion) -> Any:
    """RDS of one account and region, for looking as the bootstrap's role."""
    return boto3.client("rds", **_looking(place))


def _looking(place: AccountRegion) -> dict[str, Any]:
    taken = boto3.client("sts", region_name=place.region, config=_PATIENCE).assume_role(
        RoleArn=place.lookup_role, RoleSessionName="amply-lookup"
    )["Credentials"]
    return {
        "region_name": place.region,
        "config": _PATIENCE,
        "aws_access_key_id": taken["AccessKeyId"],
        "aws_secret_access_key": taken["SecretAccessKey"],
        "aws_session_token": taken["SessionToken"],
    }


def own_cloudformation(place: AccountRegion) -> CloudFormationClient:
    """CloudFormation of one account and region, as whoever the credentials are of: they may be allowed less.

    Raises:
        WrongAccountError: That would be another account, whose stacks may have the same names.
    """
    refuse_other_account(place)
    return boto3.client("cloudformation", region_name=place.region, config=_PATIENCE)


def refuse_other_account(place: AccountRegion) -> None:
    """Raise WrongAccountError unless the credentials are of the account that the environment stands in."""
    account = boto3.client("sts", region_name=place.region, config=_PATIENCE).get_caller_identity()["Account"]
    if account != place.account:
        raise WrongAccountError(
            f"The credentials are of account {account}, and the environment stands in {place.account}: sign in there, "
            "or write your account into stacks/environments.py."
        )
