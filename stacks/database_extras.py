"""What a database can have beside it, where an environment chooses so: rotation of ours, a replica, a proxy.

No environment has any of them today; docs/adr/0040-who-rotates-the-master-password.md says when one would.
"""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.contracts import CONTAINERS
from stacks.network import Network


def rotate(secret: secretsmanager.ISecret, *, network: Network, days: int) -> None:
    """With AWS's own function, made by CloudFormation from its template when the stack is deployed."""
    if network.rotation is None:
        raise RuntimeError("The network lets no rotation in: the environment leaves the password to RDS.")
    secret.add_rotation_schedule(
        "Rotation",
        automatically_after=Duration.days(days),
        hosted_rotation=secretsmanager.HostedRotation.postgre_sql_single_user(
            vpc=network.vpc, vpc_subnets=network.balancer_subnets, security_groups=[network.rotation]
        ),
    )


def follow(
    scope: Construct,
    construct_id: str,
    *,
    instance: rds.DatabaseInstance,
    instance_type: ec2.InstanceType,
    parameters: rds.IParameterGroup,
    network: Network,
    key: kms.IKey,
) -> rds.DatabaseInstanceReadReplica:
    """A read replica. It has no backups and no exported log of its own: everything in it is in the first."""
    return rds.DatabaseInstanceReadReplica(
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
        storage_encrypted=True,
        storage_encryption_key=key,
        storage_type=rds.StorageType.GP3,
        publicly_accessible=False,
        # Losing it loses nothing, and a replica that cannot be deleted stops the one it follows from being so.
        deletion_protection=False,
        removal_policy=RemovalPolicy.DESTROY,
        auto_minor_version_upgrade=True,
    )


def share_connections(
    scope: Construct, construct_id: str, *, instance: rds.DatabaseInstance, network: Network
) -> rds.DatabaseProxy:
    """A proxy that knows no password: services sign in to it with IAM, and it signs in to PostgreSQL with IAM as them."""
    if network.proxy is None:
        raise RuntimeError("The network lets no proxy in: the environment connects directly.")
    role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("rds.amazonaws.com"))
    for user in signing_in():
        instance.grant_connect(role, user)
    return rds.DatabaseProxy(
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


def signing_in() -> Sequence[str]:
    """The database users that tasks sign in as with IAM, each once."""
    return sorted({contract.database_user for contract in CONTAINERS.values() if contract.database_user})
