"""The gate: every environment passes CloudFormation's own rules and AWS Solutions, or says why not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from constructs_lib.waiver import SHORTEST_REASON, WITHOUT_WAIVERS
from stacks.build import build
from tests.infrastructure.assembly import CONTEXT, small_site

pytestmark = pytest.mark.xdist_group("gate")

ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
NAMESPACES = ("Annotation::", "AwsSolutions::", "CloudFormation-Validate::")


@dataclass(frozen=True)
class Checked:
    """What the checkers found, as `(rule, construct path)`, and what was acknowledged with which reason."""

    findings: frozenset[tuple[str, str]]
    acknowledged: Mapping[tuple[str, str], str]


def _check(folder: Path, **context: object) -> Checked:
    app = cdk.App(
        context={**CONTEXT, "@aws-cdk/core:failSynthOnValidationErrors": False, **context},
        outdir=str(folder / "cdk.out"),
    )
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    build(app, site=small_site(folder / "site"))
    app.synth()
    report = json.loads((folder / "cdk.out" / "validation-report.json").read_text())
    return Checked(findings=frozenset(_findings(report)), acknowledged=dict(_acknowledgements(app)))


def _findings(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield _bare(violation["ruleName"]), construct.get("constructPath", "")


def _acknowledgements(app: cdk.App) -> Iterator[tuple[tuple[str, str], str]]:
    for construct in app.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == ACKNOWLEDGED:
                for rule, reason in entry.data.items():
                    yield (_bare(rule), construct.node.path), str(reason)


def _bare(rule: str) -> str:
    for namespace in NAMESPACES:
        rule = rule.removeprefix(namespace)
    return rule


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return _check(tmp_path_factory.mktemp("checked"))


@pytest.fixture(scope="module")
def unwaived(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    return _check(tmp_path_factory.mktemp("unwaived"), **{WITHOUT_WAIVERS: True})


def _ours(checked: Checked) -> Mapping[tuple[str, str], str]:
    """The waivers; the library acknowledges a few findings of its own, and dates none."""
    return {place: reason for place, reason in checked.acknowledged.items() if "(until " in reason}


def test_nothing_is_left_unanswered(checked: Checked) -> None:
    assert sorted(checked.findings) == []


def test_every_waiver_gives_a_reason_and_a_date(checked: Checked) -> None:
    for place, reason in _ours(checked).items():
        words, _, date = reason.partition(" (until ")
        assert len(words) >= SHORTEST_REASON, place
        assert date.endswith(")"), place


def test_every_waiver_stands_on_a_part_and_not_on_a_whole_stack(checked: Checked) -> None:
    assert [place for place in _ours(checked) if place[1].count("/") < 2] == []


def test_every_waiver_answers_a_finding(checked: Checked, unwaived: Checked) -> None:
    unused = [
        (rule, path)
        for rule, path in _ours(checked)
        if not any(
            rule == found and (where == path or where.startswith(f"{path}/"))
            for found, where in unwaived.findings
        )
    ]
    assert not unused, "\n".join(f"{rule} at {path}" for rule, path in unused)


def test_without_waivers_the_checkers_find_something(unwaived: Checked) -> None:
    """The context that shows everything waived really shows it, so the test above proves what it says."""
    assert any(rule.startswith("AwsSolutions-IAM5") for rule, _ in unwaived.findings)
    assert not _ours(unwaived)


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
