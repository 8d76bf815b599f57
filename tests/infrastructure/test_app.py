"""The app as the CDK command line meets it."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import aws_cdk as cdk
import pytest

from stacks.build import CannotBuildError, build
from stacks.environments import ENVIRONMENTS
from tests.infrastructure.assembly import CONTEXT, NAMED, ROOT, Deployed, small_site

CLI = ROOT / "node_modules" / ".bin" / "cdk"
ORDER = [
    "network",
    "keys",
    "replica",
    "storage",
    "database",
    "backup",
    "cache",
    "queues",
    "dns",
    "events",
    "mail",
    "certificate",
    "edge",
    "edgealarms",
    "traces",
    "migrations",
    "rehearsal",
    "administration",
    "api",
    "workers",
    "observability",
    "recovery",
    "delivery",
    "budget",
]
_SMALL = frozenset(
    {"replica", "backup", "rehearsal", "recovery", "dns", "certificate", "edgealarms", "traces"}
)
ABSENT: Mapping[str, frozenset[str]] = {
    "production": frozenset(),
    "staging": frozenset({"replica", "recovery"}),
    "sandbox": _SMALL,
    "local": _SMALL | {"delivery"},
    NAMED: _SMALL | {"delivery"},
}
"""Outside production whatever only keeps data safe may be left out; names of our own need a zone delegated, and
traces are the whole account's. Nothing is delivered to a laptop: a trust in GitHub
recorded there would prove nothing.
"""


def _app() -> cdk.App:
    return cdk.App(context=dict(CONTEXT), builtin_cloud_formation_validation=False)


def test_an_environment_has_every_stack(deployed: Deployed) -> None:
    assert set(deployed.manifests) == set(ORDER) - ABSENT[deployed.name]


def test_every_environment_and_the_named_sandbox_is_looked_at(
    synthesised: Mapping[str, Deployed], environments: Mapping[str, Deployed]
) -> None:
    assert list(environments) == list(ENVIRONMENTS)
    assert set(synthesised) == {*ENVIRONMENTS, NAMED}


def test_a_stack_is_named_for_people(deployed: Deployed) -> None:
    for stack, manifest in deployed.manifests.items():
        assert manifest["properties"]["stackName"] == f"{deployed.name}-{stack}"
        assert manifest["displayName"] == f"{deployed.name}/{stack}"


def test_without_the_widgets_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CannotBuildError, match="build them first: make setup"):
        build(_app(), site=tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("image", "amply:latest", "sha256"),
        ("port_base", "99999", "leaves no room"),
        ("port_base", "high", "whole number"),
        ("only", "sandbox-ada", "there are production, staging, sandbox, local"),
    ],
)
def test_wrong_context_is_answered_with_a_sentence(
    key: str, value: str, sentence: str, tmp_path: Path
) -> None:
    app = cdk.App(context={**CONTEXT, key: value})
    with pytest.raises(CannotBuildError, match=sentence):
        build(app, site=small_site(tmp_path / "site"))


def test_nothing_is_looked_up_in_an_account(assembly: Path) -> None:
    manifests = list(assembly.rglob("manifest.json"))
    assert len(manifests) == 6, "the app's, and one for each environment and the named sandbox"
    assert [str(file) for file in manifests if "missing" in json.loads(file.read_text())] == []


def test_the_pinned_command_line_reads_what_the_library_writes(assembly: Path) -> None:
    written = json.loads((assembly / "manifest.json").read_text())["version"]
    cli = json.loads((ROOT / "node_modules" / "aws-cdk" / "package.json").read_text())
    known = cli["devDependencies"]["@aws-cdk/cloud-assembly-schema"]
    assert int(written.split(".")[0]) <= int(re.sub(r"\D*(\d+)\..*", r"\1", known))


def test_the_command_line_and_the_library_are_pinned_exactly() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    requirements = (ROOT / "requirements.txt").read_text()
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["devDependencies"]["aws-cdk"])
    assert re.search(rf"^aws-cdk-lib=={re.escape(version('aws-cdk-lib'))} ", requirements, re.MULTILINE)


def test_every_key_of_cdk_json_is_explained() -> None:
    settings = json.loads((ROOT / "cdk.json").read_text())
    explained = (ROOT / "docs" / "cdk-json.md").read_text()
    keys = [key for key in settings if key != "context"] + list(settings["context"])
    assert [key for key in keys if f"`{key}`" not in explained] == []


def test_cdk_diff_sees_an_added_queue(
    assembly: Path, environments: Mapping[str, Deployed], tmp_path: Path
) -> None:
    """The plain command line reads the assembly, offline and without credentials."""
    template = dict(environments["sandbox"].templates["queues"])
    template["Resources"] = {
        name: body for name, body in template["Resources"].items() if name.startswith("Low")
    }
    deployed = tmp_path / "deployed.json"
    deployed.write_text(json.dumps(template))

    done = subprocess.run(
        [
            str(CLI),
            "diff",
            "sandbox/queues",
            "--exclusively",
            "--app",
            str(assembly),
            "--template",
            str(deployed),
            "--fail",
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CDK_DISABLE_CLI_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert "[+] AWS::SQS::Queue queues/High" in done.stdout + done.stderr


def test_the_graph_of_stacks_points_one_way(deployed: Deployed) -> None:
    for stack, manifest in deployed.manifests.items():
        below = {
            name
            for name in ORDER
            if any(name in dependency for dependency in manifest.get("dependencies", []))
        }
        assert all(ORDER.index(name) < ORDER.index(stack) for name in below - {stack}), (stack, below)
