"""Versions of the secret: current and pending."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from amply_rotation.errors import RotationRefused

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"
PREVIOUS: Final = "AWSPREVIOUS"


@dataclass(frozen=True, repr=False)
class Credentials:
    """What one version holds: at least `username` and `password`, and whatever else the stack put there."""

    contents: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> "Credentials":
        """Raises RotationRefused for anything but a JSON object with a user and a password."""
        try:
            contents = json.loads(text)
        except json.JSONDecodeError:
            contents = None
        if not isinstance(contents, dict) or not {"username", "password"} <= set(contents):
            raise RotationRefused("The secret is no JSON object with username and password.")
        return cls(contents)

    @property
    def username(self) -> str:
        return self.contents["username"]

    @property
    def password(self) -> str:
        return self.contents["password"]

    def with_password(self, password: str) -> "Credentials":
        return Credentials({**self.contents, "password": password})


@dataclass(frozen=True)
class Secret:
    """One secret and its staged versions, by its ARN."""

    client: "SecretsManagerClient"
    arn: str

    def stages(self) -> Mapping[str, list[str]]:
        """Version to stages. Raises RotationRefused while rotation is switched off."""
        described = self.client.describe_secret(SecretId=self.arn)
        if not described.get("RotationEnabled"):
            raise RotationRefused("Rotation of this secret is switched off.")
        return described.get("VersionIdsToStages", {})

    def read(self, stage: str, *, version: str | None = None) -> Credentials | None:
        """What a stage holds; None when there is no such version, or nothing in it yet."""
        named = {"VersionId": version} if version else {}
        try:
            found = self.client.get_secret_value(SecretId=self.arn, VersionStage=stage, **named)
        except self.client.exceptions.ResourceNotFoundException:
            return None
        text = found.get("SecretString")
        return Credentials.parse(text) if text else None

    def put_pending(self, version: str, credentials: Credentials) -> None:
        self.client.put_secret_value(
            SecretId=self.arn,
            ClientRequestToken=version,
            SecretString=json.dumps(dict(credentials.contents)),
            VersionStages=[PENDING],
        )

    def make_current(self, version: str, *, instead_of: str | None) -> None:
        """The version before becomes the previous one by itself."""
        before = {"RemoveFromVersionId": instead_of} if instead_of else {}
        self.client.update_secret_version_stage(
            SecretId=self.arn, VersionStage=CURRENT, MoveToVersionId=version, **before
        )
