"""Choices of an environment for outbound network access. See docs/adr/0041-ways-out-of-the-network.md."""

from enum import Enum, StrEnum


class WayOut(Enum):
    """How tasks reach the internet. Neither way admits inbound traffic."""

    NAT_GATEWAY = "NAT gateway"
    """Tasks have private addresses; one regional gateway spans the zones."""
    PUBLIC_ADDRESS = "public address"
    """Tasks stand in public subnets: an address to go out with, and no rule that lets anyone in."""


class InterfaceEndpoint(StrEnum):
    """AWS services with interface endpoints, billed by zone and hour; named as in EC2."""

    KMS = "kms"
    LOGS = "logs"
    SECRETS_MANAGER = "secretsmanager"
    SQS = "sqs"
