"""Price rules of storage: databases, caches, buckets, keys, secrets, backups."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from operations.cost.charge import HOURS, Charge, Priced, Rule
from operations.cost.errors import UnpricedError

_PROXY_VCPUS_MIN = 2
_VCPUS = {"micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16}
"""Of the classes t4g and m7g by their size: https://aws.amazon.com/rds/instance-types/."""
_DAYS_OF_INSIGHTS_FREE = 7
_METRICS_OF_A_MEASURED_RULE = 4
"""Bytes and operations that wait, operations that failed, and how late the last one is."""


def instance(it: Priced) -> Iterator[Charge]:
    """https://aws.amazon.com/rds/postgresql/pricing/: a standby in another zone costs as much as the instance."""
    it.refuse("Iops", "StorageThroughput")
    copies = 2 if it.properties.get("MultiAZ") else 1
    size = it.properties["DBInstanceClass"]
    standby = ", with a standby" if copies > 1 else ""
    yield Charge(
        price=f"rds/{it.properties.get('Engine', 'postgres')}/{size}",
        quantity=copies * HOURS,
        what=f"{it.name}: {size}{standby}",
    )
    yield Charge(
        price=f"rds/storage/{it.properties.get('StorageType', 'gp3')}",
        quantity=copies * _allocated(it),
        what=f"{it.name}: disk{standby}",
    )
    yield Charge(
        price="rds/backup",
        quantity=it.assumed("database_backup_gb"),
        what=f"{it.name}: backups above its size",
    )
    yield from _extras(it)


def _extras(it: Priced) -> Iterator[Charge]:
    if it.properties.get("ManageMasterUserPassword"):
        yield Charge(price="secret", quantity=Decimal(1), what="secret")
    if it.properties.get("MonitoringInterval"):
        yield Charge(
            price="logs/STANDARD/ingested",
            quantity=it.assumed("enhanced_monitoring_gb"),
            what="enhanced monitoring",
        )
    if it.properties.get("DatabaseInsightsMode") == "advanced":
        yield Charge(price="rds/insights", quantity=_vcpus(it) * HOURS, what="Database Insights, advanced")
    elif it.properties.get("PerformanceInsightsRetentionPeriod", 0) > _DAYS_OF_INSIGHTS_FREE:
        raise UnpricedError(it.resource.where, "Performance Insights is kept for more than seven days")


def _allocated(it: Priced) -> Decimal:
    """A read replica has the disk of what it replicates."""
    if "AllocatedStorage" in it.properties:
        return it.number("AllocatedStorage")
    sizes = [
        Decimal(str(other.properties["AllocatedStorage"]))
        for other in it.deployed.resources("AWS::RDS::DBInstance")
        if "AllocatedStorage" in other.properties
    ]
    if "SourceDBInstanceIdentifier" not in it.properties or not sizes:
        raise UnpricedError(it.resource.where, "AllocatedStorage is missing")
    return max(sizes)


def _vcpus(it: Priced) -> Decimal:
    size = str(it.properties["DBInstanceClass"]).rpartition(".")[2]
    if size not in _VCPUS:
        raise UnpricedError(it.resource.where, f"nobody has said how many vCPUs {size} has")
    return Decimal(_VCPUS[size])


def proxy(it: Priced) -> Iterator[Charge]:
    """https://aws.amazon.com/rds/proxy/pricing/: by the vCPUs of the instance behind it, two at least."""
    behind = [
        _vcpus(Priced(resource=database, deployed=it.deployed, usage=it.usage))
        for database in it.deployed.resources("AWS::RDS::DBInstance")
    ]
    vcpus = max([Decimal(_PROXY_VCPUS_MIN), *behind])
    yield Charge(price="rds/proxy", quantity=vcpus * HOURS, what="database proxy")


def replication_group(it: Priced) -> Iterator[Charge]:
    engine, node = it.properties["Engine"], it.properties["CacheNodeType"]
    if "NumCacheClusters" in it.properties:
        nodes = it.number("NumCacheClusters")
    else:
        nodes = it.number("NumNodeGroups") * (1 + it.number("ReplicasPerNodeGroup"))
    yield Charge(price=f"cache/{engine}/{node}", quantity=nodes * HOURS, what=f"{nodes} of {node}")


def bucket(it: Priced) -> Iterator[Charge]:
    """Everything as S3 Standard: cheaper classes come with age, and an estimate may be too high but not too low."""
    name = it.name
    yield Charge(price="s3/standard", quantity=it.assumed("bucket_gb"), what=f"{name}: objects")
    yield Charge(price="s3/puts", quantity=it.assumed("bucket_puts_thousands"), what=f"{name}: writes")
    yield Charge(price="s3/gets", quantity=it.assumed("bucket_gets_thousands"), what=f"{name}: reads")
    if "ReplicationConfiguration" in it.properties:
        yield Charge(
            price="transfer/region",
            quantity=it.assumed("bucket_new_gb"),
            what=f"{name}: copied to another region",
        )
        measured = [
            rule
            for rule in it.properties["ReplicationConfiguration"]["Rules"]
            if "Metrics" in rule["Destination"]
        ]
        if measured:
            metrics = len(measured) * _METRICS_OF_A_MEASURED_RULE
            yield Charge(price="metric", quantity=Decimal(metrics), what=f"{name}: how far copying is")


