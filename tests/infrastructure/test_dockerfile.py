"""The image that delivery builds is the one the task definitions count on; nothing here builds it."""

import re
from importlib.util import find_spec
from itertools import pairwise

import pytest

from constructs_lib.service import SCRATCH, UNPRIVILEGED
from stacks.contracts import CONTAINERS, TaskName
from tests.infrastructure.assembly import ROOT

DOCKERFILE = (ROOT / "services" / "backend" / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
USER, GROUP = UNPRIVILEGED.split(":")


def _copied() -> list[str]:
    """What is taken from the repository; copies between stages are not."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


BASE = re.compile(r"[\w./-]+:\d[\w.-]*@sha256:[0-9a-f]{64}")
FETCHED = re.compile(r"--checksum=sha256:[0-9a-f]{64}(\s|$)")


def loose(dockerfile: str) -> list[str]:
    """What could be something else tomorrow: bases without a digest, and what is fetched without a checksum."""
    lines = dockerfile.replace("\\\n", " ").splitlines()
    froms = [line.split()[1] for line in lines if line.startswith("FROM ")]
    stages = {line.split()[3] for line in lines if re.match(r"FROM \S+ AS \S+$", line)}
    fetches = [line for line in lines if line.startswith("ADD ") and "://" in line]
    return [base for base in froms if base not in stages and not BASE.fullmatch(base)] + [
        line for line in fetches if not FETCHED.search(line)
    ]


def test_every_base_and_everything_fetched_is_pinned_by_what_it_holds() -> None:
    assert DOCKERFILE.count("@sha256:") == len(STAGES) == 2
    assert DOCKERFILE.count("--checksum=") == 1
    assert loose(DOCKERFILE) == []


@pytest.mark.parametrize(
    "line",
    [
        "FROM python:3.11-slim-bookworm",
        "FROM python@sha256:" + "a" * 64,
        "FROM python:3.11@sha256:abc",
        "ADD https://example.org/file /file",
        "ADD --chmod=0444 \\\n  https://example.org/file /file",
        "ADD --checksum=sha256:abc https://example.org/file /file",
    ],
)
def test_a_pin_that_is_missing_is_noticed(line: str) -> None:
    assert len(loose(f"FROM a:1@sha256:{'b' * 64} AS build\nFROM build\n{line}\n")) == 1


def test_both_stages_stand_on_the_same_base() -> None:
    """What was built for one Python would not run on another."""
    assert len({stage.split()[0] for stage in STAGES}) == 1


def test_what_is_copied_exists() -> None:
    assert _copied()
    assert [source for source in _copied() if not (ROOT / source).exists()] == []


def test_what_is_copied_is_let_through() -> None:
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert [source for source in _copied() if not source.startswith(tuple(let_through))] == []


def test_what_is_run_is_installed_from_what_is_copied() -> None:
    """The image holds the packages it installs; each is a folder that was copied."""
    lines = re.findall(r"pip install .*--no-deps (.+)$", DOCKERFILE, re.MULTILINE)
    installed = [package for line in lines for package in line.split()]
    assert {"services/backend", "services/operations", "services/verify"} <= set(installed)
    assert set(installed) <= set(_copied())


def test_the_last_stage_runs_as_the_user_the_tasks_run_as() -> None:
    users = re.findall(r"^USER (\S+)$", STAGES[-1], re.MULTILINE)
    assert users[-1:] == [USER]
    assert USER != "0"
    assert f"--gid {GROUP} " in STAGES[-1]
    assert f"--uid {USER} --gid {GROUP} " in STAGES[-1]


def test_the_user_owns_where_the_tasks_may_write() -> None:
    (volumes,) = re.findall(r"^VOLUME \[(.+)\]$", STAGES[-1], re.MULTILINE)
    assert {volume.strip(' "') for volume in volumes.split(",")} == set(SCRATCH.values())
    assert f"-o {USER} -g {GROUP} {SCRATCH['run']}" in STAGES[-1]


@pytest.mark.parametrize("name", TaskName)
def test_every_command_starts_a_module_that_exists(name: TaskName) -> None:
    for command in (CONTAINERS[name].command, CONTAINERS[name].health_check or ()):
        modules = [after for flag, after in pairwise(command) if flag == "-m"]
        assert [module for module in modules if find_spec(module) is None] == []
    assert CONTAINERS[name].command[:2] == ("python", "-m")


def test_a_rehearsal_finds_the_migrations_where_the_image_has_the_backend() -> None:
    """Python's version is in the path, and the image's base is what decides it."""
    command = CONTAINERS[TaskName.REHEARSE].command
    folder = command[command.index("--migrations") + 1]
    (version,) = set(re.findall(r"^python:(\d+\.\d+)[.-]", "\n".join(STAGES), re.MULTILINE))
    assert "RUN python -m venv /opt/amply " in DOCKERFILE
    assert folder == f"/opt/amply/lib/python{version}/site-packages/amply/migrations/versions"
    assert (ROOT / "services/backend/src/amply/migrations/versions").is_dir()


def test_the_dockerfiles_own_command_is_the_apis() -> None:
    (command,) = re.findall(r'^CMD \["(.+)"\]$', STAGES[-1], re.MULTILINE)
    assert tuple(command.split('", "')) == CONTAINERS[TaskName.API].command
