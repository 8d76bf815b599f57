"""Features that change other stacks, and everything that each of them touches."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stacks.environment import Environment
from stacks.environments import PRODUCTION, STAGING
from stacks.features import Features

MADE_BY_IT = "what it is made of"


@dataclass(frozen=True, kw_only=True)
class Reaching:
    """Staging where the feature is the other way round, what it changes with reasons, and words that name it."""

    turned: Environment
    reaches: Mapping[str, str]
    words: str


FEATURES: Mapping[str, Reaching] = {
    "traces": Reaching(
        turned=replace(STAGING, traces=None),
        reaches={
            "traces (only in *)": MADE_BY_IT,
            "* AWS::IAM::Policy *Spans (only in *)": MADE_BY_IT,
            "* Properties.ContainerDefinitions.*.Environment.AMPLY_TRACE*.Value": "where spans go, and how many",
            "observability AWS::CloudWatch::Dashboard Dashboard Properties.DashboardBody*": "a link to them",
        },
        words=r"xray|Spans",
    ),
    "outside_view_minutes": Reaching(
        turned=replace(STAGING, outside_view_minutes=None),
        reaches={
            "observability * OutsideView/* (only in *)": MADE_BY_IT,
            "observability AWS::CloudWatch::Alarm Alarms/outside-view (only in *)": "its alarm",
            "storage Outputs PublishOutputFnGetAttAccessLogs*": "where it writes what it saw",
            "observability AWS::CloudWatch::Dashboard Dashboard Properties.DashboardBody*": "its graph",
        },
        words=r"Synthetics|OutsideView|outside-view",
    ),
    "replica_region": Reaching(
        turned=replace(STAGING, replica_region="eu-central-1", recovery=PRODUCTION.recovery),
        reaches={
            "replica (only in *)": MADE_BY_IT,
            "recovery (only in *)": "what coming back there will ask for",
            "storage AWS::IAM::* Replication/Role* (only in *)": MADE_BY_IT,
            "storage AWS::S3::Bucket * Properties.ReplicationConfiguration": "the bucket is copied",
            "database AWS::RDS::DBInstance Instance Properties.AutomaticBackupReplication*": "so is its backup",
            "backup AWS::Backup::BackupPlan Plan Properties.BackupPlan.BackupPlanRule.*.CopyActions": "and this",
            "keys AWS::KMS::Key Personal Properties.MultiRegion": "what it wrapped opens there too",
            "keys AWS::SecretsManager::Secret Commitments Properties.ReplicaRegions": "what nobody could make again",
            "keys AWS::SecretsManager::Secret People Properties.ReplicaRegions": "what nobody could make again",
            "observability AWS::CloudWatch::Alarm Alarms/backup-copy-failed (only in *)": "its alarm",
            "delivery AWS::IAM::Policy */DefaultPolicy Properties.PolicyDocument.Statement*": "one region more",
        },
        words=r"eu-central-1|ReplicationConfiguration|CopyActions|ReplicaRegions|MultiRegion",
    ),
    "features.etl": Reaching(
        turned=replace(STAGING, features=Features(etl=True)),
        reaches={
            "lake (only in *)": MADE_BY_IT,
            "controlplane (only in *)": MADE_BY_IT,
            "etl (only in *)": MADE_BY_IT,
            "* Properties.ContainerDefinitions.*.Environment.AMPLY_LAKE_*": "whether donors are asked, and where data goes",
            "workers AWS::IAM::Policy WorkerRole/DefaultPolicy Properties.PolicyDocument.Statement*": "handing it in",
            "api AWS::IAM::Policy ApiRole/DefaultPolicy Properties.PolicyDocument.Statement*": "forms and links to it",
            "observability AWS::Logs::MetricFilter Shared/* (only in *)": "what the worker could not hand in is counted",
            "observability AWS::CloudWatch::Alarm Alarms/consents-untold (only in *)": "its alarm",
            "observability AWS::CloudWatch::Alarm Alarms/facts-unwritten (only in *)": "its alarm",
            "observability AWS::CloudWatch::Alarm Alarms/datasets-untold (only in *)": "its alarm",
            "observability AWS::CloudWatch::Alarm Alarms/files-unread (only in *)": "its alarm",
            "observability AWS::CloudWatch::Alarm Alarms/files-given-up (only in *)": "its alarm",
        },
        words=r"AMPLY_LAKE_|controlplane|consent_not_told|facts_not_written|dataset_not_told|file_not_read|file_given_up",
    ),
    "features.marketplace": Reaching(
        turned=replace(STAGING, features=Features(marketplace=True)),
        reaches={
            "lake (only in *)": MADE_BY_IT,
            "controlplane (only in *)": MADE_BY_IT,
            "marketplace (only in *)": MADE_BY_IT,
            "* Properties.ContainerDefinitions.*.Environment.AMPLY_LAKE_*": "which tables they keep",
            "workers AWS::IAM::Policy WorkerRole/DefaultPolicy Properties.PolicyDocument.Statement*": "settling months",
            "observability AWS::Logs::MetricFilter Sold/* (only in *)": "what the worker could not settle is counted",
            "observability AWS::CloudWatch::Alarm Alarms/data-* (only in *)": "their alarms",
            "administration AWS::IAM::Policy AdminRole/DefaultPolicy Properties.PolicyDocument.Statement*": "contracts and buyers' keys",
        },
        words=r"AMPLY_LAKE_|controlplane|marketplace|apigateway|data_not_settled|data_contract_unreadable|data_share_not_told",
    ),
    "features.data_seller_portal": Reaching(
        turned=replace(STAGING, features=Features(data_seller_portal=True)),
        reaches={
            "lake (only in *)": MADE_BY_IT,
            "controlplane (only in *)": MADE_BY_IT,
            "api * Properties.ContainerDefinitions.*.Environment.AMPLY_LAKE_*": "what its pages show is read from there",
            "api AWS::IAM::Policy ApiRole/DefaultPolicy Properties.PolicyDocument.Statement*": "reading it",
            "edge * UploadDataSellerPortal/* (only in *)": "its page, which goes again with the flag",
            "edge Custom::CDKBucketDeployment Upload/* Properties.Source*": "that other pages lead there",
            "edge AWS::S3::Bucket Site Properties.Tags*": "the library's mark of who uploads there",
        },
        words=r"AMPLY_LAKE_|controlplane|SellerPortal",
    ),
}
