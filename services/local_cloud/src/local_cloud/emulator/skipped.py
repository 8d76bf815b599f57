"""The CloudFormation types that a laptop only records.

Nothing runs for them: `cdk deploy` succeeds, `Ref` and `Fn::GetAtt` answer a placeholder, and the emulator's
log says so once for each. The reason beside each type is what docs/local-cloud.md shows people.
"""

import logging

from local_cloud.emulator import handlers
from local_cloud.emulator.handlers import Created, Properties

logger = logging.getLogger("amply.skipped")

NO_NETWORK = "a laptop has one loopback network: nothing to route or to filter"
NO_SCALING = "every service runs as one process"
NO_BACKUP = "the data of a laptop is yours to throw away"
NO_FIREWALL = "nothing reaches a loopback port from outside"
NO_MONEY = "an emulated cloud sends no bill"

SKIPPED: dict[str, str] = {
    "AWS::ApiGatewayV2::VpcLink": "the API is reached at its own port",
    "AWS::ApplicationAutoScaling::ScalableTarget": NO_SCALING,
    "AWS::ApplicationAutoScaling::ScalingPolicy": NO_SCALING,
    "AWS::Backup::BackupSelection": NO_BACKUP,
    "AWS::Budgets::Budget": NO_MONEY,
    "AWS::CloudFront::MonitoringSubscription": "the emulated edge has no metrics",
    "AWS::CloudWatch::CompositeAlarm": "nobody is paged from a laptop",
    "AWS::EC2::EIP": NO_NETWORK,
    "AWS::EC2::FlowLog": NO_NETWORK,
    "AWS::EC2::NatGateway": NO_NETWORK,
    "AWS::EC2::NetworkAcl": NO_NETWORK,
    "AWS::EC2::NetworkAclEntry": NO_NETWORK,
    "AWS::EC2::SecurityGroupEgress": NO_NETWORK,
    "AWS::EC2::SecurityGroupIngress": NO_NETWORK,
    "AWS::ECS::ClusterCapacityProviderAssociations": "containers run as local processes",
    "AWS::ElastiCache::ServerlessCache": "the cache is a Valkey process on loopback",
    "AWS::Events::Archive": NO_BACKUP,
    "AWS::RDS::DBProxy": "services connect to the database directly",
    "AWS::RDS::DBProxyTargetGroup": "services connect to the database directly",
    "AWS::SecretsManager::ResourcePolicy": "the emulator does not enforce IAM",
    "AWS::SecretsManager::RotationSchedule": "secrets of a laptop live as long as its data",
    "AWS::Synthetics::Canary": "the demo is the canary",
    "AWS::WAFv2::LoggingConfiguration": NO_FIREWALL,
    "AWS::WAFv2::WebACLAssociation": NO_FIREWALL,
    "Custom::VpcRestrictDefaultSG": NO_NETWORK,
}

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
    """Record these types, except those that MiniStack has learnt to run meanwhile."""
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
