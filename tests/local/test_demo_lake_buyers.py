"""The buyers of `make demo-lake` leave nothing behind, and what they compare is there."""

import io
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local_cloud.console import Steps
from local_cloud.demo.lake import buyers
from local_cloud.demo.lake.buyers import Fetched, Market, in_common
from local_cloud.demo.lake.data_platform import DataPlatform
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings
from stacks.local_ports import LocalPorts

TODAY = date(2027, 1, 1)


class Operator:
    """Remembers the commands that were typed, and answers each as the command line does."""

    def __init__(self) -> None:
        self.typed: list[str] = []
        self.is_away = False

    def type(self, *command: str) -> list[dict[str, Any]]:
        if self.is_away:
            raise LocalCloudError("nobody is there")
        asked = " ".join(command)
        self.typed.append(asked)
        if asked.startswith("data contract open"):
            return [{"id": f"dct_{len(self.typed)}"}]
        return [{"token": "granted", "value": "keyed"}]


@pytest.fixture
def operator() -> Operator:
    return Operator()


@pytest.fixture
def market(tmp_path: Path, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Market:
    monkeypatch.setattr(buyers, "Staff", lambda _cloud: operator)
    settings = Settings(state=tmp_path, ports=LocalPorts(base=9700))
    platform = SimpleNamespace(cloud=SimpleNamespace(settings=settings))
    return Market(cast("DataPlatform", platform), dataset="donations")


def test_a_buyer_has_token_and_key_by_the_operator_s_commands(market: Market, operator: Operator) -> None:
    buyer = market.give_token("acme", "dct_1")
    assert (buyer.token, buyer.key) == ("granted", "keyed")
    assert operator.typed == ["data grant give dct_1", "data key make dct_1"]


def test_every_contract_ends_with_the_walk(market: Market, operator: Operator) -> None:
    with market.closing(Steps(io.StringIO())):
        signed = [market.sign(name, today=TODAY) for name in ("acme", "zenith", "curious")]
    assert sorted(operator.typed[3:]) == sorted(f"data contract close {each}" for each in signed)


@pytest.mark.parametrize("is_away", [False, True])
def test_contracts_end_also_with_a_walk_that_fails_and_what_failed_first_is_told(
    market: Market, operator: Operator, *, is_away: bool
) -> None:
    def walk() -> None:
        with market.closing(Steps(io.StringIO())):
            market.sign("acme", today=TODAY)
            operator.is_away = is_away
            raise LocalCloudError("pandas could not read")

    with pytest.raises(LocalCloudError, match="could not read"):
        walk()
    assert operator.typed[1:] == ([] if is_away else ["data contract close dct_1"])


def test_downloads_without_rows_are_not_compared(tmp_path: Path) -> None:
    empty = tmp_path / "part.parquet"
    pq.write_table(pa.table({"donor": pa.array([], pa.string())}), empty)
    fetched = Fetched(folder=tmp_path, files=(empty,))
    with pytest.raises(LocalCloudError, match="has no rows"):
        in_common(fetched, fetched, person="donor")
