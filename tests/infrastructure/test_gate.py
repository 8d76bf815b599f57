"""The gate: every environment, a named sandbox too, passes CloudFormation's own rules and AWS Solutions, or says why not.

Validated once, with the waivers recorded and none acknowledged: what is left unanswered and what is waived for nothing
both follow from that. That an acknowledged waiver really answers is shown on a small stack.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from constructs_lib.waiver import (
    RECORDED,
    SHORTEST_REASON,
    WITHOUT_WAIVERS,
    Waiver,
    waive,
    waive_once_resolved,
)
from stacks.build import build
from stacks.environments import ENVIRONMENTS
from tests.infrastructure.assembly import ASKED, CONTEXT, NAMED, small_site

pytestmark = pytest.mark.xdist_group("gate")

Place = tuple[str, str]
NAMESPACES = ("Annotation::", "AwsSolutions::", "CloudFormation-Validate::")


@dataclass(frozen=True)
class Checked:
    """What the checkers found, and what is waived with which reason; both by `(rule, construct path)`."""

    findings: frozenset[Place]
    waived: Mapping[Place, str]

    def unanswered(self) -> list[Place]:
        return sorted(finding for finding in self.findings if not any(map(_answers(finding), self.waived)))

    def unused(self) -> list[Place]:
        return sorted(
            waiver
            for waiver in self.waived
            if not any(_answers(finding)(waiver) for finding in self.findings)
        )


def _answers(finding: Place) -> Callable[[Place], bool]:
    """A waiver answers for the construct it stands on and for everything below."""
    rule, where = finding

    def answers(waiver: Place) -> bool:
        return waiver[0] == rule and (where == waiver[1] or where.startswith(f"{waiver[1]}/"))

    return answers


def _check(folder: Path) -> Checked:
    app = cdk.App(
        context={
            **CONTEXT,
            **ASKED,
            "@aws-cdk/core:failSynthOnValidationErrors": False,
            WITHOUT_WAIVERS: True,
        },
        outdir=str(folder / "cdk.out"),
    )
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    build(app, site=small_site(folder / "site"))
    app.synth()
    report = json.loads((folder / "cdk.out" / "validation-report.json").read_text())
    return Checked(findings=frozenset(_findings(report)), waived=dict(_waivers(app)))


def _findings(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield _bare(violation["ruleName"]), construct.get("constructPath", "")


def _waivers(app: cdk.App) -> Iterator[tuple[tuple[str, str], str]]:
    for construct in app.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == RECORDED:
                for rule, reason in entry.data.items():
                    yield (_bare(rule), construct.node.path), str(reason)


def _bare(rule: str) -> str:
    for namespace in NAMESPACES:
        rule = rule.removeprefix(namespace)
    return rule


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return _check(tmp_path_factory.mktemp("checked"))


def test_nothing_is_left_unanswered(checked: Checked) -> None:
    assert checked.unanswered() == []


def test_every_waiver_answers_a_finding(checked: Checked) -> None:
    assert checked.unused() == []


def test_a_finding_without_a_waiver_is_noticed(checked: Checked) -> None:
    rule, path = "AwsSolutions-S1", "production/storage/New/Resource"
    careless = replace(checked, findings=checked.findings | {(rule, path)})
    assert careless.unanswered() == [(rule, path)]


def test_a_waiver_of_something_else_does_not_answer(checked: Checked) -> None:
    finding = ("AwsSolutions-S1", "production/storage/New/Resource")
    for waiver in [
        ("AwsSolutions-S2", "production/storage/New"),
        ("AwsSolutions-S1", "production/storage/Ne"),
    ]:
        careless = replace(
            checked, findings=checked.findings | {finding}, waived={**checked.waived, waiver: "said"}
        )
        assert careless.unanswered() == [finding]


def test_a_waiver_for_nothing_is_noticed(checked: Checked) -> None:
    waiver = ("AwsSolutions-S1", "production/storage/Archive")
    assert replace(checked, waived={**checked.waived, waiver: "said"}).unused() == [waiver]


def test_every_waiver_gives_a_reason_and_a_date(checked: Checked) -> None:
    for place, reason in checked.waived.items():
        words, _, day = reason.partition(" (until ")
        assert len(words) >= SHORTEST_REASON, place
        assert day.endswith(")"), place


def test_every_waiver_stands_on_a_part_and_not_on_a_whole_stack(checked: Checked) -> None:
    assert [place for place in checked.waived if place[1].count("/") < 2] == []


def test_the_checkers_find_something(checked: Checked) -> None:
    """Both of them ran over the real app; an empty report would prove nothing."""
    found = {rule.partition("[")[0] for rule, _ in checked.findings}
    assert {"AwsSolutions-IAM5", "W3010"} <= found


def test_every_environment_and_the_named_sandbox_is_looked_at(checked: Checked) -> None:
    assert {path.partition("/")[0] for _, path in checked.findings} == {*ENVIRONMENTS, NAMED}


def _small_stack(folder: Path, *, at_once: str, late: str | None = None) -> cdk.App:
    """A bucket that breaks two rules, waived in either way."""
    app = cdk.App(context=dict(CONTEXT), outdir=str(folder), builtin_cloud_formation_validation=False)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    bucket = s3.Bucket(cdk.Stack(app, "careless"), "Bucket")
    waiver = Waiver(reason="A bucket made to be waived, in a test.", until=date(2030, 1, 1))
    waive(bucket, at_once, waiver)
    if late:
        waive_once_resolved(bucket, lambda: late, waiver)
    return app


def test_what_is_waived_passes(tmp_path: Path) -> None:
    _small_stack(tmp_path, at_once="AwsSolutions-S1", late="AwsSolutions-S10").synth()


def test_what_is_waived_in_part_stops_the_synthesis(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        _small_stack(tmp_path, at_once="AwsSolutions-S1").synth()


def test_an_unsafe_part_stops_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(context=dict(CONTEXT), outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    s3.Bucket(cdk.Stack(app, "careless"), "Bucket")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


def test_a_misspelled_property_stops_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(context=dict(CONTEXT), outdir=str(tmp_path))
    stack = cdk.Stack(app, "careless")
    cdk.CfnResource(stack, "Queue", type="AWS::SQS::Queue", properties={"VisibilityTimeoutt": 30})
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
