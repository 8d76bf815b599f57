"""A flag that is off leaves templates as they would be without it, and nobody adds a flag that is not asked."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
import pytest

from constructs_lib.waiver import SHORTEST_REASON
from stacks.environment import Environment
from stacks.environments import SANDBOX
from stacks.features import Features
from stacks.platform import AmplyPlatform
from stacks.stack import AmplyStack
from tests.infrastructure import reaching
from tests.infrastructure.assembly import CONTEXT, Deployed, read, small_site, synthesise
from tests.infrastructure.flags import Flag, switches, traces

pytestmark = pytest.mark.xdist_group("gate")
"""Synthesises much and shares nothing: the other worker has less to do."""

FLAGS: Mapping[str, tuple[Flag, Environment]] = {
    "budget": (Flag(own=frozenset({"budget"})), replace(SANDBOX, budget=None)),
    "delivery": (
        Flag(own=frozenset({"delivery"}), adds_to=frozenset({"migrations"})),
        replace(SANDBOX, delivery=None),
    ),
    "features.iot": (
        Flag(own=frozenset({"lake", "controlplane", "iot"})),
        replace(SANDBOX, features=Features(iot=True)),
    ),
    "stripe.partner_event_source": (
        Flag(own=frozenset(), adds_to=frozenset({"events"})),
        replace(
            SANDBOX,
            stripe=replace(SANDBOX.stripe, partner_event_source="aws.partner/stripe.com/ed_test_61abc"),
        ),
    ),
}
"""Each with the sandbox where it is the other way round."""

CHOICES: Mapping[str, str] = {
    "addresses": "Fixed or generated addresses: pages and tasks are told one or the other.",
    "alarm_email": "Whom the alarms tell; they are the same without an address.",
    "budget.shares_account": "What a budget counts as spent: all of an account, or a tag.",
    "database.master.read_replica": "Another instance with everything a database has; tests/infrastructure/test_data.py.",
    "database.multi_az": "Whether the database has a second copy in another zone.",
    "delivery.registry": "Which of the environments holds the images.",
    "domain": "Names of our own: certificates, records, and what pages and tasks are told.",
    "durability.object_lock": "Derived intent: how long checkpoints stay.",
    "image.digest": "Without one the command line asks for it.",
    "lease": "Named sandboxes are held against the shared one by tests/infrastructure/test_sandboxes.py.",
    "livemode": "Whether real money moves: what tasks are told.",
    "network.flow_logs": "Whether refused packets are written down.",
    "lost_region": "What came back elsewhere is another environment: tests/infrastructure/test_recovering.py.",
    "recovery": "A plan for the loss of a region: nothing is made from it before; test_recovering.py holds that.",
    "recovery.last_tree": "As above: where the lost signing key stopped.",
    "recovery.names_moved": "As above: who answers at the domain's names.",
    "signing_keys.coming": "Which keys exist, and what each signs: tests/infrastructure/test_witnesses.py.",
    "signing_keys.lost": "Gone with its region; tests/infrastructure/test_recovering.py.",
    "signing_keys.overlapping": "As above: the key before may sign one more checkpoint.",
    **dict.fromkeys(
        ("tasks.api.size.disk_gib", "tasks.single.disk_gib", "tasks.worker.size.disk_gib"),
        "How large a task's disk is: a size, as its memory; what makes releases alone asks for more than Fargate gives.",
    ),
    "tasks.idle": "Everything in place and nothing running: tests/infrastructure/test_environments.py.",
    "tasks.insights": "Whether the cluster's metrics are bought.",
    "tasks.opens_shells": "Whether people get into tasks.",
    "tasks.rollout": "How a new version takes over: tests/infrastructure/test_rollout.py.",
}
"""Not features but ways: they shape what is there in any case, so off and on cannot be the same templates."""


def test_every_switch_is_a_flag_that_is_asked_or_a_choice_with_a_reason() -> None:
    """A new optional feature fails here until somebody says which stacks are its own."""
    assert sorted(switches()) == sorted([*FLAGS, *CHOICES, *reaching.FEATURES])
    assert [path for path, reason in CHOICES.items() if len(reason) < SHORTEST_REASON] == []


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    return read(synthesise(tmp_path_factory.mktemp("sandbox"), only="sandbox"))["sandbox"]


def _platform(folder: Path, environment: Environment, kind: type[AmplyPlatform] = AmplyPlatform) -> Deployed:
    app = cdk.App(
        context={**CONTEXT, "aws:cdk:enable-path-metadata": True},
        outdir=str(folder / "cdk.out"),
        builtin_cloud_formation_validation=False,
    )
    kind(app, environment=environment, site=small_site(folder / "site"))
    return read(Path(app.synth().directory))[environment.name]


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_that_is_off_leaves_no_trace(name: str, sandbox: Deployed, tmp_path: Path) -> None:
    flag, turned = FLAGS[name]
    other = _platform(tmp_path, turned)
    is_on = set(other.templates) >= set(sandbox.templates)
    off, on = (sandbox, other) if is_on else (other, sandbox)

    assert list(traces(flag, off=off, on=on)) == []
    assert off.templates != on.templates, "it does nothing"


class _TouchingPlatform(AmplyPlatform):
    """How a feature of tomorrow must not be built: with a stack of its own, and a word in another one."""

    def __init__(self, scope: cdk.App, *, environment: Environment, site: Path) -> None:
        super().__init__(scope, environment=environment, site=site)
        AmplyStack(self, "lake", environment=environment, description="Amply: a lake, in a test")
        cdk.Tags.of(self.node.find_child("queues")).add("amply:lake", "on")


LAKE = Flag(own=frozenset({"lake"}))


def test_a_feature_in_a_stack_of_its_own_passes(sandbox: Deployed) -> None:
    assert list(traces(LAKE, off=sandbox, on=_changed(sandbox, "lake", {"Resources": {}}))) == []


def test_a_feature_that_touches_another_stack_is_noticed(sandbox: Deployed, tmp_path: Path) -> None:
    on = _platform(tmp_path, SANDBOX, _TouchingPlatform)
    assert list(traces(LAKE, off=sandbox, on=on)) == ["queues changes with it"]


def test_a_feature_that_leaves_something_behind_is_noticed(sandbox: Deployed) -> None:
    """What is there only while it is off is a trace like any other."""
    queues = sandbox.templates["queues"]
    left = {**queues, "Resources": {**queues["Resources"], "Lake": {"Type": "AWS::SQS::Queue"}}}
    on = _changed(sandbox, "lake", {"Resources": {}})
    assert list(traces(LAKE, off=_changed(sandbox, "queues", left), on=on)) == ["queues changes with it"]


def _changed(deployed: Deployed, stack: str, template: Mapping[str, object]) -> Deployed:
    return Deployed(deployed.name, {**deployed.templates, stack: template}, deployed.manifests)


def test_an_added_stack_that_is_nobodys_is_noticed(sandbox: Deployed) -> None:
    on = _changed(sandbox, "moat", {"Resources": {}})
    assert list(traces(LAKE, off=sandbox, on=on)) == [
        "lake is not there although it is on",
        "moat comes or goes with it, and is not listed as its own",
    ]


def test_a_stack_that_stays_when_it_is_off_is_noticed(sandbox: Deployed) -> None:
    with_lake = _changed(sandbox, "lake", {"Resources": {}})
    assert list(traces(LAKE, off=with_lake, on=with_lake)) == ["lake is there although it is off"]


def test_where_it_may_add_it_may_not_change(sandbox: Deployed) -> None:
    flag = Flag(own=frozenset(), adds_to=frozenset({"queues"}))
    queues = sandbox.templates["queues"]
    name, body = next(iter(queues["Resources"].items()))
    more = {**queues, "Resources": {**queues["Resources"], "Lake": {"Type": "AWS::SQS::Queue"}}}
    other = {**queues, "Resources": {**queues["Resources"], name: {**body, "DeletionPolicy": "Retain"}}}
    told = {**queues, "Outputs": {"Lake": {"Value": "on"}}}

    assert list(traces(flag, off=sandbox, on=_changed(sandbox, "queues", more))) == []
    assert list(traces(flag, off=sandbox, on=_changed(sandbox, "queues", other))) == [
        f"queues: {name} changes with it"
    ]
    assert list(traces(flag, off=sandbox, on=_changed(sandbox, "queues", told))) == [
        "queues: Outputs change with it"
    ]
