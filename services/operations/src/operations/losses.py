"""Finds losses of data in a prepared CloudFormation change set.

It is exact where a comparison of templates must guess, and it sees what a comparison cannot: it is made from the stack
as it is at this moment. What holds data is decided in one place for both (`difference/holdings.py`).
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mypy_boto3_cloudformation.client import CloudFormationClient
from mypy_boto3_cloudformation.type_defs import ResourceChangeDetailTypeDef, ResourceChangeTypeDef

from operations.difference.changes import Kind
from operations.difference.holdings import HOLDINGS, SOME_INTERRUPTION
from operations.difference.references import SAME_AS_ITS_NAME

_RECREATE: Final = ("Always", "Conditionally")


@dataclass(frozen=True, kw_only=True, order=True)
class Loss:
    """One resource with data, and how it would be lost."""

    stack: str
    logical_id: str
    type: str
    kind: Kind

    def __str__(self) -> str:
        what, holds = HOLDINGS[self.type]
        return f"{self.stack}/{self.logical_id} ({what}) {_ENDS[self.kind]}: {holds}"


_ENDS: Final = {
    Kind.REPLACED: "is replaced",
    Kind.MAY_BE_REPLACED: "may be replaced",
    Kind.DESTROYED: "is destroyed",
    Kind.MAY_BE_DESTROYED: "may be destroyed",
    Kind.ORPHANED: "is left to nobody",
}


def prepared(there: CloudFormationClient, stack: str, change_set: str) -> list[ResourceChangeTypeDef]:
    """Every change to a resource that a change set would make."""
    pages = there.get_paginator("describe_change_set").paginate(StackName=stack, ChangeSetName=change_set)
    return [
        change["ResourceChange"] for page in pages for change in page["Changes"] if "ResourceChange" in change
    ]


def lost(stack: str, changes: Sequence[ResourceChangeTypeDef]) -> Iterator[Loss]:
    """What holds data and ends, or may end, by these changes of one stack."""
    ending = {it["LogicalResourceId"] for it in changes if _may_end(it)}
    for change in changes:
        if change["ResourceType"] in HOLDINGS and (kind := _end(change, ending)):
            yield Loss(
                stack=stack, logical_id=change["LogicalResourceId"], type=change["ResourceType"], kind=kind
            )


def _may_end(change: ResourceChangeTypeDef) -> bool:
    return change["Action"] in {"Remove", "Dynamic"} or change.get("Replacement", "False") != "False"


def _end(change: ResourceChangeTypeDef, ending: Collection[str]) -> Kind | None:
    if change["Action"] == "Remove":
        return Kind.ORPHANED if change.get("PolicyAction") == "Retain" else Kind.DESTROYED
    if change.get("Replacement") == "True":
        return Kind.REPLACED
    if _may_end(change) and not _stays_after_all(change, ending):
        return Kind.MAY_BE_REPLACED
    return None


def _stays_after_all(change: ResourceChangeTypeDef, ending: Collection[str]) -> bool:
    """CloudFormation says "may replace", and each of its reasons is one that does not. Without reasons it may."""
    details = [it for it in change.get("Details", []) if _target(it, "RequiresRecreation") in _RECREATE]
    properties = {_target(it, "Name") for it in details}
    return bool(properties) and all(
        (change["ResourceType"], name) in SOME_INTERRUPTION
        or _only_looks_changed([it for it in details if _target(it, "Name") == name], ending)
        for name in properties
    )


def _target(detail: ResourceChangeDetailTypeDef, name: str) -> str:
    return str(detail.get("Target", {}).get(name, ""))


def _only_looks_changed(details: Sequence[ResourceChangeDetailTypeDef], ending: Collection[str]) -> bool:
    """The property refers to a resource that is updated and stays: what names that resource is the same afterwards.

    CloudFormation does not look that far, and calls the value unknown (`Dynamic`) until the update has happened. That the
    property's own text changes as well it tells in the same words; the comparison of templates sees that.
    """
    causes = [it for it in details if it.get("CausingEntity")]
    dynamic = all(it.get("Evaluation") == "Dynamic" for it in details)
    return dynamic and bool(causes) and all(_names_what_stays(cause, ending) for cause in causes)


def _names_what_stays(cause: ResourceChangeDetailTypeDef, ending: Collection[str]) -> bool:
    logical_id, _, attribute = cause["CausingEntity"].partition(".")
    by_reference = cause.get("ChangeSource") in {"ResourceReference", "ResourceAttribute"}
    return by_reference and logical_id not in ending and attribute in {"", *SAME_AS_ITS_NAME}
