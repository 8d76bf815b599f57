"""Cross-region copies of the lake (ADR 0148)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Environment as CdkEnvironment
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from stacks.environment import Environment
from stacks.lake.copy_alarms import make_copies_pager, watch_bucket
from stacks.lake.lifecycle import CURATED, RAW
from stacks.replication import ReplicatedBucket, Replication, failures, keep, rule_id, take_no_more
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import forget

ACCEPTED: Final = ("datasets/", "donations/", "terminals/counters/", "terminals/gifts/", "terminals/numbers/")
"""What of the raw lake is copied: rows that may be released, and which numbers of terminals were there. Files as they came are taken
away once they are read, and what was refused or set aside is nobody's to release: a copy of either would only be one more place where
personal data lies."""
STAYS_HERE: Final[Mapping[str, str]] = {
    "lake/Answers": "what Athena answered, asked again in seconds; it lapses after 7 days",
    "lakereplica/AccessLogs": "who asked for what where the copies are, also once they are copies no more",
}
"""Buckets of the lake that are not copied, by stack and construct, and why."""
TABLES: Final = ("Consents", "Datasets", "Contracts", "Usage", "RevenueShare", "Grants")
"""The control plane's, each replicated by DynamoDB itself."""
_TABLE = "restorable to any second by the table itself, and in a second region where there is one; deleted, it is kept 35 days"
KEPT_OTHERWISE: Final[Mapping[str, str]] = {
    "lake/Raw": "accepted rows are copied to the second region where there is one; all of it lapses after 90 days",
    "lake/Curated": "written once and versioned, and copied to the second region where there is one; it lapses after 730 days",
    "lake/Ledger": "nothing in it is written twice or deleted; copied to the second region where there is one",
    "lake/Answers": "what Athena answered, asked again in seconds; it lapses after 7 days",
    **dict.fromkeys((f"controlplane/{name}" for name in TABLES), _TABLE),
    **{
        f"{stack}/{bucket}": why
        for stack in ("lakereplica", "lakecopies")
        for bucket, why in {
            "AccessLogs": "as in the first region: nothing is made from it",
            "Raw": "a copy, by replication; all of it lapses after 90 days",
            "Curated": "a copy, by replication; it lapses after 730 days",
            "Ledger": "a copy, by replication; nothing in it is written twice or deleted",
        }.items()
    },
}
"""What of the data platform stands in no backup plan, by stack and construct, and why."""


@dataclass(frozen=True, kw_only=True)
class KeptLake:
    """Buckets that are copied to the second region."""

    raw: ReplicatedBucket
    curated: ReplicatedBucket
    ledger: ReplicatedBucket


class LakeReplica(AmplyStack):
    """Self-contained in its region, with its own key, which also encrypts the replicas of the control plane's tables.

    Once the first region is lost, these are the lake's buckets and its key: nothing is copied back. `pass_on` then copies what
    comes from there on to a third region.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, region: str) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: copies of the lake in a second region",
            holds_data=True,
            env=CdkEnvironment(account=environment.account, region=region),
        )
        durability = environment.durability
        self.key = kms.Key(
            self,
            "Key",
            description=f"Amply {environment.name}: copies of the lake and of its control plane",
            alias=f"amply/{environment.name}/{construct_id}",
            enable_key_rotation=True,
            pending_window=durability.key_deletion_window,
            removal_policy=durability.removal_policy,
        )
        logs = PrivateBucket(
            self,
            "AccessLogs",
            durability=durability,
            request_logs=None,
            lifecycle=[forget("access-logs", days=400)],
        )
        self.raw = keep(self, "Raw", request_logs=logs, key=self.key, lifecycle=RAW)
        self.curated = keep(self, "Curated", request_logs=logs, key=self.key, lifecycle=CURATED)
        self.ledger = keep(self, "Ledger", request_logs=logs, key=self.key)

    def pass_on(self, other: "LakeReplica") -> None:
        """Replicate new objects to another region's stack of the same kind, and accept none from the first region."""
        take_no_more(self.raw, self.curated, self.ledger)
        copy_lake(self, self, other)


def copy_lake(stack: AmplyStack, kept: KeptLake | LakeReplica, there: LakeReplica) -> None:
    """Replicate by a role of `stack` that can write there and delete nothing; alarms on failures."""
    replication = Replication(stack, "Replication", account=stack.account)
    copied = (
        ("raw", kept.raw, there.raw, ACCEPTED),
        ("curated", kept.curated, there.curated, ("",)),
        ("ledger", kept.ledger, there.ledger, ("",)),
    )
    pager = make_copies_pager(stack)
    for name, here, other, below in copied:
        replication.copy(here, other, below=below, measured=True)
        for prefix in below:
            watch_bucket(pager, f"{name} {rule_id(prefix)}", failures(here, other, prefix))
