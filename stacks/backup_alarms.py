"""Alarms on failed or missing backups."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.alarms import Pager, Severity
from stacks.backup import Backup

DAY = 24 * 60
"""Of minutes, as alarms count."""
NOT_TAKEN = ("NumberOfBackupJobsFailed", "NumberOfBackupJobsAborted", "NumberOfBackupJobsExpired")
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html."""


def watch_backups(pager: Pager, backup: Backup) -> None:
    """Evaluated over whole days, since there is one backup a day: shorter periods would end the alarm without a fix.

    Nobody is woken: RDS keeps its own backups to the second, and the next job of the plan tries again.
    """
    vault = backup.vault.backup_vault_name
    pager.above(
        "backup-failed",
        _together([_jobs(metric, vault) for metric in NOT_TAKEN]),
        0,
        minutes=DAY,
        period=DAY,
        meaning="A backup failed, was broken off, or outlived the day it should have been deleted.",
        severity=Severity.NOTICE,
    )
    pager.below(
        "backup-missing",
        _jobs("NumberOfBackupJobsCompleted", vault),
        1,
        minutes=2 * DAY,
        period=DAY,
        meaning="No backup was completed for two days, whether or not one failed.",
        severity=Severity.NOTICE,
    )
    if backup.copies:
        # AWS does not say whether a copy counts under the vault it leaves or the one it goes to.
        either = (vault, backup.copies.backup_vault_name)
        pager.above(
            "backup-copy-failed",
            _together([_jobs("NumberOfCopyJobsFailed", name) for name in either]),
            0,
            minutes=DAY,
            period=DAY,
            meaning="A backup could not be copied into the second region.",
            severity=Severity.NOTICE,
        )


def _jobs(metric: str, vault: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Backup",
        metric_name=metric,
        dimensions_map={"BackupVaultName": vault},
        statistic="Sum",
    )


def _together(metrics: Sequence[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    """Added up; one that AWS never wrote counts as none."""
    named = {f"m{place}": metric for place, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in named), using_metrics=named
    )