def key(it: Priced) -> Iterator[Charge]:
    symmetric = it.properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
    yield Charge(price="kms/key", quantity=Decimal(1), what="key")
    yield Charge(
        price="kms/requests" if symmetric else "kms/asymmetric-requests",
        quantity=it.assumed("key_requests_10k"),
        what=f"{it.name}: requests",
    )


def replica_key(_it: Priced) -> Iterator[Charge]:
    yield Charge(price="kms/key", quantity=Decimal(1), what="key")


def secret(it: Priced) -> Iterator[Charge]:
    copies = 1 + len(it.properties.get("ReplicaRegions", []))
    yield Charge(price="secret", quantity=Decimal(copies), what="secret")


def parameter(it: Priced) -> Iterator[Charge]:
    if it.properties.get("Tier", "Standard") != "Standard":
        raise UnpricedError(it.resource.where, "only standard parameters are free")
    yield from ()


def vault(it: Priced) -> Iterator[Charge]:
    yield Charge(price="backup/storage", quantity=it.assumed("backup_gb"), what=f"{it.name}: backups")


def table(it: Priced) -> Iterator[Charge]:
    """https://aws.amazon.com/dynamodb/pricing/on-demand/: by the request, and what is kept, twice where it can be restored."""
    if it.properties.get("BillingMode") != "PAY_PER_REQUEST":
        raise UnpricedError(it.resource.where, "it is not billed by the request")
    gigabytes = it.assumed("table_gb")
    yield Charge(
        price="table/writes", quantity=it.assumed("table_writes_millions"), what=f"{it.name}: writes"
    )
    yield Charge(price="table/reads", quantity=it.assumed("table_reads_millions"), what=f"{it.name}: reads")
    yield Charge(price="table/stored", quantity=gigabytes, what=f"{it.name}: items")
    if it.properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
        yield Charge(price="table/recovery", quantity=gigabytes, what=f"{it.name}: any second of the past")


def replicated_table(it: Priced) -> Iterator[Charge]:
    """As `table`, in each region that has a replica: a write is charged wherever it arrives, and the way there. A read is one."""
    if it.properties.get("BillingMode") != "PAY_PER_REQUEST":
        raise UnpricedError(it.resource.where, "it is not billed by the request")
    replicas = it.properties["Replicas"]
    number, gigabytes = Decimal(len(replicas)), it.assumed("table_gb")
    writes = it.assumed("table_writes_millions")
    yield Charge(price="table/writes", quantity=number * writes, what=f"{it.name}: writes, in each region")
    yield Charge(price="table/reads", quantity=it.assumed("table_reads_millions"), what=f"{it.name}: reads")
    yield Charge(price="table/stored", quantity=number * gigabytes, what=f"{it.name}: items, in each region")
    restorable = [
        one
        for one in replicas
        if one.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
    ]
    yield Charge(
        price="table/recovery",
        quantity=len(restorable) * gigabytes,
        what=f"{it.name}: any second of the past, in each region",
    )
    yield Charge(
        price="transfer/region",
        # What is charged as one write has a kilobyte at most.
        quantity=(number - 1) * writes,
        what=f"{it.name}: replicated to another region",
    )


def workgroup(it: Priced) -> Iterator[Charge]:
    yield Charge(price="athena/scanned", quantity=it.assumed("asked_tb"), what=f"{it.name}: what was read")


def plan(it: Priced) -> Iterator[Charge]:
    """The vaults are charged for what they hold; copies to another region also for the way."""
    rules = it.properties["BackupPlan"]["BackupPlanRule"]
    if any(rule.get("CopyActions") for rule in rules):
        yield Charge(
            price="transfer/region",
            quantity=it.assumed("backup_copied_gb"),
            what="backups copied to another region",
        )


RULES: Mapping[str, Rule] = {
    "AWS::Athena::WorkGroup": workgroup,
    "AWS::Backup::BackupPlan": plan,
    "AWS::Backup::BackupVault": vault,
    "AWS::DynamoDB::GlobalTable": replicated_table,
    "AWS::DynamoDB::Table": table,
    "AWS::ElastiCache::ReplicationGroup": replication_group,
    "AWS::KMS::Key": key,
    "AWS::KMS::ReplicaKey": replica_key,
    "AWS::RDS::DBInstance": instance,
    "AWS::RDS::DBProxy": proxy,
    "AWS::S3::Bucket": bucket,
    "AWS::SSM::Parameter": parameter,
    "AWS::SecretsManager::Secret": secret,
}
