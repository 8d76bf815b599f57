"""Resource types that hold data. Replacing one without a approval is refused."""

from collections.abc import Mapping
from typing import Final

HOLDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "AWS::ApiGateway::RestApi": ("REST API", "the address callers know"),
    "AWS::ApiGatewayV2::Api": ("HTTP API", "the address callers know"),
    "AWS::Backup::BackupVault": ("backup vault", "its recovery points"),
    "AWS::CertificateManager::Certificate": ("certificate", "a validated certificate"),
    "AWS::CloudFormation::Stack": ("nested stack", "everything in it"),
    "AWS::CloudFront::Distribution": ("distribution", "the address visitors and DNS records know"),
    "AWS::Cognito::IdentityPool": ("identity pool", "its identities"),
    "AWS::Cognito::UserPool": ("user pool", "its users; their passwords cannot be copied"),
    "AWS::DocDB::DBCluster": ("database cluster", "its documents"),
    "AWS::DocDB::DBInstance": ("database", "its documents"),
    "AWS::DynamoDB::GlobalTable": ("table", "its items"),
    "AWS::DynamoDB::Table": ("table", "its items"),
    "AWS::EC2::EIP": ("public address", "an address that others may have allowed"),
    "AWS::EC2::Volume": ("volume", "its files"),
    "AWS::ECR::Repository": ("image repository", "its images, those that run among them"),
    "AWS::EFS::FileSystem": ("file system", "its files"),
    "AWS::EMR::Cluster": ("cluster", "its files"),
    "AWS::ElastiCache::CacheCluster": ("cache", "its entries: sessions and rate limits"),
    "AWS::ElastiCache::ReplicationGroup": ("cache", "its entries: sessions and rate limits"),
    "AWS::ElastiCache::ServerlessCache": ("cache", "its entries: sessions and rate limits"),
    "AWS::Elasticsearch::Domain": ("search domain", "its indexes"),
    "AWS::Events::Archive": ("event archive", "events that could be replayed"),
    "AWS::FSx::FileSystem": ("file system", "its files"),
    "AWS::KMS::Key": ("key", "everything encrypted with it, and whatever trusts its signatures"),
    "AWS::Kinesis::Stream": ("stream", "its records"),
    "AWS::Logs::LogGroup": ("log group", "its logs"),
    "AWS::Neptune::DBCluster": ("graph cluster", "its graph"),
    "AWS::Neptune::DBInstance": ("graph database", "its graph"),
    "AWS::OpenSearchService::Domain": ("search domain", "its indexes"),
    "AWS::Organizations::Account": ("account", "everything in it"),
    "AWS::QLDB::Ledger": ("ledger", "its journal"),
    "AWS::RDS::DBCluster": ("database cluster", "its rows and automated backups"),
    "AWS::RDS::DBInstance": ("database", "its rows and automated backups"),
    "AWS::RDS::GlobalCluster": ("database cluster", "its rows and automated backups"),
    "AWS::Redshift::Cluster": ("warehouse", "its rows"),
    "AWS::Route53::HostedZone": ("DNS zone", "its records, and the name servers a registrar points at"),
    "AWS::S3::Bucket": ("bucket", "its objects"),
    "AWS::S3Tables::Table": ("table", "its rows"),
    "AWS::S3Tables::TableBucket": ("table bucket", "its tables"),
    "AWS::SDB::Domain": ("domain", "its items"),
    "AWS::SES::EmailIdentity": ("sending identity", "its verification, DKIM keys and reputation"),
    "AWS::SQS::Queue": ("queue", "messages nobody has handled yet"),
    "AWS::SecretsManager::Secret": ("secret", "its value"),
}
"""By type: what it is, and what goes with it."""

SOME_INTERRUPTION: Final = frozenset(
    {
        ("AWS::RDS::DBInstance", "AutoMinorVersionUpgrade"),
        ("AWS::RDS::DBInstance", "BackupRetentionPeriod"),
        ("AWS::RDS::DBInstance", "DBParameterGroupName"),
        ("AWS::RDS::DBInstance", "MultiAZ"),
        ("AWS::RDS::DBInstance", "PreferredMaintenanceWindow"),
        ("AWS::RDS::DBInstance", "StorageType"),
    }
)
"""The registry calls these "may replace"; CloudFormation's page of the type says "some interruptions" and means it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html and
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1788
"""

REVISIONS: Final = frozenset(
    {
        "AWS::ApiGateway::Deployment",
        "AWS::ECS::TaskDefinition",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Version",
    }
)
"""Types whose every change is a new revision beside the old ones: replacing them is how they are meant to change."""
