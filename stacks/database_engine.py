"""RDS's PostgreSQL engine: version, parameters that the application relies on, logs, and insights."""

from collections.abc import Mapping

from aws_cdk import aws_rds as rds

from constructs_lib.waiver import Waiver
from stacks.database_choices import Insights
from stacks.waivers import NEXT_REVIEW

ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.of("18.6", "18"))
MASTER = "amply_master"
LOGS: Mapping[str, str] = {
    "postgresql": "Log",
    # Why an upgrade did not happen stands nowhere else.
    "upgrade": "UpgradeLog",
    # Services sign in with IAM: who was refused, and why.
    "iam-db-auth-error": "SignInLog",
}
"""The instance's logs that CloudWatch gets, and the log group of each."""

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
    # Blue/green upgrades copy by it; switching it on needs a restart, which nobody wants on the night of one.
    "rds.logical_replication": "1",
}

INSIGHTS_MODES: Mapping[Insights, rds.DatabaseInsightsMode | None] = {
    Insights.NONE: None,
    Insights.STANDARD: rds.DatabaseInsightsMode.STANDARD,
    Insights.ADVANCED: rds.DatabaseInsightsMode.ADVANCED,
}
INSIGHTS_KEPT: Mapping[Insights, rds.PerformanceInsightRetention | None] = {
    Insights.NONE: None,
    Insights.STANDARD: rds.PerformanceInsightRetention.DEFAULT,
    Insights.ADVANCED: rds.PerformanceInsightRetention.MONTHS_15,
}

STANDARD_PORT = Waiver(
    reason="Security groups decide who reaches it; an unusual port would only surprise people.",
    until=NEXT_REVIEW,
)
