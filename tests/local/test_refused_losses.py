"""What `make local` says of a change, by the reviewer's program's own exit codes."""

from pathlib import Path

import pytest

from local_cloud.cloud import Cloud
from local_cloud.deployment import Deployment
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings
from operations import deployed
from operations.difference.cli import cli as difference
from stacks.local_ports import LocalPorts


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(state=tmp_path / "state", ports=LocalPorts(), root=tmp_path)
    settings.prepare()
    return settings


def _said(settings: Settings, code: int) -> str:
    """With a reviewer's program that ends with this code."""
    settings.python.parent.mkdir(parents=True)
    settings.python.write_text(
        f"#!/bin/sh\necho 'what it says'\n[ $2 = operations.deployed ] || exit {code}\n"
    )
    settings.python.chmod(0o755)
    with pytest.raises(LocalCloudError) as refused:
        Deployment(Cloud(settings))._refuse_losses(settings.emulator / "assembly")
    assert refused.value.last_log_lines() == ["what it says", "what it says"]
    return refused.value.sentence


def test_a_change_that_loses_data_is_refused_as_that(settings: Settings) -> None:
    assert "it would replace or destroy what holds data" in _said(settings, 1)


@pytest.mark.parametrize("code", [2, 127])
def test_a_program_that_fails_tells_nobody_to_throw_data_away(settings: Settings, code: int) -> None:
    sentence = _said(settings, code)
    assert sentence.startswith(f"Could not compare this change with what is deployed (exit status {code})")
    assert "make clean" not in sentence
    assert "'make local' again" in sentence


def test_what_is_typed_is_what_the_programs_take(settings: Settings) -> None:
    typed = settings.state / "typed"
    settings.python.parent.mkdir(parents=True)
    settings.python.write_text(f'#!/bin/sh\necho "$@" >> {typed}\n')
    settings.python.chmod(0o755)
    Deployment(Cloud(settings))._refuse_losses(settings.emulator / "assembly")
    read, compared = (line.split()[2:] for line in typed.read_text().splitlines())
    assert deployed.cli.make_context("deployed", read).params["environment"] == "local"
    replacements = settings.root / "stacks" / "replacements.toml"
    assert difference.make_context("difference", compared).params["replacements_file"] == replacements
