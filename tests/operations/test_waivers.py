"""Waivers are reported from the day after they end, with their reason and every place they stand in."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from operations.assembly import read
from operations.waivers import Granted, cli, report, waivers
from tests.operations.small_assembly import small_assembly

REASON = "Nobody investigates refused packets where no real data is."


def _waive(assembly: Path, until: str, *, beside: bool) -> None:
    """Write a waiver into the assembly the way the CDK does: in the manifest, or in a file of its own."""
    stage = assembly / "assembly-sandbox"
    manifest = json.loads((stage / "manifest.json").read_text())
    (name,) = (key for key in manifest["artifacts"] if key.startswith("sandboxnetwork"))
    said = {"AwsSolutions-VPC7": f"{REASON} (until {until})", "AwsSolutions-L1": "The library says so."}
    metadata = {"/sandbox/network/Vpc": [{"type": "aws:cdk:acknowledged-rules", "data": said}]}
    if beside:
        (stage / "network.metadata.json").write_text(json.dumps(metadata))
        manifest["artifacts"][name]["additionalMetadataFile"] = "network.metadata.json"
    else:
        manifest["artifacts"][name]["metadata"] = metadata
    (stage / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("beside", [True, False])
def test_a_waiver_is_found_where_the_cdk_writes_it(beside: bool, tmp_path: Path) -> None:  # noqa: FBT001 -- a case
    assembly = small_assembly(tmp_path, "sandbox")
    _waive(assembly, "2027-01-31", beside=beside)

    library, ours = waivers(assembly, read(assembly)["sandbox"])

    assert ours == Granted(
        path="sandbox/network/Vpc", rule="AwsSolutions-VPC7", reason=REASON, until=date(2027, 1, 31)
    )
    assert library.until is None


@pytest.mark.parametrize(("today", "expired"), [(date(2027, 1, 31), False), (date(2027, 2, 1), True)])
def test_a_waiver_holds_through_its_last_day(today: date, expired: bool) -> None:  # noqa: FBT001 -- a case
    granted = Granted(path="a/b/C", rule="R1", reason=REASON, until=date(2027, 1, 31))
    assert bool(list(report([granted], today))) is expired


def test_a_reason_is_said_once_with_all_its_places() -> None:
    granted = [
        Granted(path=f"{environment}/network/Vpc", rule="R1", reason=REASON, until=date(2026, 1, 1))
        for environment in ("sandbox", "local")
    ]
    assert list(report(granted, date(2026, 6, 1))) == [
        f"expired 2026-01-01: {REASON}",
        "    R1 at sandbox/network/Vpc",
        "    R1 at local/network/Vpc",
    ]


def test_the_librarys_own_waivers_never_expire() -> None:
    granted = Granted(path="a/b/C", rule="R1", reason="The library says so.", until=None)
    assert list(report([granted], date(2999, 1, 1))) == []


def test_a_waiver_answers_below_it_and_not_beside_it() -> None:
    granted = Granted(path="a/b/Role", rule="R1", reason=REASON, until=None)
    assert granted.covers("a/b/Role")
    assert granted.covers("a/b/Role/DefaultPolicy")
    assert not granted.covers("a/b/RoleOther")


@pytest.mark.parametrize(
    ("until", "code", "words"), [("2001-01-01", 1, "expired 2001"), ("2999-01-01", 0, "none")]
)
def test_the_command_tells_by_its_exit_code(until: str, code: int, words: str, tmp_path: Path) -> None:
    assembly = small_assembly(tmp_path, "sandbox")
    _waive(assembly, until, beside=False)
    done = CliRunner().invoke(cli, [str(assembly)])
    assert done.exit_code == code
    assert words in done.output


def test_without_an_assembly_it_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, [str(tmp_path)])
    assert done.exit_code == 2
    assert "make synth" in done.output
