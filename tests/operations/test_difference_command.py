"""The program as a pipeline calls it: three exit codes, one comment an environment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import operations
from operations.difference.cli import main
from tests.infrastructure.assembly import ROOT
from tests.operations import states
from tests.operations.states import assembly, recorded

APPROVAL = """
[[replacement]]
environment = "production"
stack = "storage"
logical_id = "Documents7E5B2978"
reason = "Everything was copied to the new bucket last week."
until = 2026-11-26
"""


def _exit(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return assembly(tmp_path / "before", recorded())


@pytest.fixture
def without_bucket(tmp_path: Path) -> Path:
    return assembly(tmp_path / "after", states.without(recorded(), states.BUCKET))


def test_a_harmless_change_exits_with_0(
    before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit(before, assembly(tmp_path / "after", states.harmless())) == 0
    assert "## production: nothing that holds data is replaced or destroyed" in capsys.readouterr().out


def test_a_lost_bucket_exits_with_1(
    before: Path, without_bucket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit(before, without_bucket) == 1
    assert capsys.readouterr().out.startswith(
        "<!-- amply-difference:production -->\n## production: 1 resource"
    )


@pytest.mark.parametrize(("day", "ends"), [("2026-11-26", 0), ("2026-11-27", 1)])
def test_an_approval_lets_it_pass_through_its_last_day(
    before: Path, without_bucket: Path, tmp_path: Path, day: str, ends: int
) -> None:
    approved = tmp_path / "replacements.toml"
    approved.write_text(APPROVAL)
    assert _exit(before, without_bucket, "--replacements", approved, "--today", day) == ends


def test_a_malformed_approval_exits_with_2(
    before: Path, without_bucket: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    approved = tmp_path / "replacements.toml"
    approved.write_text(APPROVAL.replace("2026-11-26", '"soon"'))
    assert _exit(before, without_bucket, "--replacements", approved) == 2
    told = capsys.readouterr()
    assert told.err.endswith("replacement 1: until is a day such as 2027-01-31.\n")
    assert told.out == ""


def test_an_approval_for_an_environment_nobody_has_is_reported(
    before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    approved = tmp_path / "replacements.toml"
    approved.write_text(APPROVAL.replace('"production"', '"prod"'))
    assert _exit(before, before, "--replacements", approved) == 0
    told = capsys.readouterr().err
    assert told == "An approval names the environment 'prod', which neither assembly has.\n"


def test_an_assembly_that_is_not_there_exits_with_2(
    before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit(before, tmp_path / "none") == 2
    assert "holds no cloud assembly; write one first: make synth" in capsys.readouterr().err


def test_an_assembly_that_is_broken_exits_with_2(
    before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    after = assembly(tmp_path / "after", recorded())
    (after / "assembly-production" / "manifest.json").write_text("{")
    assert _exit(before, after) == 2
    assert capsys.readouterr().err.startswith(f"The assembly in {after} cannot be read:")


def test_an_environment_nobody_has_exits_with_2(before: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit(before, before, "--environment", "prod") == 2
    assert capsys.readouterr().err == "Neither assembly has 'prod'; they have production.\n"


def test_an_environment_whose_name_could_forge_a_marker_exits_with_2(before: Path, tmp_path: Path) -> None:
    forged = assembly(tmp_path / "after", recorded(), name="x --> @everyone")
    assert _exit(before, forged) == 2


def test_without_node_it_exits_with_2(
    before: Path, without_bucket: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert _exit(before, without_bucket) == 2
    assert capsys.readouterr().err == "Node.js is missing: install Node 20 or newer.\n"


def test_without_the_library_it_exits_with_2(
    before: Path,
    without_bucket: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The script stands where no node_modules folder is above it."""
    script = ROOT / "services" / "operations" / "src" / "operations" / "difference" / "compare.mjs"
    alone = tmp_path / "compare.mjs"
    alone.write_text(script.read_text())
    monkeypatch.setattr("operations.difference.vendor._SCRIPT", alone)
    assert _exit(before, without_bucket) == 2
    assert "is not installed; install it: make setup" in capsys.readouterr().err


