"""What sellers' pages read, held against the emulated cloud and against what stands for it in other tests."""

import uuid
from collections.abc import Iterator

import boto3
import pytest

from amply.modules.seller_portal import Dependencies, TablesAway
from tests.backend.seller_data import CloudSellerData, FakeSellerData, SellerData, certificate_text

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture(params=["in memory", "emulated"])
def stall(request: pytest.FixtureRequest) -> Iterator[SellerData]:
    if request.param == "in memory":
        yield FakeSellerData()
    else:
        request.getfixturevalue("cloud")
        yield CloudSellerData(uuid.uuid4().hex)


def test_an_owner_finds_their_datasets_by_name_a_page_at_a_time(stall: SellerData) -> None:
    for name in ("cafes", "bakeries", "arcades", "dairies"):
        stall.source(name, owner="org_1", state="closed" if name == "dairies" else "open")
    stall.dataset("bakeries", owner="org_1", latest=4)
    stall.dataset("cafes", owner="org_1", refused="too few people")
    stall.source("theirs", owner="org_2")
    tables = stall.parts().tables
    first = tables.datasets("org_1", after=None, limit=3)
    assert [(each.dataset_id, each.kind, each.latest, each.refused) for each in first] == [
        ("arcades", "", 0, None),
        ("bakeries", "gifts", 4, None),
        ("cafes", "gifts", 0, "too few people"),
    ]
    assert {(each.state, each.owner) for each in first} == {("open", "org_1")}
    (rest,) = tables.datasets("org_1", after="cafes", limit=3)
    assert (rest.dataset_id, rest.state) == ("dairies", "closed")
    assert tables.datasets("org_3", after=None, limit=3) == []


def test_a_dataset_is_there_by_what_is_handed_in_or_by_what_is_released(stall: SellerData) -> None:
    stall.dataset("donations", owner="amply", latest=1)
    tables = stall.parts().tables
    found = tables.dataset("donations")
    assert found is not None
    assert (found.owner, found.state, found.title) == ("amply", None, "About donations")
    assert tables.dataset("nothing") is None


def test_releases_come_newest_first_and_withdrawn_ones_say_so(stall: SellerData) -> None:
    stall.dataset("cafes", owner="org_1", latest=6)
    for number in (1, 2, 3, 4, 6):
        stall.release("cafes", number, withdrawn=number == 4)
    stall.never_shown("cafes", 5)
    parts = stall.parts()
    dataset = parts.tables.dataset("cafes")
    assert dataset is not None
    newest = parts.tables.releases(dataset, before=None, limit=3)
    assert [each.number for each in newest] == [6, 4, 3], "one that ended before it was shown is none"
    assert parts.tables.release("cafes", 5) is None
    assert [each.withdrawn_at is None for each in newest] == [True, False, True]
    assert (newest[0].rows, newest[0].k, newest[0].l_min, newest[0].policy) == (4120, 21, 3, "donations-v1")
    assert [each.number for each in parts.tables.releases(dataset, before=3, limit=3)] == [2, 1]
    assert parts.tables.releases(dataset, before=1, limit=3) == []
    assert parts.tables.release("cafes", 7) is None


def test_a_certificate_is_read_where_its_release_says(stall: SellerData) -> None:
    stall.release("cafes", 2)
    parts = stall.parts()
    release = parts.tables.release("cafes", 2)
    assert release is not None
    assert parts.certificates.read(release.place) == certificate_text("cafes", 2).encode()
    assert parts.certificates.read("released/cafes/000003/certificate") is None


def test_use_comes_by_month_and_contract_the_newest_first(stall: SellerData) -> None:
    for month, contract, answers in (
        ("2026-09", "dct_a", 1),
        ("2026-10", "dct_a", 2),
        ("2026-10", "dct_b", 3),
    ):
        stall.use("cafes", month, contract, answers=answers)
    stall.use("others", "2026-10", "dct_a", answers=9)
    tables = stall.parts().tables
    newest = tables.uses("cafes", before=None, limit=2)
    assert [(each.month, each.contract_id, each.answers) for each in newest] == [
        ("2026-10", "dct_b", 3),
        ("2026-10", "dct_a", 2),
    ]
    assert (newest[0].files, newest[0].size_bytes) == (6, 3000)
    (rest,) = tables.uses("cafes", before=("2026-10", "dct_a"), limit=2)
    assert (rest.month, rest.answers) == ("2026-09", 1)


def test_shares_are_those_of_whoever_is_credited_the_newest_period_first(stall: SellerData) -> None:
    for number, period in enumerate(("2026-08", "2026-09", "2026-10")):
        stall.share("org_1", period, f"ent_{number}#0", 500 + number)
    stall.share("org_1", "2026-11", "ent_9#0", -502)
    stall.share("org_2", "2026-10", "ent_7#0", 1)
    tables = stall.parts().tables
    newest = tables.shares("org_1", before=None, limit=2)
    assert [(each.period, each.amount.minor_units, each.entry_id) for each in newest] == [
        ("2026-11", -502, "ent_9"),
        ("2026-10", 502, "ent_2"),
    ]
    last = newest[-1]
    rest = tables.shares("org_1", before=(last.period, last.transfer_id), limit=5)
    assert [each.period for each in rest] == ["2026-09", "2026-08"]


def test_more_than_one_question_holds_is_asked_in_several(cloud: str) -> None:
    """DynamoDB answers for a hundred keys at a time."""
    del cloud
    stall = CloudSellerData(uuid.uuid4().hex)
    for number in range(60):
        stall.source(f"d{number:03d}", owner="org_1")
        stall.dataset(f"d{number:03d}", owner="org_1", latest=number)
    found = stall.parts().tables.datasets("org_1", after=None, limit=101)
    assert [each.latest for each in found] == list(range(60))


def test_tables_that_do_not_answer_are_away(cloud: str) -> None:
    del cloud
    stall = CloudSellerData(uuid.uuid4().hex)
    parts: Dependencies = stall.parts()
    for table in stall._names.values():
        boto3.client("dynamodb").delete_table(TableName=table)
    boto3.client("s3").delete_bucket(Bucket=stall.bucket)
    for ask in (
        lambda: parts.tables.datasets("org_1", after=None, limit=1),
        lambda: parts.tables.uses("cafes", before=None, limit=1),
        lambda: parts.tables.shares("org_1", before=None, limit=1),
        lambda: parts.certificates.read("released/cafes/000001/certificate"),
    ):
        with pytest.raises(TablesAway, match="ask again in a moment"):
            ask()
