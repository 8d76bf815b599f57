"""CloudFormation types that are recorded without effect on a laptop, each with the reason.

docs/local-cloud.md shows this table to people; nothing of MiniStack is imported here.
"""

NO_NETWORK = "a laptop has one loopback network: nothing to route or to filter"
NO_SCALING = "every service runs as one process"
NO_BACKUP = "the data of a laptop is yours to throw away"
NO_FIREWALL = "nothing reaches a loopback port from outside"
NO_ANALYSTS = "the emulator does not enforce who may see what in a catalogue"
NO_MONEY = "an emulated cloud sends no bill"

SKIPPED: dict[str, str] = {
    "AWS::ApiGatewayV2::VpcLink": "the API is reached at its own port",
    "AWS::ApplicationAutoScaling::ScalableTarget": NO_SCALING,
    "AWS::ApplicationAutoScaling::ScalingPolicy": NO_SCALING,
    "AWS::Backup::BackupSelection": NO_BACKUP,
    "AWS::Budgets::Budget": NO_MONEY,
    "AWS::CloudWatch::CompositeAlarm": "nobody is paged from a laptop",
    "AWS::EC2::FlowLog": NO_NETWORK,
    "AWS::EC2::NatGateway": NO_NETWORK,
    "AWS::EC2::SecurityGroupEgress": NO_NETWORK,
    "AWS::EC2::SecurityGroupIngress": NO_NETWORK,
    "AWS::Events::Archive": NO_BACKUP,
    "AWS::Events::EventBusPolicy": "the emulator does not enforce IAM",
    "AWS::LakeFormation::DataLakeSettings": NO_ANALYSTS,
    "AWS::LakeFormation::PrincipalPermissions": NO_ANALYSTS,
    "AWS::LakeFormation::Resource": NO_ANALYSTS,
    "AWS::LakeFormation::Tag": NO_ANALYSTS,
    "AWS::LakeFormation::TagAssociation": NO_ANALYSTS,
    "AWS::RDS::DBProxy": "services connect to the database directly",
    "AWS::RDS::DBProxyTargetGroup": "services connect to the database directly",
    "AWS::SecretsManager::RotationSchedule": "secrets of a laptop live as long as its data",
    "AWS::Synthetics::Canary": "the demo is the canary",
    "AWS::WAFv2::LoggingConfiguration": NO_FIREWALL,
    "AWS::WAFv2::WebACLAssociation": NO_FIREWALL,
    "Custom::VpcRestrictDefaultSG": NO_NETWORK,
}
