"""Applies a bucket's declared Object Lock: MiniStack enforces it, but does not read it from templates."""

from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.services import s3

from local_cloud.emulator import handlers
from local_cloud.emulator.handlers import Properties


def install() -> None:
    handlers.after("AWS::S3::Bucket", _lock)


def _lock(bucket: str, properties: Properties) -> dict[str, str]:
    if str(properties.get("ObjectLockEnabled", "false")).lower() != "true":
        return {}
    rule = (properties.get("ObjectLockConfiguration") or {}).get("Rule") or {}
    document = tostring(_configuration(rule.get("DefaultRetention")))
    status, _, body = s3._put_object_lock_configuration(bucket, document)  # noqa: SLF001 -- calling ourselves over HTTP here would block the event loop
    if status >= 300:  # noqa: PLR2004 -- HTTP's first non-success
        raise ValueError(f"Object Lock of {bucket} was refused: {body!r}")
    return {}


def _configuration(retention: Properties | None) -> Element:
    root = Element("ObjectLockConfiguration")
    SubElement(root, "ObjectLockEnabled").text = "Enabled"
    if retention:
        default = SubElement(SubElement(root, "Rule"), "DefaultRetention")
        for name in ("Mode", "Days", "Years"):
            if name in retention:
                SubElement(default, name).text = str(retention[name])
    return root
