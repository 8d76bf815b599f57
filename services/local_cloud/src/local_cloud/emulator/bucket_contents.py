"""Emulates CDK's bucket deployment and auto-delete custom resources, without their Lambda functions.

`s3deploy.BucketDeployment` runs the AWS CLI from a Lambda layer, and `auto_delete_objects` a function built on
an SDK that a laptop lacks; both would be slow and fetch things. The rules are those of the real helpers:
https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_s3_deployment-readme.html
MiniStack runs `Custom::` types on a thread of their own, so these may call it over HTTP.
"""

import io
import json
import mimetypes
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import get_session
from ministack.core.responses import get_account_id, get_region

from local_cloud.emulator import handlers
from local_cloud.emulator.handlers import Created, Properties

_SYSTEM_METADATA = {
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-type": "ContentType",
}


def install() -> None:
    handlers.register("Custom::CDKBucketDeployment", create=_deploy, update=_redeploy, delete=_undeploy)
    handlers.register("Custom::S3AutoDeleteObjects", create=_watch, update=_rewatch, delete=_empty)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A deployment's target, and the files it owns there."""

    bucket: str
    prefix: str
    exclude: tuple[str, ...]
    include: tuple[str, ...]

    @classmethod
    def of(cls, properties: Properties) -> "Destination":
        prefix = str(properties.get("DestinationBucketKeyPrefix", "")).strip("/")
        return cls(
            bucket=properties["DestinationBucketName"],
            prefix=f"{prefix}/" if prefix else "",
            exclude=tuple(properties.get("Exclude", ())),
            include=tuple(properties.get("Include", ())),
        )

    def owns(self, name: str) -> bool:
        """As `aws s3 sync --exclude … --include …`: the last filter that matches decides."""
        excluded = any(fnmatch(name, pattern) for pattern in self.exclude)
        return not excluded or any(fnmatch(name, pattern) for pattern in self.include)


def _deploy(logical_id: str, properties: Properties, stack: str) -> Created:
    _copy(properties)
    return f"{stack}-{logical_id}", _attributes(properties)


def _redeploy(physical_id: str, _old: Properties, new: Properties, _stack: str) -> Created:
    _copy(new)
    return physical_id, _attributes(new)


def _undeploy(_physical_id: str, properties: Properties) -> None:
    if not _is_true(properties, "RetainOnDelete"):
        destination = Destination.of(properties)
        _remove_all_but(_client(), destination, kept=frozenset())


def _attributes(properties: Properties) -> dict[str, Any]:
    bucket = properties["DestinationBucketName"]
    return {
        "DestinationBucketArn": f"arn:aws:s3:::{bucket}",
        "SourceObjectKeys": properties["SourceObjectKeys"],
    }


def _copy(properties: Properties) -> None:
    s3, destination = _client(), Destination.of(properties)
    metadata = _metadata(properties)
    written: set[str] = set()
    for name, body in _files(s3, properties):
        if not destination.owns(name):
            continue
        key = destination.prefix + name
        guessed = mimetypes.guess_type(name)[0] or "binary/octet-stream"
        s3.put_object(Bucket=destination.bucket, Key=key, Body=body, **{"ContentType": guessed, **metadata})
        written.add(key)
    if _is_true(properties, "Prune"):
        _remove_all_but(s3, destination, kept=frozenset(written))


def _files(s3: Any, properties: Properties) -> Iterator[tuple[str, bytes]]:
    """Every (name, body) of the sources, later sources over earlier ones, tokens replaced."""
    keys = properties["SourceObjectKeys"]
    markers = properties.get("SourceMarkers") or [{}] * len(keys)
    configs = properties.get("SourceMarkersConfig") or [{}] * len(keys)
    found: dict[str, bytes] = {}
    for bucket, key, replace, config in zip(
        properties["SourceBucketNames"], keys, markers, configs, strict=True
    ):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        if not _is_true(properties, "Extract"):
            found[key] = body
            continue
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    found[entry.filename] = _replaced(archive.read(entry), replace, config)
    yield from found.items()


def _replaced(body: bytes, markers: dict[str, Any], config: dict[str, Any]) -> bytes:
    """Deploy-time values in place of their markers, escaped when the file is JSON."""
    escape = str(config.get("jsonEscape", "false")).lower() == "true"
    for marker, value in markers.items():
        text = json.dumps(str(value))[1:-1] if escape else str(value)
        body = body.replace(marker.encode(), text.encode())
    return body


def _metadata(properties: Properties) -> dict[str, Any]:
    system = {
        _SYSTEM_METADATA[name]: value
        for name, value in (properties.get("SystemMetadata") or {}).items()
        if name in _SYSTEM_METADATA
    }
    user = properties.get("UserMetadata") or {}
    return {**system, "Metadata": user} if user else system


def _remove_all_but(s3: Any, destination: Destination, *, kept: frozenset[str]) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=destination.bucket, Prefix=destination.prefix)
    for page in pages:
        for item in page.get("Contents", []):
            key = item["Key"]
            if key not in kept and destination.owns(key.removeprefix(destination.prefix)):
                s3.delete_object(Bucket=destination.bucket, Key=key)


def _watch(logical_id: str, _properties: Properties, stack: str) -> Created:
    return f"{stack}-{logical_id}", {}


def _rewatch(physical_id: str, _old: Properties, _new: Properties, _stack: str) -> Created:
    return physical_id, {}


def _empty(_physical_id: str, properties: Properties) -> None:
    s3, bucket = _client(), properties["BucketName"]
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _is_true(properties: Properties, name: str) -> bool:
    """The helpers' booleans are strings in a template, and all of them default to true."""
    return str(properties.get(name, "true")).lower() == "true"


def _client() -> Any:
    """In the account and the region of the stack: twelve digits as the access key name the account."""
    return get_session().create_client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        region_name=get_region(),
        aws_access_key_id=get_account_id(),
        aws_secret_access_key="local",  # noqa: S106 -- the emulator checks no credentials
    )
