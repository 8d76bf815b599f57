"""Whom this run's pages trust. In an account people write the log's key into `stacks/environments.py` once they have
compared it; here the key is as old as the run, so the deployed configuration is completed after the deployment.
"""

import json

from local_cloud.cloud import Cloud

_CONFIG = "config.json"
_POLICY = "policy.txt"


def pin(cloud: Cloud, policy: str) -> bool:
    """Tell the pages, and whoever saves `/policy.txt`, to trust `policy` (https://c2sp.org/tlog-policy); whether they did not know it before."""
    bucket = cloud.parameter("edge/site-bucket")
    config = json.loads(cloud.s3.get_object(Bucket=bucket, Key=_CONFIG)["Body"].read())
    if config.get("ledger_policy") == policy:
        return False
    cloud.s3.put_object(Bucket=bucket, Key=_POLICY, Body=policy.encode(), ContentType="text/plain")
    cloud.s3.put_object(
        Bucket=bucket,
        Key=_CONFIG,
        Body=json.dumps({**config, "ledger_policy": policy}).encode(),
        ContentType="application/json",
    )
    return True
