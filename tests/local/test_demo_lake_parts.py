"""What `make demo-lake` makes up is what the platform itself would write and take, and what it needs it says."""

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from amply.modules.ingestion.columns import check
from amply.modules.ingestion.schemas import ColumnModel
from amply.modules.sharing.domain import Fact, band_of
from amply.modules.sharing.fact_files import parquet_of
from local_cloud.console import Steps
from local_cloud.demo.lake import survey, year
from local_cloud.demo.lake.story import share
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings
from stacks.local_ports import LocalPorts

NEW_YEARS_DAY = date(2027, 1, 1)


def test_made_up_facts_have_the_columns_of_real_ones() -> None:
    made_up = list(year.gifts("a walk", today=NEW_YEARS_DAY, donors=20))
    ours, real = year.parquet(made_up), parquet_of([Fact(**fact) for fact in made_up])
    assert pq.read_schema(io.BytesIO(ours)).equals(pq.read_schema(io.BytesIO(real)))
    assert {fact["amount_band"] for fact in made_up} == {
        band_of(fact["amount_minor"] // 100) for fact in made_up
    }


def test_made_up_gifts_are_those_of_a_year_and_the_same_for_the_same_walk() -> None:
    gifts = list(year.gifts("a walk", today=NEW_YEARS_DAY))
    assert gifts == list(year.gifts("a walk", today=NEW_YEARS_DAY))
    days = {(NEW_YEARS_DAY - gift["given_at"]).days for gift in gifts}
    assert (min(days), max(days) > 350, max(days) < 366) == (0, True, True)
    assert len({gift["event_id"] for gift in gifts}) == len(gifts)
    assert {gift["donor_id"] for gift in gifts} == {year.donor("a walk", n) for n in range(year.DONORS)}


def test_on_the_first_of_a_month_its_gifts_are_many_enough_for_one_more_donor() -> None:
    """What tells gifts of the kind that the donor of the demo gives apart is country, month, method and whether they recur."""
    newest = [
        gift["donor_id"]
        for gift in year.gifts("a walk", today=NEW_YEARS_DAY)
        if gift["given_at"] == NEW_YEARS_DAY
        and (gift["country"], gift["method"], gift["is_recurring"]) == ("DE", "online", False)
    ]
    assert len(set(newest)) > 60


def test_what_is_said_of_the_public_data_set_is_a_dataset_that_the_api_takes() -> None:
    check([ColumnModel.model_validate(column).column() for column in survey.COLUMNS])


@pytest.mark.parametrize(
    ("remembered", "typed"), [("", "marketplace,etl"), ("etl,iot", "marketplace,etl,iot")]
)
def test_without_the_data_platform_the_command_to_type_is_said(
    tmp_path: Path, remembered: str, typed: str
) -> None:
    settings = Settings(state=tmp_path, ports=LocalPorts(base=9700))
    settings.flags.write_text(remembered)
    with pytest.raises(LocalCloudError, match=f"type 'make local FLAGS={typed}' first"):
        share(settings, Steps(io.StringIO()), now=datetime.now(UTC))
