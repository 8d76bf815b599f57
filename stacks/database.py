"""PostgreSQL. The master password is RDS's own secret; services sign in with IAM tokens."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib.waiver import Waiver, waive
from stacks.contracts import Parameter
from stacks.database_choices import Connections, Insights, ManagedByRds
from stacks.database_engine import (
    ENGINE,
    INSIGHTS_KEPT,
    INSIGHTS_MODES,
    LOGS,
    MASTER,
    PARAMETERS,
    STANDARD_PORT,
)
from stacks.database_extras import follow, restore, share_connections
from stacks.environment import Environment
from stacks.keys import Keys
from stacks.network import POSTGRESQL, Network
from stacks.replica import Replica
from stacks.rotation import MasterRotation
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW


class Database(AmplyStack):
    """`replica`: the region to which automated backups are replicated, for point-in-time recovery there."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        network: Network,
        keys: Keys,
        replica: Replica | None,
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: PostgreSQL", holds_data=True
        )
        groups = [self._make_log(log, construct_id) for log, construct_id in LOGS.items()]
        self._parameters = self._make_parameters()
        self.instance = self._make_instance(network, keys)
        if environment.lost_region and environment.recovery:
            restore(self, self.instance, environment.recovery.database)
        self.instance.node.add_dependency(*groups)
        self.proxy = self._make_proxy(network)
        self.rotation = self._take_over(network, keys)
        if replica:
            self._copy_backups_to(replica)
        self.publish(Parameter.MASTER_SECRET_ARN, self.master_secret.secret_arn)

    @property
    def master_secret(self) -> secretsmanager.ISecret:
        """Keys `username` and `password`; rotated every seven days by RDS, or by us as configured."""
        secret = self.instance.secret
        if secret is None:
            raise RuntimeError("This instance has no master secret.")
        return secret

    def let_sign_in(self, role: iam.IRole, user: str, *, past_proxy: bool) -> None:
        """Allow IAM authentication as one database user."""
        if self.proxy and not past_proxy:
            self.proxy.grant_connect(role, user)
        else:
            self.instance.grant_connect(role, user)

    def host_for(self, *, past_proxy: bool) -> str:
        """The host tasks connect to: the proxy's, or PostgreSQL's."""
        if self.proxy and not past_proxy:
            return self.proxy.endpoint
        return self.instance.db_instance_endpoint_address

    def _make_instance(self, network: Network, keys: Keys) -> rds.DatabaseInstance:
        settings, durability = self.settings.database, self.settings.durability
        managed = isinstance(settings.master, ManagedByRds)
        watched = settings.insights is not Insights.NONE
        instance = rds.DatabaseInstance(
            self,
            "Instance",
            # Named, so that its log group can exist first; replacing a database is deliberate anyway.
            instance_identifier=self.stack_name,
            engine=ENGINE,
            engine_lifecycle_support=rds.EngineLifecycleSupport.OPEN_SOURCE_RDS_EXTENDED_SUPPORT_DISABLED,
            instance_type=settings.instance_type,
            database_name=settings.name,
            manage_master_user_password=managed,
            credentials=self._credentials(keys) if not managed else rds.Credentials.from_username(MASTER),
            iam_authentication=True,
            parameter_group=self._parameters,
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
            vpc=network.vpc,
            vpc_subnets=network.data_subnets,
            # Only the network says who comes in: what stands beside the database must not add a rule by itself.
            security_groups=[
                ec2.SecurityGroup.from_security_group_id(
                    self, "Group", network.database.security_group_id, mutable=False
                )
            ],
            port=POSTGRESQL,
            publicly_accessible=False,
            multi_az=settings.multi_az,
            storage_type=rds.StorageType.GP3,
            allocated_storage=settings.storage_gib,
            max_allocated_storage=settings.storage_limit_gib,
            storage_encrypted=True,
            storage_encryption_key=keys.data,
            backup_retention=durability.backup_retention,
            preferred_backup_window="02:00-03:00",
            preferred_maintenance_window=settings.maintenance_window,
            delete_automated_backups=not durability.protected,
            deletion_protection=durability.protected,
            removal_policy=durability.snapshot_policy,
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=False,
            cloudwatch_logs_exports=list(LOGS),
            database_insights_mode=INSIGHTS_MODES[settings.insights],
            enable_performance_insights=watched,
            performance_insight_encryption_key=keys.data if watched else None,
            performance_insight_retention=INSIGHTS_KEPT[settings.insights],
        )
        self._waive_for(instance)
        return instance

    def _credentials(self, keys: Keys) -> rds.Credentials:
        """The key by its ARN, so that readers of the secret are not written into its policy, a stack further down."""
        key = kms.Key.from_key_arn(self, "MasterKey", keys.data.key_arn)
        secret = rds.DatabaseSecret(self, "MasterSecret", username=MASTER, encryption_key=key)
        secret.apply_removal_policy(self.settings.durability.removal_policy)
        self.let_deployments_read(secret)
        return rds.Credentials.from_secret(secret)

    def _make_parameters(self) -> rds.ParameterGroup:
        return rds.ParameterGroup(
            self, "Parameters", engine=ENGINE, description="Amply", parameters=dict(PARAMETERS)
        )

    def _make_log(self, log: str, construct_id: str) -> logs.LogGroup:
        """RDS would create the group itself, kept for ever; ours exists first and forgets in time."""
        keeping = self.log_keeping
        return logs.LogGroup(
            self,
            construct_id,
            log_group_name=f"/aws/rds/instance/{self.stack_name}/{log}",
            retention=keeping.retention,
            removal_policy=keeping.removal_policy,
        )

    def _make_proxy(self, network: Network) -> rds.DatabaseProxy | None:
        if self.settings.database.connections is Connections.DIRECT:
            return None
        return share_connections(self, "Proxy", instance=self.instance, network=network)

    def _take_over(self, network: Network, keys: Keys) -> MasterRotation | None:
        """The rotation, and the replica that RDS allows once it does not rotate itself."""
        master = self.settings.database.master
        if isinstance(master, ManagedByRds):
            return None
        if master.read_replica:
            follow(
                self,
                "ReadReplica",
                instance=self.instance,
                instance_type=self.settings.database.instance_type,
                parameters=self._parameters,
                network=network,
            )
        return MasterRotation(
            self,
            "Rotation",
            secret=self.master_secret,
            instance=self.instance,
            key=keys.data,
            network=network,
            days=master.days,
        )

    def _copy_backups_to(self, replica: Replica) -> None:
        """RDS sends snapshots and the log of transactions on, minutes behind; the library has no word for it yet."""
        instance = self.instance.node.default_child
        if not isinstance(instance, rds.CfnDBInstance):
            raise TypeError(f"{self.instance.node.path} is not made of one instance.")
        instance.automatic_backup_replication_region = replica.region
        instance.automatic_backup_replication_kms_key_id = replica.key.key_arn
        instance.automatic_backup_replication_retention_period = self.settings.durability.backup_days

    def _waive_for(self, instance: rds.DatabaseInstance) -> None:
        durability = self.settings.durability
        waive(instance, "AwsSolutions-RDS11", STANDARD_PORT)
        if not durability.protected:
            waive(instance, "AwsSolutions-RDS10", DISPOSABLE_DATA)
        if not self.settings.database.multi_az:
            waive(instance, "AwsSolutions-RDS3", DISPOSABLE_DATA)


DISPOSABLE_DATA = Waiver(
    reason="This environment is thrown away and rebuilt; its configuration accepts the loss.",
    until=NEXT_REVIEW,
)
