"""Accounts, regions and stacks of an environment, from its assembly."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from operations.assembly import Deployed, read


class NoSuchEnvironmentError(Exception):
    """The assembly has no environment of this name; the message names those it has."""


@dataclass(frozen=True, kw_only=True, order=True)
class AccountRegion:
    """One account in one region."""

    account: str
    region: str

    @property
    def address(self) -> str:
        """The way the CDK's command line writes it."""
        return f"aws://{self.account}/{self.region}"

    @property
    def lookup_role(self) -> str:
        """The bootstrap's role that reads and changes nothing."""
        return f"arn:aws:iam::{self.account}:role/cdk-hnb659fds-lookup-role-{self.account}-{self.region}"


def environment_of(assembly: Path, name: str) -> Deployed:
    """One environment of an assembly.

    Raises:
        NoSuchEnvironmentError: The assembly has others.
        NoAssemblyError: There is no assembly in this folder.
    """
    found = read(assembly)
    if name not in found:
        raise NoSuchEnvironmentError(f"{assembly} holds no {name!r}; it holds {', '.join(sorted(found))}.")
    return found[name]


def place_of(deployed: Deployed, stack: str) -> AccountRegion:
    account, region = str(deployed.manifests[stack]["environment"]).removeprefix("aws://").split("/")
    return AccountRegion(account=account, region=region)


def places(deployed: Deployed) -> list[AccountRegion]:
    """Every place the environment has a stack in, each once."""
    return sorted({place_of(deployed, stack) for stack in deployed.manifests})


def in_order(deployed: Deployed) -> list[str]:
    """Stack ids, each after those it depends on; otherwise as the manifest lists them."""
    ordered: list[str] = []
    for stack in deployed.manifests:
        _visit(deployed, stack, ordered)
    return ordered


def _visit(deployed: Deployed, stack: str, ordered: list[str]) -> None:
    if stack in ordered:
        return
    for below in needed_by(deployed, stack):
        _visit(deployed, below, ordered)
    ordered.append(stack)


def needed_by(deployed: Deployed, stack: str) -> Iterator[str]:
    """The stacks this one directly depends on."""
    names = _artifact_names(deployed)
    for dependency in deployed.manifests[stack].get("dependencies", []):
        if dependency in names:
            yield names[dependency]


def _artifact_names(deployed: Deployed) -> dict[str, str]:
    """The manifest calls `production/network` by an id of its own, which ends in a hash."""
    names = {}
    for stack, manifest in deployed.manifests.items():
        template = str(manifest["properties"]["templateFile"])
        names[template.removesuffix(".template.json")] = stack
    return names
