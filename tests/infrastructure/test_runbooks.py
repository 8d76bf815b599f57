"""What a runbook names exists: at night nobody can afford a command with a path or an option of last year."""

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.session import Session, get_session
from markdown_it import MarkdownIt

from stacks.contracts import Parameter, RecoveryParameter, TaskName
from stacks.database_engine import PARAMETERS
from tests.infrastructure.assembly import ROOT, Deployed
from tests.rds_engines import for_other_engines_typed

FOLDER = ROOT / "docs" / "runbooks"
RUNBOOKS = sorted(FOLDER.rglob("*.md"))
"""The page of each alarm too: it is what people open when it rings."""
OF_THE_NIGHT = (
    "restore",
    "database-upgrade",
    "rotate-secrets",
    "signing-key-rotation",
    "refactor-and-move",
    "stuck-rollback",
    "drift",
    "break-glass",
)
NEVER_SCALED = {"PUBLISHER", "SEQUENCER"}
ENVIRONMENT = r"(?:\$?ENV|production|staging|sandbox|local)"
PLACEHOLDER = re.compile(r"^[A-Z-]+$")
GLOBAL_OPTIONS = {"--query", "--output", "--region", "--no-cli-pager", "--profile"}
NO_OPERATIONS = {
    "s3": {"cp", "sync", "ls"},
    "rds": {"generate-db-auth-token", "wait"},
    "ecr": {"get-login-password"},
    "cloudformation": {"wait"},
    "logs": {"tail"},
}
"""What the AWS command line adds to the APIs."""

Check = Callable[[str, Mapping[str, Deployed]], Iterator[str]]


