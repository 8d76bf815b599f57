"""The container image: built and pushed before synthesis, entering as repository and digest."""

import re
from dataclasses import dataclass

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from constructs import Construct

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>.+)")


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """Exactly one image: a tag can move, a digest cannot. Raises ValueError for anything else."""

    repository: str
    digest: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.digest):
            raise ValueError(f"An image is named by its digest (sha256:…), not by {self.digest!r}.")

    @classmethod
    def parse(cls, reference: str) -> "ImageReference":
        """Read `REPOSITORY@sha256:DIGEST`."""
        repository, at, digest = reference.partition("@")
        if not (repository and at):
            raise ValueError(f"An image is written REPOSITORY@sha256:DIGEST, not {reference!r}.")
        return cls(repository=repository, digest=digest)

    @property
    def in_ecr(self) -> bool:
        return _ECR.fullmatch(self.repository) is not None

    def container_image(self, scope: Construct) -> ecs.ContainerImage:
        """From ECR with the permission to pull it; from anywhere else as it stands."""
        found = _ECR.fullmatch(self.repository)
        if not found:
            return ecs.ContainerImage.from_registry(f"{self.repository}@{self.digest}")
        arn = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
        repository = ecr.Repository.from_repository_attributes(
            scope, "Repository", repository_arn=arn, repository_name=found["name"]
        )
        return ecs.ContainerImage.from_ecr_repository(repository, self.digest)
