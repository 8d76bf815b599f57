"""Optional additions to the database: a read replica, and RDS Proxy.

No environment has any of them today; docs/adr/0040-who-rotates-the-master-password.md says when one would, and
rotation.py is the third of them.
"""

from collections.abc import Sequence

from aws_cdk import CfnParameter, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from constructs import Construct

from constructs_lib.waiver import Waiver, waive
from stacks.contracts import CONTAINERS
from stacks.database_engine import STANDARD_PORT
from stacks.network import Network
from stacks.recovery_plan import RestoredFrom
from stacks.waivers import NEXT_REVIEW


def follow(
    scope: Construct,
    construct_id: str,
    *,
    instance: rds.DatabaseInstance,
    instance_type: ec2.InstanceType,
    parameters: rds.IParameterGroup,
    network: Network,
) -> rds.DatabaseInstanceReadReplica:
    """A read replica with the same encryption, without backups or exported logs."""
    replica = rds.DatabaseInstanceReadReplica(
        scope,
        construct_id,
        source_database_instance=instance,
        instance_type=instance_type,
        parameter_group=parameters,
        ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
        vpc=network.vpc,
        vpc_subnets=network.data_subnets,
        security_groups=[network.database],
        iam_authentication=True,
        storage_type=rds.StorageType.GP3,
        publicly_accessible=False,
        # Losing it loses nothing, and a replica that cannot be deleted stops the one it follows from being so.
        deletion_protection=False,
        removal_policy=RemovalPolicy.DESTROY,
        auto_minor_version_upgrade=True,
    )
    for rule in ("AwsSolutions-RDS2", "AwsSolutions-RDS3", "AwsSolutions-RDS10"):
        waive(replica, rule, NOTHING_OF_ITS_OWN)
    waive(replica, "AwsSolutions-RDS11", STANDARD_PORT)
    return replica


def restore(scope: Construct, instance: rds.DatabaseInstance, source: RestoredFrom) -> None:
    """Restore from the lost region's backups, at the first deployment.

    What an instance takes over from its backup RDS refuses to be told. CloudFormation keeps the parameter's value in
    later deployments, and it must stay the same: with another one RDS would make another instance.
    """
    resource = instance.node.default_child
    if not isinstance(resource, rds.CfnDBInstance):
        raise TypeError(f"{instance.node.path} is not made of one instance.")
    backups = source is RestoredFrom.BACKUPS
    given = CfnParameter(
        scope,
        "RestoreFrom",
        description="ARN of the replicated backups" if backups else "ARN of the snapshot, in this region",
        allowed_pattern="arn:aws:rds:.+:auto-backup:.+" if backups else "arn:aws:rds:.+:snapshot:.+",
        constraint_description="an ARN that `aws rds describe-db-instance-automated-backups` told"
        if backups
        else "an ARN that `aws backup list-recovery-points-by-backup-vault` told",
    ).value_as_string
    if backups:
        resource.source_db_instance_automated_backups_arn = given
        resource.use_latest_restorable_time = True
    else:
        resource.db_snapshot_identifier = given
    for inherited in ("AllocatedStorage", "DBName", "KmsKeyId", "MasterUsername", "StorageEncrypted"):
        resource.add_property_deletion_override(inherited)
    waive(instance, "AwsSolutions-RDS2", AS_ITS_BACKUP)


def share_connections(
    scope: Construct, construct_id: str, *, instance: rds.DatabaseInstance, network: Network
) -> rds.DatabaseProxy:
    """A proxy without passwords: IAM authentication from services, and to PostgreSQL."""
    if network.proxy is None:
        raise RuntimeError("The network lets no proxy in: the environment connects directly.")
    role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("rds.amazonaws.com"))
    for user in signing_in():
        instance.grant_connect(role, user)
    proxy = rds.DatabaseProxy(
        scope,
        construct_id,
        proxy_target=rds.ProxyTarget.from_instance(instance),
        default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
        role=role,
        require_tls=True,
        vpc=network.vpc,
        vpc_subnets=network.data_subnets,
        security_groups=[network.proxy],
    )
    # CloudFormation knows no tags here, though the library passes ours on.
    targets = proxy.node.find_child("ProxyTargetGroup")
    if isinstance(targets, rds.CfnDBProxyTargetGroup):
        targets.add_property_deletion_override("Tags")
    return proxy


def signing_in() -> Sequence[str]:
    """The database users of all tasks."""
    through = [contract for contract in CONTAINERS.values() if not contract.past_proxy]
    return sorted({contract.database_user for contract in through if contract.database_user})


AS_ITS_BACKUP = Waiver(
    reason="A restored instance is encrypted as its backup is, with the key of the copies; RDS refuses to be told.",
    until=NEXT_REVIEW,
)
NOTHING_OF_ITS_OWN = Waiver(
    reason="A replica is encrypted as what it follows and holds nothing more; who loses it makes another.",
    until=NEXT_REVIEW,
)
