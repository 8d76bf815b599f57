"""Clients for the emulated cloud's APIs, and its SSM parameters by name."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from local_cloud.settings import ENVIRONMENT, REGION, Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

ACCESS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
"""The emulator checks no credentials, but SDKs insist on some."""


@dataclass(frozen=True)
class Cloud:
    """Clients for one run's emulated cloud."""

    settings: Settings

    @cached_property
    def _session(self) -> boto3.session.Session:
        return boto3.session.Session(
            region_name=REGION,
            aws_access_key_id=ACCESS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ACCESS["AWS_SECRET_ACCESS_KEY"],
        )

    @cached_property
    def _config(self) -> Config:
        return Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return self._session.client(
            "cloudformation", endpoint_url=self.settings.cloud_url, config=self._config
        )

    @cached_property
    def ecs(self) -> "ECSClient":
        return self._session.client("ecs", endpoint_url=self.settings.cloud_url, config=self._config)

    @cached_property
    def kms(self) -> "KMSClient":
        return self._session.client("kms", endpoint_url=self.settings.cloud_url, config=self._config)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self._session.client("dynamodb", endpoint_url=self.settings.cloud_url, config=self._config)

    @cached_property
    def cloudwatch(self) -> Any:
        return self._session.client("cloudwatch", endpoint_url=self.settings.cloud_url, config=self._config)

    @cached_property
    def cloudfront(self) -> Any:
        return self._session.client("cloudfront", endpoint_url=self.settings.cloud_url, config=self._config)

    @cached_property
    def s3(self) -> Any:
        return self._session.client("s3", endpoint_url=self.settings.cloud_url, config=self._config)

    @cached_property
    def rds(self) -> Any:
        return self._session.client("rds", endpoint_url=self.settings.cloud_url, config=self._config)

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        return self._session.client(
            "secretsmanager", endpoint_url=self.settings.cloud_url, config=self._config
        )

    @cached_property
    def ssm(self) -> "SSMClient":
        return self._session.client("ssm", endpoint_url=self.settings.cloud_url, config=self._config)

    def parameter(self, name: str) -> str:
        """The value of `/amply/local/{name}`, as the stacks publish it."""
        return self.parameter_by_name(f"/amply/{ENVIRONMENT}/{name}")

    def parameter_by_name(self, name: str) -> str:
        return self.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]

    def distribution_host(self) -> str:
        """The name under which the emulator serves the deployed distribution."""
        found = self.cloudfront.get_distribution(Id=self.parameter("edge/distribution-id"))
        return str(found["Distribution"]["DomainName"])

    def secret(self, secret_id: str) -> str:
        return self.secrets.get_secret_value(SecretId=secret_id)["SecretString"]