def test_a_template_the_library_refuses_exits_with_2(
    before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = recorded()
    states.properties(state, states.POLICY)["PolicyDocument"] = None
    assert _exit(before, assembly(tmp_path / "after", state)) == 2
    assert capsys.readouterr().err.startswith("The vendor's library for differences failed: TypeError")


def test_a_defect_is_not_taken_for_a_verdict(before: Path, tmp_path: Path) -> None:
    """Python itself would exit with 1, which means that data is lost."""
    state = recorded()
    del state["storage"]["Resources"]["Documents7E5B2978"]["Type"]
    assert _exit(before, assembly(tmp_path / "after", state)) == 2


def test_each_environment_gets_a_comment_of_its_own(
    before: Path, without_bucket: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assembly(without_bucket, recorded(), name="sandbox")
    comments = tmp_path / "comments"
    assert _exit(before, without_bucket, "--markdown-dir", comments) == 1
    assert sorted(file.name for file in comments.iterdir()) == ["production.md", "sandbox.md"]
    new = (comments / "sandbox.md").read_text()
    assert new.startswith("<!-- amply-difference:sandbox -->\n## sandbox: a new environment\n")
    printed = capsys.readouterr().out
    assert (comments / "production.md").read_text() in printed
    assert new in printed


def test_one_environment_can_be_asked_for(before: Path, without_bucket: Path) -> None:
    assembly(without_bucket, recorded(), name="sandbox")
    assert _exit(before, without_bucket, "--environment", "sandbox") == 0


def test_the_command_people_type_prints_the_comment(before: Path, without_bucket: Path) -> None:
    """Make has one exit code for every failure: a pipeline, which must tell 1 from 2, calls the program."""
    made = subprocess.run(
        ["make", "diff-comment", f"BEFORE={before}", f"AFTER={without_bucket}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.stdout.startswith("<!-- amply-difference:production -->\n## production: 1 resource")
    assert "diff-comment: the program's exit code is 1 (" in made.stderr


def test_the_command_people_type_takes_one_environment_and_other_approvals(
    before: Path, without_bucket: Path, tmp_path: Path
) -> None:
    assembly(without_bucket, recorded(), name="sandbox")
    approved = tmp_path / "replacements.toml"
    approved.write_text(APPROVAL.replace("2026-11-26", "9999-12-31"))
    told = [
        f"BEFORE={before}",
        f"AFTER={without_bucket}",
        f"REPLACEMENTS={approved}",
        "ENVIRONMENT=production",
    ]
    made = subprocess.run(
        ["make", "diff-comment", *told],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stdout.count("<!-- ")) == (0, 1)
    assert "as agreed" in made.stdout


def test_the_command_people_type_asks_for_two_assemblies() -> None:
    made = subprocess.run(["make", "diff-comment"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Say which two assemblies: make diff-comment BEFORE=dir AFTER=dir" in made.stderr


PRICES = """
class Estimate:
    total_usd = {total}


def estimate(deployed):
    return Estimate()
"""


@pytest.mark.parametrize(
    ("total", "says"),
    [
        ("100", "Monthly cost: 100.00 → 100.00 USD (+0.00)."),
        ("1 / 0", "Monthly cost: not computed, `division by zero`."),
    ],
)
def test_the_cost_is_what_the_price_list_says(
    before: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    total: str,
    says: str,
) -> None:
    (tmp_path / "cost.py").write_text(PRICES.replace("{total}", f"property(lambda _: {total})"))
    monkeypatch.setattr(operations, "__path__", [str(tmp_path), *operations.__path__])
    monkeypatch.setattr(operations, "cost", None, raising=False)  # importing binds it; this puts it back
    for name in [name for name in sys.modules if name.startswith("operations.cost")]:
        monkeypatch.delitem(sys.modules, name)
    assert _exit(before, before) == 0
    del sys.modules["operations.cost"]
    assert says in capsys.readouterr().out


def test_comparing_asks_no_network(
    before: Path, without_bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Node that cannot open a socket answers just the same."""
    refuse = "require('node:net').Socket.prototype.connect=()=>{throw new Error('network')}"
    monkeypatch.setenv("NODE_OPTIONS", f"--import=data:text/javascript,{_module(refuse)}")
    assert _exit(before, without_bucket) == 1


def _module(script: str) -> str:
    head = "import{createRequire}from'node:module';const require=createRequire('file:///');"
    return json.dumps(head + script)[1:-1].replace(" ", "%20")
