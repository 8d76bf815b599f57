"""Sets the retention of X-Ray's span log group, which X-Ray creates itself and no template may declare.

CreateLogGroup refuses names that begin with `aws/`
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html). So this runs in Lambda, as
one file with nothing beside it, when the stack `traces` is created or changed, and speaks CloudFormation's protocol:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import boto3

ATTEMPTS, PAUSE_SECONDS = 40, 15
"""Ten minutes: as long as AWS says turning Transaction Search on may take."""


def handler(event: Mapping[str, Any], _context: Any) -> None:
    """Always responds: a missing response would keep the stack waiting for an hour."""
    status, reason = "SUCCESS", "kept as asked"
    asked = event["ResourceProperties"]
    try:
        # The group is AWS's: when the stack goes it stays, and goes on forgetting in time.
        if event["RequestType"] != "Delete":
            keep(boto3.client("logs"), asked["Group"], int(asked["Days"]), time.sleep)
    except Exception as failure:  # noqa: BLE001 -- whatever it is, CloudFormation is told
        status, reason = "FAILED", str(failure) or repr(failure)
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": status, "Reason": reason[:1000], "PhysicalResourceId": asked["Group"]}
    request = urllib.request.Request(  # noqa: S310 -- CloudFormation's own address
        event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310 -- as above
        pass


def keep(logs: Any, group: str, days: int, sleep: Callable[[float], None]) -> None:
    """Set the retention once the log group exists.

    Raises:
        RuntimeError: It is not there after all attempts.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(PAUSE_SECONDS)
        try:
            logs.put_retention_policy(logGroupName=group, retentionInDays=days)
        except logs.exceptions.ResourceNotFoundException:
            continue
        return
    raise RuntimeError(
        f"AWS has made no log group {group} within ten minutes: deploy the stack traces again."
    )
