"""Which messages tell of a file, and of what nobody takes one for."""

import json

import pytest

from amply_releases.arrivals import Arrival, NoArrivalError
from tests.releases.desk import message


def test_a_message_tells_of_one_file_of_one_dataset() -> None:
    assert Arrival.of(message("donations/dt=2026-11-26/abc.parquet").body) == Arrival(
        dataset_id="donations", key="donations/dt=2026-11-26/abc.parquet", name="dt=2026-11-26/abc.parquet"
    )
    assert Arrival.of(message("datasets/visits_2/dt=2026-11-26/a-1.parquet").body) == Arrival(
        dataset_id="visits_2",
        key="datasets/visits_2/dt=2026-11-26/a-1.parquet",
        name="dt=2026-11-26/a-1.parquet",
    )
    assert Arrival.of(message("datasets/terminal_gifts/dt=2026-11-26/a.csv.gz").body) == Arrival(
        dataset_id="terminal_gifts",
        key="datasets/terminal_gifts/dt=2026-11-26/a.csv.gz",
        name="dt=2026-11-26/a.csv.gz",
    )


@pytest.mark.parametrize(
    "key",
    [
        "datasets/terminal_gifts/dt=2026-11-26/a.csv",
        "donations/dt=2026-11-26/a.csv.gz",
        "donations/a.parquet",
        "donations/dt=2026-11-26/a.csv",
        "donations/dt=2026-11-26/.a.parquet",
        "donations/dt=2026-11-26/a.parquet\n",
        "donations/dt=2026-11-26/b/a.parquet",
        "datasets/donations/dt=2026-11-26/a.parquet",
        "datasets/Visits/dt=2026-11-26/a.parquet",
        "datasets/../released/dt=2026-11-26/a.parquet",
        f"datasets/{'v' * 64}/dt=2026-11-26/a.parquet",
        "incoming/visits/dt=2026-11-26/a.parquet",
        "datasets/#datasets/dt=2026-11-26/a.parquet",
    ],
)
def test_an_object_elsewhere_is_no_arrival(key: str) -> None:
    with pytest.raises(NoArrivalError, match="neither"):
        Arrival.of(message(key).body)


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", json.dumps({"detail": 1}), json.dumps({"detail": {"object": {}}})]
)
def test_something_else_is_no_arrival(body: str) -> None:
    with pytest.raises(NoArrivalError, match="no event of S3"):
        Arrival.of(body)
