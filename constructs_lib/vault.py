"""A backup vault: encrypted with a customer-managed key, and locked as its durability requires."""

from aws_cdk import Duration
from aws_cdk import aws_backup as backup
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.durability import Durability


class LockedVault(backup.BackupVault):
    """A vault with backups cannot be deleted, so it outlives its stack if anything is retained."""

    def __init__(self, scope: Construct, construct_id: str, *, durability: Durability, key: kms.IKey) -> None:
        lock = durability.vault_lock
        super().__init__(
            scope,
            construct_id,
            encryption_key=key,
            removal_policy=durability.removal_policy,
            lock_configuration=backup.LockConfiguration(
                min_retention=Duration.days(lock.shortest_days),
                max_retention=Duration.days(lock.longest_days),
                # Given at all, this makes the lock final after so many days; left out, it stays GOVERNANCE.
                changeable_for=Duration.days(lock.cooling_off_days) if lock.cooling_off_days else None,
            )
            if lock
            else None,
        )
