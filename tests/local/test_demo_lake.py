"""`make demo-lake`, as a person types it, on a platform of its own with the data platform on.

Every night: what each step asks of is held by tests of its own. This is that they do it together, and more than once.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_cloud.supervisor import leftovers
from tests.local.free_ports import settings_of_our_own
from tests.local.running_platform import Platform

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.xdist_group("demo-lake"),
    pytest.mark.enable_socket,
]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Up with the data platform; the first command says which flags, and the others remember them."""
    platform = Platform(settings_of_our_own(tmp_path_factory.mktemp("lake")), flags="marketplace,etl")
    try:
        up = platform.type("up")
        assert up.returncode == 0, up.stdout + up.stderr
        yield platform
    finally:
        assert platform.type("clean").returncode == 0
        assert leftovers.find(platform.settings.state) == []


def _walk(platform: Platform) -> dict[str, Any]:
    done = platform.type("demo-lake")
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert json.loads((platform.settings.state / "demo-lake.json").read_text()) == result
    return result


@pytest.fixture(scope="module")
def walked(platform: Platform) -> dict[str, Any]:
    return _walk(platform)


def test_a_buyer_reads_what_was_released_and_nobody_else_does(walked: dict[str, Any]) -> None:
    assert walked["releases"] == 2
    assert walked["k"] >= 20
    assert 0 < float(walked["loss"]) < 1
    assert walked["buyer_rows"] > 2_000
    assert walked["in_common"] == 0
    assert walked["refused"] == 404


def test_the_public_data_set_is_released_without_its_bad_rows(walked: dict[str, Any]) -> None:
    assert walked["quarantined"] == 3
    assert 700 < walked["survey_rows"] <= 944


def test_whoever_withdraws_takes_a_whole_cell_along(walked: dict[str, Any]) -> None:
    assert walked["withdrawn"] >= 20


def test_twelve_people_are_not_released_and_the_alarm_rings(walked: dict[str, Any]) -> None:
    assert "nothing of" in walked["violation"]
    assert "Threshold Crossed" in walked["alarm"]


def test_the_demo_may_be_repeated(platform: Platform, walked: dict[str, Any]) -> None:
    again = _walk(platform)
    assert again["releases"] == 2
    assert again["buyer_rows"] > walked["buyer_rows"]
    assert again["donor"] != walked["donor"]
