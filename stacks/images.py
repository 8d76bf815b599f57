"""The container image: built and pushed before synthesis, entering as repository and digest."""

import re
from dataclasses import dataclass, replace

from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>.+)")


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """An image by digest: a tag can move. Raises ValueError for anything else.

    Without a digest (None) everything synthesises, and the stack `network`, which then comes first, refuses to be deployed
    (`image_missing`).
    """

    repository: str
    digest: str | None

    def __post_init__(self) -> None:
        if self.digest is not None and not _DIGEST.fullmatch(self.digest):
            raise ValueError(f"An image is named by its digest (sha256:…), not by {self.digest!r}.")

    @classmethod
    def parse(cls, reference: str) -> "ImageReference":
        """Read `REPOSITORY@sha256:DIGEST`."""
        repository, at, digest = reference.partition("@")
        if not (repository and at):
            raise ValueError(f"An image is written REPOSITORY@sha256:DIGEST, not {reference!r}.")
        return cls(repository=repository, digest=digest)

    def in_region(self, region: str, *, instead_of: str) -> "ImageReference":
        """The same image in another region's replicated registry; other registries are unchanged."""
        found = _ECR.fullmatch(self.repository)
        if not found or found["region"] != instead_of:
            return self
        moved = f"{found['account']}.dkr.ecr.{region}.amazonaws.com/{found['name']}"
        return replace(self, repository=moved)

    @property
    def is_named(self) -> bool:
        return self.digest is not None

    @property
    def in_ecr(self) -> bool:
        return _ECR.fullmatch(self.repository) is not None

    def container_image(self, stack: Stack) -> ecs.ContainerImage:
        """The image for task definitions of `stack`."""
        digest = self.digest or self._asked_for(stack)
        return ecs.ContainerImage.from_registry(f"{self.repository}@{digest}")

    def allow_pulling(self, task: ecs.TaskDefinition) -> None:
        """Let the execution role pull the image, if the registry requires permission."""
        found = _ECR.fullmatch(self.repository)
        if not found:
            return
        arn = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
        ecr.Repository.from_repository_attributes(
            task, "Repository", repository_arn=arn, repository_name=found["name"]
        ).grant_pull(task.obtain_execution_role())

    @staticmethod
    def _asked_for(stack: Stack) -> str:
        """A parameter without a default: this stack by itself (`--exclusively`) is not deployed without an image either."""
        parameter = CfnParameter(
            stack,
            "ImageDigest",
            description="Which image to run; better given as a whole: -c image=REPOSITORY@sha256:DIGEST",
            allowed_pattern="sha256:[0-9a-f]{64}",
            constraint_description="sha256: and 64 hexadecimal digits",
        )
        return parameter.value_as_string


def image_missing(environment: str) -> str:
    """CloudFormation's error for a deployment without an image."""
    return (
        f"{environment}: no image is named, so nothing is deployed; name the one to run, -c image=REPOSITORY@sha256:DIGEST "
        "(make assembly IMAGE=REPOSITORY@sha256:DIGEST), or deploy a stack other than network that runs none by "
        f"itself, cdk deploy {environment}/STACK --exclusively (docs/runbooks/first-deployment.md)."
    )
