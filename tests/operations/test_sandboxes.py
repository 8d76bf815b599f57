"""What belongs to a sandbox, when it has expired, and in which order it is taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from operations.sandboxes.cloud import NotRemovedError
from operations.sandboxes.leases import (
    ENVIRONMENT_TAG,
    EXPIRES_TAG,
    OWNER_TAG,
    Sandbox,
    Stack,
    named_sandboxes,
    producers,
)
from operations.sandboxes.reaping import order, take_away
from stacks import contracts

TAGS: Mapping[str, str] = {
    ENVIRONMENT_TAG: "sandbox-ada",
    OWNER_TAG: "ada@example.org",
    EXPIRES_TAG: "2026-11-25",
}


def _stack(
    name: str, *, tags: Mapping[str, str] = TAGS, region: str = "eu-west-1", is_protected: bool = False
) -> Stack:
    return Stack(id=f"arn:{region}:{name}", name=name, region=region, tags=tags, is_protected=is_protected)


@dataclass
class RecordedCloud:
    """An account on paper: which stack reads from which, and what was removed in which order."""

    reads: Mapping[str, Sequence[str]]
    stuck: frozenset[str] = frozenset()
    removed: list[str] = field(default_factory=list)

    def stacks(self) -> Sequence[Stack]:
        return [_stack(name) for name in self.reads]

    def template(self, stack: Stack) -> Mapping[str, Any]:
        outputs = [
            {"Fn::GetStackOutput": {"StackName": name, "OutputName": "X"}} for name in self.reads[stack.name]
        ]
        return {"Resources": {"It": {"Properties": {"Values": outputs}}}}

    def remove(self, stack: Stack) -> None:
        if stack.name in self.stuck:
            raise NotRemovedError(f"Could not delete {stack.name}")
        self.removed.append(stack.name)


ADA: Mapping[str, Sequence[str]] = {
    "sandbox-ada-network": (),
    "sandbox-ada-keys": (),
    "sandbox-ada-database": ("sandbox-ada-network", "sandbox-ada-keys"),
    "sandbox-ada-api": ("sandbox-ada-network", "sandbox-ada-database"),
    "sandbox-ada-observability": ("sandbox-ada-api", "sandbox-ada-database"),
}


def _the(cloud: RecordedCloud) -> Sandbox:
    (found,) = named_sandboxes(cloud.stacks())
    return found


def test_the_tags_are_those_the_stacks_carry() -> None:
    assert (OWNER_TAG, EXPIRES_TAG) == (contracts.OWNER_TAG, contracts.EXPIRES_TAG)


def test_a_sandbox_is_its_stacks_its_owner_and_its_last_day() -> None:
    found = _the(RecordedCloud(ADA))
    assert (found.name, found.owner, found.expires) == ("sandbox-ada", "ada@example.org", date(2026, 11, 25))
    assert {stack.name for stack in found.stacks} == set(ADA)


@pytest.mark.parametrize(
    ("today", "expired"),
    [(date(2026, 11, 24), False), (date(2026, 11, 25), False), (date(2026, 11, 26), True)],
)
def test_the_last_day_belongs_to_the_owner(today: date, expired: bool) -> None:  # noqa: FBT001
    assert _the(RecordedCloud(ADA)).has_expired(today) is expired


@pytest.mark.parametrize("tag", TAGS)
def test_a_stack_without_one_of_the_tags_belongs_to_no_sandbox(tag: str) -> None:
    fewer = {key: value for key, value in TAGS.items() if key != tag}
    assert named_sandboxes([_stack("sandbox-ada-network", tags=fewer)]) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("production-network", {ENVIRONMENT_TAG: "production"}),
        ("production-network", {}),
        ("sandbox-network", {ENVIRONMENT_TAG: "sandbox"}),
        ("sandbox--network", {ENVIRONMENT_TAG: "sandbox-"}),
        ("sandbox-bob-network", {}),
        ("sandbox-adam", {}),
        ("sandbox-ada-network", {EXPIRES_TAG: "soon"}),
        ("sandbox-ada-network", {EXPIRES_TAG: ""}),
        ("sandbox-ada-network", {OWNER_TAG: ""}),
    ],
)
def test_a_stack_whose_tags_do_not_fit_belongs_to_no_sandbox(name: str, change: Mapping[str, str]) -> None:
    assert named_sandboxes([_stack(name, tags={**TAGS, **change})]) == []


def test_of_several_last_days_the_latest_counts() -> None:
    extended = _stack("sandbox-ada-api", tags={**TAGS, EXPIRES_TAG: "2026-12-24"})
    (found,) = named_sandboxes([_stack("sandbox-ada-network"), extended])
    assert found.expires == date(2026, 12, 24)


def test_every_stack_goes_before_those_it_reads_from() -> None:
    cloud = RecordedCloud(ADA)
    take_away(_the(cloud), cloud, lambda _: None)
    assert set(cloud.removed) == set(ADA)
    for stack, read in ADA.items():
        assert all(cloud.removed.index(stack) < cloud.removed.index(producer) for producer in read)


def test_what_others_read_from_stays_while_they_stay() -> None:
    cloud = RecordedCloud(ADA, stuck=frozenset({"sandbox-ada-database"}))
    with pytest.raises(NotRemovedError, match="sandbox-ada-database"):
        take_away(_the(cloud), cloud, lambda _: None)
    assert not {"sandbox-ada-network", "sandbox-ada-keys"} & set(cloud.removed)


def test_a_protected_stack_protects_its_whole_sandbox() -> None:
    cloud = RecordedCloud(ADA)
    stacks = [*cloud.stacks(), _stack("sandbox-ada-storage", is_protected=True)]
    (sandbox,) = named_sandboxes(stacks)
    with pytest.raises(NotRemovedError, match="sandbox-ada-storage is protected"):
        take_away(sandbox, cloud, lambda _: None)
    assert cloud.removed == []


def test_stacks_in_a_circle_are_left_alone() -> None:
    cloud = RecordedCloud({"sandbox-ada-a": ("sandbox-ada-b",), "sandbox-ada-b": ("sandbox-ada-a",)})
    with pytest.raises(NotRemovedError, match="read from each other"):
        order(_the(cloud), cloud)


def test_a_stack_that_is_already_gone_holds_nothing_up() -> None:
    cloud = RecordedCloud({"sandbox-ada-api": ("sandbox-ada-network",)})
    assert [stack.name for stack in order(_the(cloud), cloud)] == ["sandbox-ada-api"]


def test_an_output_is_found_wherever_it_is_read() -> None:
    read = {"Fn::GetStackOutput": {"StackName": "a", "Region": "us-east-1", "OutputName": "X"}}
    deep = {"Outputs": {"Y": {"Value": {"Fn::Join": ["", ["x", {"Fn::Select": [0, [read]]}]]}}}}
    assert producers(deep) == {("us-east-1", "a")}