def parameters_exist(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    """After `/amply/ENVIRONMENT/` where it is no key's alias, and as what the runbooks' own `parameter` is given."""
    known = {parameter.value for parameter in (*Parameter, *RecoveryParameter)}
    paths = re.findall(rf"(?<!alias)/amply/{ENVIRONMENT}/([a-z][a-z/-]+)", text)
    paths += re.findall(r"\bparameter ([a-z]+/[a-z-]+)", text)
    yield from (f"parameter {path}" for path in paths if path not in known)


def stacks_exist(text: str, environments: Mapping[str, Deployed]) -> Iterator[str]:
    known = set(environments["production"].templates)
    for line in _commands(text, "npx cdk"):
        for word in re.findall(rf"[\"']?{ENVIRONMENT}[\"']?/([a-z][a-z-]*)", line):
            if word not in known:
                yield f"stack {word} in {line}"
    for word in re.findall(rf"--stack-name \"?{ENVIRONMENT}-([a-z-]+)", text):
        if word not in known:
            yield f"stack {word}"


def tasks_exist(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    for word in re.findall(rf"--task-definition \"?{ENVIRONMENT}-([a-z]+)", text):
        if word not in set(TaskName):
            yield f"task {word}"


def programs_exist(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in re.findall(r"python -m ([a-z_.]+)", text):
        if importlib.util.find_spec(name) is None:
            yield f"program {name}"
    for command in _commands(text, "make"):
        if (name := command.split()[1]) not in targets:
            yield f"make {name}"


def files_exist(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    """Links beside the runbook or the alarm's page, and paths of the repository."""
    for link in re.findall(r"\]\(([^):#\s]+\.md[^):#\s]*)", text):
        if not any((folder / link).exists() for folder in (FOLDER, FOLDER / "alarms")):
            yield f"file {link}"
    paths = [ROOT / path for path in re.findall(r"\b((?:stacks|tests|docs|services)/[\w/.-]+\.\w+)", text)]
    yield from (f"file {path.name}" for path in paths if not path.exists())


def aws_knows_the_command(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    """Service, operation and options, against the SDK's own description of the APIs."""
    session = get_session()
    for line in _commands(text, "aws"):
        words = _words(line)
        service, operation = words[1], words[2]
        if PLACEHOLDER.match(operation) or operation in NO_OPERATIONS.get(service, set()):
            continue
        known = _options(session, service, operation)
        if known is None:
            yield f"aws {service} {operation}"
            continue
        options = {word for word in words[3:] if word.startswith("--")} - GLOBAL_OPTIONS
        yield from (f"{option} of aws {service} {operation}" for option in sorted(options - known))


def rds_takes_the_options_for_postgresql(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    """Some options RDS takes for other engines alone, and refuses the whole request otherwise."""
    for line in _commands(text, "aws rds"):
        words = _words(line)
        if words[2] in NO_OPERATIONS["rds"] or _options(get_session(), "rds", words[2]) is None:
            continue
        for option in sorted(set(words[3:]) & for_other_engines_typed(words[2])):
            yield f"{option} of aws rds {words[2]}"


def several_stacks_are_deployed_anew(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    """Without --force the command line leaves a stack out whose template did not change, though what it reads did (ADR 0010)."""
    for line in _commands(text, "npx cdk"):
        if line.startswith("npx cdk deploy") and "/*" in line and "--force" not in line:
            yield f"no --force in {line}"


def a_stack_alone_needs_no_image(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    """Without an image what a stack stands on is asked for as well, and `network` refuses."""
    for line in _commands(text, "npx cdk"):
        if line.startswith("npx cdk deploy") and not re.search(r"-c image=|--exclusively", line):
            yield f"neither an image nor --exclusively in {line}"


def scaling_is_held(text: str, _: Mapping[str, Deployed]) -> Iterator[str]:
    """Who stops a service that scaling may start again is told how scaling is held."""
    for line in _commands(text, "aws ecs"):
        stopped = re.search(r"--service (\w+) --desired-count 0", line)
        if (
            stopped
            and stopped[1] not in NEVER_SCALED
            and not re.search("suspended-state|Stop a service", text)
        ):
            yield f"scaling starts {stopped[1]} again"


CHECKS: tuple[Check, ...] = (
    parameters_exist,
    stacks_exist,
    tasks_exist,
    programs_exist,
    files_exist,
    aws_knows_the_command,
    rds_takes_the_options_for_postgresql,
    several_stacks_are_deployed_anew,
    a_stack_alone_needs_no_image,
    scaling_is_held,
)
WRONG: Mapping[Check, tuple[str, int]] = {
    parameters_exist: ("see `/amply/ENV/storage/no-such-bucket` and `parameter api/no-such-name`", 2),
    stacks_exist: ("`npx cdk deploy 'production/basement'`", 1),
    tasks_exist: ("`aws ecs run-task --task-definition sandbox-gardener`", 1),
    programs_exist: ("`python -m operations.alchemy`", 1),
    files_exist: ("follow [this](no-such-page.md), [that](restore.md. Then `stacks/basement.py`", 3),
    aws_knows_the_command: ("`aws rds restore-everything`, `aws kms disable-key --key-name x`", 2),
    rds_takes_the_options_for_postgresql: (
        "`aws rds restore-db-instance-to-point-in-time --multi-az --manage-master-user-password`",
        1,
    ),
    a_stack_alone_needs_no_image: (
        "`npx cdk deploy production/traces` and `npx cdk deploy sandbox/edge -e`",
        2,
    ),
    several_stacks_are_deployed_anew: ("`npx cdk deploy 'production/*' -c idle=true`", 1),
    scaling_is_held: ("`aws ecs update-service --cluster C --service WORKER --desired-count 0`", 1),
}


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_everything_a_runbook_names_exists(page: Path, environments: Mapping[str, Deployed]) -> None:
    text = page.read_text()
    assert [missing for check in CHECKS for missing in check(text, environments)] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_name_that_does_not_exist_is_noticed(check: Check, environments: Mapping[str, Deployed]) -> None:
    text, expected = WRONG[check]
    assert len(list(check(text, environments))) == expected


BLOCKS: Mapping[str, str] = {
    "indented": "Type this:\n\n    {}\n\nThen wait.\n",
    "indented in a list": "1. Type this:\n\n       {}\n\n2. Wait.\n",
    "fenced": "Type this:\n\n```sh\n{}\n```\n",
    "fenced with waves": "Type this:\n\n~~~\n{}\n~~~\n",
    "fenced in a list": "1. Type this:\n\n   ```sh\n   {}\n   ```\n\n2. Wait.\n",
    "second line of a block": "```sh\ncd somewhere\n{}\n```\n",
    "between back-ticks": "Type `{}` and wait.\n",
    "between two back-ticks": "Type ``{}`` and wait.\n",
}


@pytest.mark.parametrize("form", BLOCKS)
@pytest.mark.parametrize(
    ("check", "command"),
    [
        (aws_knows_the_command, "aws rds restore-everything --now"),
        (aws_knows_the_command, "aws kms disable-key \\\n  --key-name x"),
        (programs_exist, "make gold"),
        (stacks_exist, "npx cdk deploy 'production/basement'"),
    ],
)
def test_code_is_read_in_every_form_it_can_have(
    form: str, check: Check, command: str, environments: Mapping[str, Deployed]
) -> None:
    if "\n" in command and "list" in form:
        command = command.replace("\n", "\n" + " " * 7)
    if "\n" in command and form == "indented":
        command = command.replace("\n", "\n" + " " * 4)
    assert len(list(check(BLOCKS[form].format(command), environments))) == 1


@pytest.mark.parametrize("name", OF_THE_NIGHT)
def test_the_night_has_its_pages(name: str) -> None:
    assert (FOLDER / f"{name}.md") in RUNBOOKS


def test_an_upgraded_database_keeps_every_setting() -> None:
    """The parameter group of the night is typed by hand; the next deployment's own group comes a day later."""
    assert _settings_typed((FOLDER / "database-upgrade.md").read_text()) == PARAMETERS


def test_a_setting_missing_from_the_night_is_noticed() -> None:
    page = (FOLDER / "database-upgrade.md").read_text()
    for setting, value in PARAMETERS.items():
        without = page.replace(f"ParameterName={setting},ParameterValue={value},", "")
        assert set(PARAMETERS) - set(_settings_typed(without)) == {setting}


def _settings_typed(text: str) -> dict[str, str]:
    """What the page's commands give a parameter group."""
    (command,) = [line for line in _commands(text, "aws rds") if "modify-db-parameter-group" in line]
    return dict(
        re.findall(r"ParameterName=([a-z_.]+),ParameterValue=(\w+),ApplyMethod=pending-reboot", command)
    )


def _code(text: str) -> Iterator[str]:
    """Code as whoever reads the page sees it: between back-ticks, and line by line in blocks, fenced or indented."""
    for token in MarkdownIt().parse(text):
        if token.type in ("fence", "code_block"):
            yield from re.sub(r"\\\n\s*", " ", token.content).splitlines()
        for inner in token.children or []:
            if inner.type == "code_inline":
                yield re.sub(r"\\\s+", " ", inner.content)


def _commands(text: str, program: str) -> Iterator[str]:
    """What stands after a program's name, at the beginning of code or behind a bracket or a semicolon."""
    for code in _code(text):
        flat = " ".join(code.split())
        for found in re.finditer(rf"(?:^|[(;] ?){program} ([a-z].*)", flat):
            yield f"{program} {found[1]}"


def _words(line: str) -> list[str]:
    """Shell words as far as quotes allow; what is inside them is not ours to read."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "X", line)
    return re.sub(r"[()|<>…'\"].*", "", bare).split()


def _options(session: Session, service: str, operation: str) -> set[str] | None:
    """The options an operation takes; None when there is no such operation."""
    try:
        model = session.get_service_model({"s3api": "s3"}.get(service, service))
    except UnknownServiceError:
        return None
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        return None
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(member, "-") for member in shape.members} if shape else set()
    return {f"{prefix}{member}" for member in members for prefix in ("--", "--no-")}
