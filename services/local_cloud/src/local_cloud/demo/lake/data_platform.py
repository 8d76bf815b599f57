"""The operator's view of the deployed data platform: buckets, tables, releases, and reasons for refusal."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, Final

from local_cloud import flags, tasks
from local_cloud.cloud import Cloud
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError

RELEASES: Final = "releases"
"""The task that makes them."""
NEEDED: Final = ("marketplace", "etl")
_KEY_LINE: Final = "certificates_key"
_NOTED_SECONDS_MAX: Final = 60.0
_RELEASED_SECONDS_MAX: Final = 240.0
"""The process looks at each dataset three times a minute; the rest is for a machine that has other things to do."""


def require(cloud: Cloud) -> None:
    """Raise the sentence that says how to have a data platform here.

    Raises:
        LocalCloudError: This run has none.
    """
    remembered = flags.remembered(cloud.settings)
    if not set(NEEDED) <= set(remembered):
        wanted = ",".join((*NEEDED, *(flag for flag in remembered if flag not in NEEDED)))
        raise LocalCloudError(f"This run has no data platform; type 'make local FLAGS={wanted}' first.")


class DataPlatform:
    """Operator's queries, by the names in the deployed task's environment."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    @cached_property
    def _told(self) -> Mapping[str, str]:
        return tasks.one_off(self.cloud, RELEASES).environment

    def named(self, variable: str) -> str:
        """What stands under `AMPLY_LAKE_{variable}`."""
        return self._told[f"AMPLY_LAKE_{variable}"]

    @cached_property
    def gateway(self) -> str:
        """Where buyers ask."""
        pages = self.cloud.cloudformation.get_paginator("list_stack_resources").paginate(
            StackName="local-marketplace"
        )
        (api,) = (
            str(resource["PhysicalResourceId"])
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == "AWS::ApiGateway::RestApi"
        )
        return f"{self.cloud.settings.cloud_url}/restapis/{api}/v1/_user_request_"

    # -- what comes in

    def raw_keys(self, prefix: str) -> set[str]:
        """The names of files below a prefix of the raw bucket."""
        pages = self.cloud.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.named("RAW_BUCKET"), Prefix=prefix
        )
        return {str(each["Key"]) for page in pages for each in page.get("Contents", ())}

    def raw(self, key: str) -> bytes:
        body: bytes = self.cloud.s3.get_object(Bucket=self.named("RAW_BUCKET"), Key=key)["Body"].read()
        return body

    def put_raw(self, key: str, body: bytes) -> None:
        self.cloud.s3.put_object(Bucket=self.named("RAW_BUCKET"), Key=key, Body=body)

    def wait_until_noted(self, dataset: str, names: Sequence[str]) -> None:
        """Until the process has noted files, by their names below the dataset.

        Raises:
            LocalCloudError: It has not.
        """
        for name in names:
            until(
                partial(self._noted, dataset, name),
                seconds=_NOTED_SECONDS_MAX,
                otherwise=f"The file {name} of {dataset} was not noted; 'make logs PART={RELEASES}' says more.",
            )

    def _noted(self, dataset: str, name: str) -> Mapping[str, Any] | None:
        return self.item(dataset, f"arrived#{name}") or None

    # -- what is released

    def ask_for_release(self, dataset: str) -> datetime:
        """As docs/runbooks/data-releases.md says; since when it was asked for."""
        now = datetime.now(UTC)
        self.cloud.dynamodb.update_item(
            TableName=self.named("DATASETS_TABLE"),
            Key={"dataset_id": {"S": dataset}, "part": {"S": "source"}},
            UpdateExpression="SET asked_for = :now",
            ExpressionAttributeValues={":now": {"S": now.isoformat()}},
        )
        return now

    def wait_for_release(self, dataset: str, *, asked: datetime) -> Mapping[str, Any]:
        """The dataset's item once a release was tried, whatever came of it.

        Raises:
            LocalCloudError: None was.
        """

        def look() -> Mapping[str, Any] | None:
            item = self.item(dataset, "dataset")
            tried = item.get("tried_at")
            return item if tried is not None and datetime.fromisoformat(str(tried)) >= asked else None

        return until(
            look,
            seconds=_RELEASED_SECONDS_MAX,
            otherwise=f"No release of {dataset} was tried; 'make logs PART={RELEASES}' says more.",
        )

    def item(self, dataset: str, part: str) -> dict[str, Any]:
        """An item of the table of datasets, without its types; empty where there is none."""
        found = self.cloud.dynamodb.get_item(
            TableName=self.named("DATASETS_TABLE"),
            Key={"dataset_id": {"S": dataset}, "part": {"S": part}},
            ConsistentRead=True,
        )
        return {
            name: int(value["N"]) if "N" in value else value["S"]
            for name, value in found.get("Item", {}).items()
        }

    def certificates_key(self) -> str:
        """The key that certificates are signed with, as the process says it when it starts and its operator publishes it.

        Raises:
            LocalCloudError: It has said none.
        """
        log = self.cloud.settings.log_of(RELEASES)
        for line in reversed(log.read_text().splitlines()):
            if _KEY_LINE in line:
                return str(json.loads(line)["key"])
        raise LocalCloudError(f"No key of certificates was logged; 'make logs PART={RELEASES}' says more.")

    def curated(self, key: str) -> bytes:
        body: bytes = self.cloud.s3.get_object(Bucket=self.named("CURATED_BUCKET"), Key=key)["Body"].read()
        return body

    def consent(self, subject: str) -> str | None:
        """What the table of consents says of somebody, under their name in the lake."""
        found = self.cloud.dynamodb.get_item(
            TableName=self.named("CONSENT_TABLE"),
            Key={"subject": {"S": subject}, "purpose": {"S": "analytics"}},
            ConsistentRead=True,
        ).get("Item")
        return found["state"]["S"] if found else None
