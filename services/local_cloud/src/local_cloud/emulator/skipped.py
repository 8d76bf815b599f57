"""Registers the types of `catalogue.py` as no-ops, so that stacks with them deploy.

Nothing runs for them: `Ref` and `Fn::GetAtt` answer a placeholder, and the log says so once for each.
"""

import logging

from local_cloud.emulator import handlers
from local_cloud.emulator.catalogue import SKIPPED
from local_cloud.emulator.handlers import Created, Properties

logger = logging.getLogger("amply.skipped")

_ATTRIBUTES = (
    "AllocationId",
    "Arn",
    "Endpoint.Address",
    "GroupId",
    "Id",
    "NatGatewayId",
    "PublicIp",
    "ReaderEndpoint.Address",
    "SelectionId",
    "VpcLinkId",
)
"""What stacks may ask of a recorded resource; each answers the placeholder id."""


def install() -> None:
    """Register these types as no-ops, except those that MiniStack supports by now."""
    for resource_type in SKIPPED:
        if not handlers.is_handled(resource_type):
            handlers.register(resource_type, create=_creator(resource_type), update=_keep, delete=_forget)


def _creator(resource_type: str) -> handlers.Create:
    def record(logical_id: str, _properties: Properties, stack: str) -> Created:
        logger.warning("%s in %s is recorded, not run: %s", resource_type, stack, SKIPPED[resource_type])
        placeholder = f"{stack}-{logical_id}-recorded"
        ports = {"Endpoint.Port": "0", "ReaderEndpoint.Port": "0"}
        return placeholder, {**dict.fromkeys(_ATTRIBUTES, placeholder), **ports}

    return record


def _keep(physical_id: str, _old: Properties, _new: Properties, _stack: str) -> Created:
    return physical_id, {}


def _forget(_physical_id: str, _properties: Properties) -> None:
    """There is nothing to take away."""
