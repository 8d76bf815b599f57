"""docs/sandbox.md, executed: the commands for a sandbox of one's own. Those for a laptop need the whole platform, and
are typed where it runs already (test_end_to_end.py).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ledger_format.notes import VerifierKey
from local_cloud import parts
from local_cloud.settings import Settings
from local_cloud.supervisor.client import Client
from stacks.environments import SANDBOX
from tests.local import sandbox_page
from tests.local.free_ports import settings_of_our_own
from tests.local.sandbox_page import typed

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.xdist_group("sandbox"),
    pytest.mark.enable_socket,
]

IMAGE = f"{SANDBOX.account}.dkr.ecr.{SANDBOX.region}.amazonaws.com/amply@sha256:{'5' * 64}"
SIGNED_IN: Mapping[str, str] = {
    # Twelve digits as the access key are the account, to the emulator.
    "AWS_ACCESS_KEY_ID": SANDBOX.account,
    "AWS_SECRET_ACCESS_KEY": "sandbox",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": SANDBOX.region,
    "AWS_DEFAULT_REGION": SANDBOX.region,
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    # The gates validate a named sandbox's templates (tests/infrastructure/test_gate.py).
    "CDK_VALIDATION": "false",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
}


TASKS = ("roles", "migrate", "admin")
STARTED = """.venv/bin/python - <<'END'
import boto3
ecs, ssm = boto3.client("ecs"), boto3.client("ssm")
cluster = ssm.get_parameter(Name="/amply/sandbox-ada/api/cluster-name")["Parameter"]["Value"]
for name in ("roles", "migrate", "admin"):
    (task,) = ecs.list_tasks(cluster=cluster, family=f"sandbox-ada-{name}")["taskArns"]
    (found,) = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    told = found["overrides"].get("containerOverrides") or [{}]
    print("started", name, *told[0].get("command", []), sep="|")
END"""
"""Typed beside the page's commands: which tasks run, and what each was told to do in place of its own command."""


def _started(printed: str) -> dict[str, list[str]]:
    lines = [line.split("|")[1:] for line in printed.splitlines() if line.startswith("started|")]
    return {name: told for name, *told in lines}


def _verifier_key(printed: str) -> VerifierKey:
    (line,) = re.findall(r"^\S+\+[0-9a-f]{8}\+\S+$", printed, re.MULTILINE)
    return VerifierKey.parse(line)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of_our_own(tmp_path / "run")


@pytest.fixture
def account(settings: Settings) -> Iterator[Mapping[str, str]]:
    """The sandbox account, emulated and bootstrapped: a shell that is signed in to it."""
    supervisor = Client(run=settings.state, log=settings.log_of("supervisor"))
    supervisor.start()
    try:
        supervisor.ensure(parts.cloud(settings))
        signed_in = {**SIGNED_IN, "AWS_ENDPOINT_URL": settings.cloud_url, "IMAGE": IMAGE, "CI": "true"}
        prepared = typed(
            f'cd "{settings.emulator}"; "{settings.cdk}" bootstrap aws://{SANDBOX.account}/{SANDBOX.region}',
            signed_in,
        )
        assert prepared.returncode == 0, prepared.stderr
        yield signed_in
    finally:
        supervisor.end()


def test_the_commands_for_a_sandbox_of_ones_own_make_it_show_it_and_take_it_away(
    account: Mapping[str, str],
) -> None:
    """Approval is asked for at a terminal; a test has none, so it is given beforehand."""
    told = sandbox_page.commands(sandbox_page.OWN)
    commands = told.replace('npx cdk "$1"', 'npx cdk "$1" --require-approval never', 1)
    assert commands.count("--require-approval never") == 1
    assert commands.count("\nIMAGE=REPOSITORY@sha256:DIGEST\n") == 1
    commands = commands.replace("REPOSITORY@sha256:DIGEST", IMAGE)
    # The emulator starts no container, so a task begins and never ends: looked at once, and not waited for.
    for name in TASKS:
        assert commands.count(f"\nmake {name} ") == 1
        commands = commands.replace(f"\nmake {name} ", f"\n! WAIT=0 make {name} ")
    commands = commands.replace(
        "\nsandbox destroy --force", f"\n{STARTED}\nsandbox destroy --force; make sandboxes"
    )

    done = typed(commands, account)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("still runs after 0 s") == len(TASKS)
    assert _started(done.stdout) == {
        "roles": [],
        "migrate": [],
        "admin": [
            *("python", "-m", "amply.entrypoints.admin", "organization", "create"),
            *("--name", "Relief of Ada", "--slug", "relief-of-ada", "--country", "DE"),
            *("--onboard", "--email", "treasurer@relief-of-ada.example"),
        ],
    }
    assert _verifier_key(done.stdout).name == f"{SANDBOX.log_origin}-ada"
    assert "ada@example.org" in done.stdout
    assert re.search(r"^https?://\S+ https://\S+/log$", done.stdout, re.MULTILINE)
    assert "0 named sandboxes" in done.stdout
    assert "No named sandbox has expired." in done.stdout
