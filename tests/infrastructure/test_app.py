"""The app as the CDK command line meets it."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import aws_cdk as cdk
import botocore.exceptions
import pytest

from constructs_lib.waiver import WITHOUT_WAIVERS
from stacks.build import CannotBuildError, build
from stacks.context import Context
from stacks.environments import ENVIRONMENTS
from tests.infrastructure.assembly import CONTEXT, NAMED, ROOT, Deployed, small_site

OPERATIONS = ROOT / "services" / "operations" / "src" / "operations"
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
        ("image", "", "is written REPOSITORY@sha256:DIGEST, not ''"),
        ("idel", "true", "Nothing reads -c idel=…; the key is called idle: -c idle=…"),
        ("port-base", "8800", "called port_base"),
        ("Image", "amply", "called image"),
        ("flag", "etl", "called flags"),
        ("ownar", "ada@example.org", "called owner"),
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


def test_other_peoples_keys_are_left_alone(tmp_path: Path) -> None:
    """`~/.cdk.json` is read for every app of a person, and the command line keeps keys of its own beside ours."""
    theirs = {"stage": "dev", "vpc-provider:account=1": "vpc-1", "acknowledged-issue-numbers": [1]}
    alike = dict.fromkeys(
        ("imageTag", "imageId", "ownerId", "owners", "sandboxId", "image_uri", "expiry"), "x"
    )
    app = cdk.App(context={**CONTEXT, **theirs, **alike, "only": "nowhere"})
    with pytest.raises(CannotBuildError, match="No environment is called"):
        build(app, site=small_site(tmp_path / "site"))


def _run_app(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As the command line does, in a Python that knows nothing of `make setup`: -S leaves out what .pth files name."""
    return subprocess.run(
        [sys.executable, "-S", str(ROOT / "app.py")],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CDK_CONTEXT_JSON": json.dumps({"only": "nowhere"}), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_app_runs_where_nothing_but_its_requirements_is_installed(tmp_path: Path) -> None:
    done = _run_app(tmp_path, PYTHONPATH=sysconfig.get_path("purelib"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("No environment is called 'nowhere'; there are production")


def test_a_python_without_the_requirements_is_told_what_to_install(tmp_path: Path) -> None:
    done = _run_app(tmp_path)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "has no package aws_cdk; install what the app needs: make setup" in sentence


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


def test_every_key_that_the_app_reads_is_explained() -> None:
    explained = (ROOT / "docs" / "cdk-json.md").read_text()
    assert [key for key in (*Context, WITHOUT_WAIVERS) if f"`{key}`" not in explained] == []


def test_the_context_is_read_where_its_keys_are_listed() -> None:
    reading = {
        str(file.relative_to(ROOT))
        for folder in ("stacks", "constructs_lib")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"\b(?:try_)?get_context\(", file.read_text())
    }
    assert reading == {"stacks/context.py", "constructs_lib/waiver.py"}


def test_what_stops_a_deployment_is_quoted_as_it_is_said() -> None:
    """By ours, by the pinned command line, or by the vendor's library."""
    page = (ROOT / "docs" / "runbooks" / "first-deployment.md").read_text()
    rows = re.findall(r"^\| (.*?) \|", page.partition("## What stops a deployment")[2], re.MULTILINE)
    quoted = [said.partition("…")[0] for row in rows for said in re.findall(r"`([^`]+ [^`]+)`", row)]
    ours = [ROOT / "app.py", *(ROOT / "stacks").glob("*.py"), *OPERATIONS.glob("*.py")]
    theirs = [ROOT / "node_modules" / "aws-cdk" / "lib" / "index.js", Path(botocore.exceptions.__file__)]
    sources = "".join(file.read_text() for file in (*ours, *theirs))

    assert len(quoted) > 12
    assert [said for said in quoted if said not in sources] == []


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
