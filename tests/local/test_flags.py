"""The switch of the data platform: said once, remembered, and refused in one sentence where it means nothing."""

from pathlib import Path

import pytest

from local_cloud import flags
from local_cloud.cloud import Cloud
from local_cloud.deployment import Deployment
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings
from stacks.local_ports import LocalPorts


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path, ports=LocalPorts(base=8700))


def test_nothing_is_on_until_somebody_says_so(settings: Settings) -> None:
    assert flags.choose(settings, {}) == ()
    assert flags.words(flags.remembered(settings)) == "none"


def test_what_was_said_stays_until_something_else_is(settings: Settings) -> None:
    assert flags.choose(settings, {"AMPLY_FLAGS": "etl, marketplace"}) == ("marketplace", "etl")
    assert flags.choose(settings, {"AMPLY_FLAGS": ""}) == ("marketplace", "etl")
    assert flags.words(flags.remembered(settings)) == "marketplace, etl"
    assert flags.choose(settings, {"AMPLY_FLAGS": "none"}) == ()
    assert flags.remembered(settings) == ()


@pytest.mark.parametrize("said", ["lake", "etl,", "ETL", "none,etl", "portal"])
def test_an_unknown_flag_is_one_sentence_and_changes_nothing(settings: Settings, said: str) -> None:
    flags.choose(settings, {"AMPLY_FLAGS": "etl"})
    with pytest.raises(
        LocalCloudError,
        match="write FLAGS=marketplace,etl,iot,data-seller-portal, one of them, or FLAGS=none",
    ):
        flags.choose(settings, {"AMPLY_FLAGS": said})
    assert flags.remembered(settings) == ("etl",)


def test_the_command_line_is_told_what_is_on_and_nothing_else(settings: Settings) -> None:
    deployment = Deployment(Cloud(settings))
    assert not any("flags" in word for word in deployment.app(assembly="assembly"))
    without = deployment._sources()
    flags.choose(settings, {"AMPLY_FLAGS": "marketplace"})
    assert "flags=marketplace" in deployment.app(assembly="assembly")
    assert deployment._sources() != without
