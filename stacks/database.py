"""PostgreSQL. The master password is RDS's own secret; services sign in with IAM tokens."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib.waiver import Waiver, waive
from stacks.contracts import Parameter
from stacks.environments import Environment
from stacks.keys import Keys
from stacks.network import POSTGRESQL, Network
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.of("18.6", "18"))
INSTANCE_LOG = "postgresql"

PARAMETERS: Mapping[str, str] = {
    # A client that does not speak TLS is refused, whatever its connection string says.
    "rds.force_ssl": "1",
    # A forgotten transaction holds back VACUUM and the sequencer's snapshot horizon; milliseconds.
    "idle_in_transaction_session_timeout": "60000",
    # A lock nobody gets in ten seconds is a mistake; waiting longer only spreads it; milliseconds.
    "lock_timeout": "10000",
    # No request of ours needs a minute; migrations raise it for themselves; milliseconds.
    "statement_timeout": "60000",
    # What was slower than this is worth reading; milliseconds.
    "log_min_duration_statement": "500",
    # Says who waited for whom, once a wait passes deadlock_timeout.
    "log_lock_waits": "1",
    # Queries that spill to disk show which work_mem is too small; kilobytes.
    "log_temp_files": "10240",
    # What a statement was given may be personal or secret. Neither a slow one nor a failing one shows it in the log,
    # and an error's detail, which quotes the failing row, is left out.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    # Counts every statement, so that the slow ones are found by sum and not by luck.
    "shared_preload_libraries": "pg_stat_statements",
}


class Database(AmplyStack):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        network: Network,
        keys: Keys,
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: PostgreSQL", holds_data=True
        )
        log = self._make_log()
        self.instance = self._make_instance(network, keys)
        self.instance.node.add_dependency(log)
        self.publish(Parameter.MASTER_SECRET_ARN, self.master_secret.secret_arn)

    @property
    def master_secret(self) -> secretsmanager.ISecret:
        """Keys `username` and `password`; RDS rotates it every seven days."""
        secret = self.instance.secret
        if secret is None:
            raise RuntimeError("RDS manages no master password for this instance.")
        return secret

    def let_sign_in(self, role: iam.IRole, user: str) -> None:
        """Allow an IAM token for one database user, and no other."""
        self.instance.grant_connect(role, user)

    def _make_instance(self, network: Network, keys: Keys) -> rds.DatabaseInstance:
        settings, durability = self.settings.database, self.settings.durability
        instance = rds.DatabaseInstance(
            self,
            "Instance",
            # Named, so that its log group can exist first; replacing a database is deliberate anyway.
            instance_identifier=self.stack_name,
            engine=ENGINE,
            engine_lifecycle_support=rds.EngineLifecycleSupport.OPEN_SOURCE_RDS_EXTENDED_SUPPORT_DISABLED,
            instance_type=settings.instance_type,
            database_name=settings.name,
            manage_master_user_password=True,
            credentials=rds.Credentials.from_username("amply_master"),
            iam_authentication=True,
            parameter_group=self._make_parameters(),
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
            vpc=network.vpc,
            vpc_subnets=network.data_subnets,
            security_groups=[network.database],
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
            preferred_maintenance_window="sun:03:30-sun:04:30",
            delete_automated_backups=not durability.protected,
            deletion_protection=durability.protected,
            removal_policy=durability.snapshot_policy,
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=False,
            cloudwatch_logs_exports=[INSTANCE_LOG],
            enable_performance_insights=durability.protected,
            performance_insight_encryption_key=keys.data if durability.protected else None,
            performance_insight_retention=(
                rds.PerformanceInsightRetention.DEFAULT if durability.protected else None
            ),
        )
        self._waive_for(instance)
        return instance

    def _make_parameters(self) -> rds.ParameterGroup:
        return rds.ParameterGroup(
            self, "Parameters", engine=ENGINE, description="Amply", parameters=dict(PARAMETERS)
        )

    def _make_log(self) -> logs.LogGroup:
        """RDS would create the group itself, kept for ever; ours exists first and forgets in time."""
        keeping = self.log_keeping
        return logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/rds/instance/{self.stack_name}/{INSTANCE_LOG}",
            retention=keeping.retention,
            removal_policy=keeping.removal_policy,
        )

    def _waive_for(self, instance: rds.DatabaseInstance) -> None:
        durability = self.settings.durability
        waive(instance, "AwsSolutions-RDS11", STANDARD_PORT)
        if not durability.protected:
            waive(instance, "AwsSolutions-RDS10", DISPOSABLE_DATA)
        if not self.settings.database.multi_az:
            waive(instance, "AwsSolutions-RDS3", DISPOSABLE_DATA)


STANDARD_PORT = Waiver(
    reason="Security groups decide who reaches it; an unusual port would only surprise people.",
    until=NEXT_REVIEW,
)
DISPOSABLE_DATA = Waiver(
    reason="This environment is thrown away and rebuilt; its configuration accepts the loss.",
    until=NEXT_REVIEW,
)
