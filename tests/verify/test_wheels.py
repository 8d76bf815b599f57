"""What is published: two wheels, the same bytes from every build, that run without the rest of this repository."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.verify.conftest import ROOT

PACKAGES = ("ledger_format", "verify")
UV = str(Path(sys.executable).with_name("uv"))


def copy_sources(place: Path) -> None:
    """The two packages where they stand beside each other, with other times and another order of making."""
    for number, name in enumerate(PACKAGES):
        shutil.copytree(
            ROOT / "services" / name,
            place / "services" / name,
            ignore=shutil.ignore_patterns("*.egg-info", "__pycache__", "dist"),
        )
        for file in (place / "services" / name).rglob("*"):
            os.utime(file, (1_700_000_000 + number + len(str(place)), 1_700_000_000))
    shutil.copy(ROOT / "LICENSE", place / "LICENSE")


def build(place: Path, *, epoch: int) -> dict[str, bytes]:
    copy_sources(place)
    out = place / "out"
    for name in PACKAGES:
        command = [UV, "build", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable]
        done = subprocess.run(
            [*command, "--out-dir", str(out), str(place / "services" / name)],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return {wheel.name: wheel.read_bytes() for wheel in sorted(out.glob("*.whl"))}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return build(tmp_path_factory.mktemp("first"), epoch=1_790_000_000)


def test_two_builds_give_the_same_bytes(wheels: dict[str, bytes], tmp_path: Path) -> None:
    again = build(tmp_path / "elsewhere", epoch=1_790_000_000)
    assert list(again) == [
        "amply_ledger_format-0.1.0-py3-none-any.whl",
        "amply_verify-0.1.0-py3-none-any.whl",
    ]
    assert again == wheels


def test_both_name_the_one_builder_that_is_locked() -> None:
    """Another hatchling writes other bytes: its version stands in every wheel."""
    locked = re.search(r"^(hatchling==\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert locked is not None
    projects = [
        tomllib.loads(file.read_text())["build-system"]
        for file in sorted((ROOT / "services").glob("*/pyproject.toml"))
    ]
    named = [each["requires"] for each in projects if each["build-backend"] == "hatchling.build"]
    assert len(named) >= len(PACKAGES)
    assert named == [[locked[1]]] * len(named)


def test_the_date_of_the_release_is_in_it(wheels: dict[str, bytes], tmp_path: Path) -> None:
    """So the comparison above is one: the bytes do depend on what is built."""
    assert build(tmp_path / "later", epoch=1_800_000_000) != wheels


def test_the_wheels_say_what_a_registry_asks_for(wheels: dict[str, bytes], tmp_path: Path) -> None:
    requires: list[str] = []
    for name, content in wheels.items():
        (tmp_path / name).write_bytes(content)
        with zipfile.ZipFile(tmp_path / name) as wheel:
            names = wheel.namelist()
            metadata = wheel.read(next(one for one in names if one.endswith("METADATA"))).decode()
        said = Parser().parsestr(metadata)
        requires += said.get_all("Requires-Dist") or []
        assert said["License-Expression"] == "Apache-2.0"
        assert said["Description-Content-Type"] == "text/markdown"
        assert said["Requires-Python"] == ">=3.11"
        assert said.get_payload()
        assert any(one.endswith("/py.typed") for one in names)
        assert any(one.endswith("/LICENSE") for one in names)
        assert not any("egg-info" in one or "test" in one for one in names)
    assert "amply-ledger-format==0.1.0" in requires
    assert "psycopg[binary]>=3.3; extra == 'operator'" in requires
    assert all(re.search(r"[>=]=", one) for one in requires), "each says from which version on"


def test_the_installed_wheels_judge_a_receipt(wheels: dict[str, bytes], tmp_path: Path) -> None:
    for name, content in wheels.items():
        (tmp_path / name).write_bytes(content)
    target = tmp_path / "installed"
    command = [UV, "pip", "install", "-q", "--offline", "--no-deps", "--python", sys.executable]
    subprocess.run(
        [*command, "--target", str(target), *(str(tmp_path / name) for name in wheels)], check=True
    )
    golden = ROOT / "tests" / "verify" / "golden"
    receipt, key = golden / "valid.tlog-proof", golden / "verifier-key.txt"
    program = f"import sys; sys.path.insert(0, {str(target)!r}); import amply_verify.cli as c; print(c.__file__); c.main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "receipt", str(receipt), "--key", str(key)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(target))
