"""Resource types that cost nothing by themselves, each with the reason. Every other type needs a price rule."""

from collections.abc import Mapping

_SAID_ELSEWHERE = "what it runs, sends or writes is charged where that is"
_SETTING = "a setting of something that is charged itself"
_PERMISSION = "permissions are free"
_WIRING = "the wiring of a network is free; gateways, endpoints and traffic are charged"
_DEPLOYMENT = "runs for seconds during a deployment"

_BY_REASON: Mapping[str, tuple[str, ...]] = {
    _SAID_ELSEWHERE: (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::Backup::BackupSelection",
        "AWS::EC2::FlowLog",
        "AWS::ECS::TaskDefinition",
        "AWS::Events::Rule",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::LayerVersion",
        "AWS::SNS::Subscription",
        "AWS::Scheduler::ScheduleGroup",
        "AWS::WAFv2::LoggingConfiguration",
        "AWS::XRay::Group",
    ),
    _SETTING: (
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::RequestValidator",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::UsagePlan",
        "AWS::ApiGatewayV2::ApiMapping",
        "AWS::ApiGatewayV2::DomainName",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::ApiGatewayV2::VpcLink",
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::KeyValueStore",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::OriginRequestPolicy",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::ECR::RegistryPolicy",
        "AWS::ECR::RepositoryCreationTemplate",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "AWS::ElastiCache::ParameterGroup",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::ElastiCache::User",
        "AWS::ElastiCache::UserGroup",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::IoT::ThingGroup",
        "AWS::KMS::Alias",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Url",
        "AWS::Lambda::Version",
        "AWS::Logs::QueryDefinition",
        "AWS::Logs::ResourcePolicy",
        "AWS::Logs::SubscriptionFilter",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBProxyEndpoint",
        "AWS::RDS::DBProxyTargetGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::Route53::RecordSet",
        "AWS::Route53::RecordSetGroup",
        "AWS::SES::ConfigurationSet",
        "AWS::SES::ConfigurationSetEventDestination",
        "AWS::SES::Template",
        "AWS::SecretsManager::RotationSchedule",
        "AWS::SecretsManager::SecretTargetAttachment",
        "AWS::WAFv2::IPSet",
        "AWS::WAFv2::RegexPatternSet",
        "AWS::WAFv2::WebACLAssociation",
    ),
    _PERMISSION: (
        "AWS::Events::EventBusPolicy",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::ServiceLinkedRole",
        "AWS::IoT::Policy",
        "AWS::Lambda::Permission",
        "AWS::LakeFormation::DataLakeSettings",
        "AWS::LakeFormation::PrincipalPermissions",
        "AWS::LakeFormation::Resource",
        "AWS::LakeFormation::Tag",
        "AWS::LakeFormation::TagAssociation",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SecretsManager::ResourcePolicy",
    ),
    _WIRING: (
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NetworkAcl",
        "AWS::EC2::NetworkAclEntry",
        "AWS::EC2::PrefixList",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetNetworkAclAssociation",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPCGatewayAttachment",
    ),
    "the first million objects of a catalogue are free": ("AWS::Glue::Database",),
    "budgets that only tell are free": ("AWS::Budgets::Budget",),
}

FREE: Mapping[str, str] = {
    resource_type: reason for reason, types in _BY_REASON.items() for resource_type in types
}


def reason_it_is_free(resource_type: str) -> str | None:
    """Why this type costs nothing; None when nobody has said so."""
    if resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource":
        return _DEPLOYMENT
    if resource_type in {"AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle"}:
        return _SETTING
    return FREE.get(resource_type)
