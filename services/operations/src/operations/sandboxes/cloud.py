"""Finds and deletes a sandbox's CloudFormation stacks, with bounded waits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from operations.sandboxes.leases import Stack, named_sandboxes

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_SETTINGS = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 5, "mode": "standard"})


class UnreachableError(Exception):
    """CloudFormation could not be asked; the message says why."""


class NotRemovedError(Exception):
    """A stack is still there; the message says why, and what to look at."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long one stack's deletion is waited for: a distribution or a database takes a quarter of an hour."""

    every_seconds: int = 5
    times: int = 720


class Cloud(Protocol):
    def stacks(self) -> Sequence[Stack]:
        """Every stack of the account. Raises UnreachableError."""

    def template(self, stack: Stack) -> Mapping[str, Any]:
        """What the stack was deployed from. Raises UnreachableError."""

    def remove(self, stack: Stack) -> None:
        """Delete it and wait until it is gone. Raises NotRemovedError."""


class CloudFormation:
    """The stacks of one account in some regions."""

    def __init__(self, regions: Sequence[str], patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._clients: dict[str, CloudFormationClient] = {
            region: boto3.client("cloudformation", region_name=region, config=_SETTINGS) for region in regions
        }

    def stacks(self) -> list[Stack]:
        with _asking(UnreachableError, "list the stacks"):
            return [
                _stack(region, described)
                for region, client in self._clients.items()
                for page in client.get_paginator("describe_stacks").paginate()
                for described in page["Stacks"]
            ]

    def template(self, stack: Stack) -> Mapping[str, Any]:
        client = self._clients[stack.region]
        with _asking(UnreachableError, f"read the template of {stack.name}"):
            body: Any = client.get_template(StackName=stack.id, TemplateStage="Processed")["TemplateBody"]
        if not isinstance(body, Mapping):
            raise UnreachableError(f"The template of {stack.name} is not JSON, so the app did not deploy it.")
        return body

    def remove(self, stack: Stack) -> None:
        client = self._clients[stack.region]
        with _asking(NotRemovedError, f"delete {stack.name}"):
            self._look_again(client, stack)
            client.delete_stack(StackName=stack.id)
            client.get_waiter("stack_delete_complete").wait(
                StackName=stack.id,
                WaiterConfig={"Delay": self._patience.every_seconds, "MaxAttempts": self._patience.times},
            )

    def _look_again(self, client: "CloudFormationClient", stack: Stack) -> None:
        """Between the list and now its owner may have asked for more days, or protected it."""
        (described,) = client.describe_stacks(StackName=stack.id)["Stacks"]
        if _stack(stack.region, described) != stack or not named_sandboxes([stack]) or stack.is_protected:
            raise NotRemovedError(
                f"{stack.name} has changed since it was listed, or is protected: left alone."
            )


def parameter(path: str, *, region: str) -> str:
    """What a deployed environment publishes under this SSM path. Raises UnreachableError, also where there is nothing."""
    with _asking(UnreachableError, f"read {path}"):
        found = boto3.client("ssm", region_name=region, config=_SETTINGS).get_parameter(Name=path)
    return found["Parameter"].get("Value", "")


def _stack(region: str, described: "StackTypeDef") -> Stack:
    return Stack(
        id=described.get("StackId", described["StackName"]),
        name=described["StackName"],
        region=region,
        tags={tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
        is_protected=described.get("EnableTerminationProtection", False),
    )


@contextmanager
def _asking(kind: Callable[[str], Exception], what: str) -> Iterator[None]:
    """Turn what AWS or the network says into one of our sentences."""
    try:
        yield
    except WaiterError as failure:
        raise kind(f"Could not {what}: {failure}; its events say more.") from failure
    except (ClientError, BotoCoreError) as failure:
        raise kind(f"Could not {what}: {failure}") from failure
