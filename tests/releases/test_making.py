"""What becomes of files: collected until they are due, released with whoever consents, refused, or set aside; once, whatever happens."""

import gzip
import json
from dataclasses import fields, replace
from typing import Any

import pytest

from amply.modules.marketplace.domain import OF_DONORS
from amply.modules.sharing.domain import Fact
from amply_lake import shipped_policy
from amply_releases.datasets import built_in
from ledger_format.certificates import open_certificate
from ledger_format.notes import VerifierKey
from tests.lake.lake_world import TestSigner, people
from tests.releases.desk import DAY, FACTS, Desk, facts, message, parquet, policy

DONORS = range(40)


def lines(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in told if line["event"] == event]


def test_the_policy_of_donations_names_what_the_platform_writes() -> None:
    assert (
        {each.name for each in fields(Fact)}
        == set(shipped_policy("donations-v1").columns)
        == set(FACTS.names)
    )


def test_what_donors_gifts_bring_is_shared_by_the_owner_that_they_are_released_under() -> None:
    assert built_in("donations", asked_for=None, is_open=True).owner == OF_DONORS


def test_files_are_collected_until_their_dataset_is_due(desk: Desk) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(range(15)))
    desk.work()
    desk.give("b", facts(range(15, 40)))
    desk.work(days=13.9)
    assert desk.released() == []
    desk.work(days=0.1)
    (revision,) = desk.released()
    assert (revision.number, revision.policy_id, revision.rows) == (1, "donations-v1", 40)
    assert len(revision.files) == 1, "one batch of both files"
    assert desk.states() == {"a": ("released", ""), "b": ("released", "")}
    left = [path for path in desk.loop.parts.scratch.rglob("*") if path.is_file()]
    assert left == [], "no raw fact is kept, and the disk is free for the next dataset"
    assert set(desk.ledgers.dropped) == {"donations"}


def test_what_is_released_is_whole_certified_and_catalogued(desk: Desk) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.wait(days=14)
    (revision,) = desk.released()
    signer = TestSigner()
    note = desk.curated.objects[revision.certificate]
    certificate = open_certificate(note, [VerifierKey(signer.name, signer.public_key)]).certificate
    assert (certificate.dataset, certificate.buyer, certificate.k >= 20) == ("donations", "all", True)
    assert set(desk.curated.objects) == {revision.certificate, *(file.key for file in revision.files)}
    assert {key.rpartition("/")[0] for key in desk.curated.objects} == {"released/donations/000001"}
    assert desk.catalogue.partitions == {("donations", 1): "released/donations/000001/"}
    rows = desk.rows(revision)
    assert set(rows[0]) == set(desk.catalogue.columns["donations"])
    told = {field["name"] for field in json.loads(revision.schema)["fields"]}
    assert told == set(rows[0])
    assert not {"donor_id", "event_id", "gift_id", "amount_minor"} & told
    assert not any("donor1" in str(value) for row in rows for value in row.values())


def test_a_release_that_is_asked_for_does_not_wait_for_its_day(desk: Desk) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.work()
    desk.datasets.asked_for = desk.now
    desk.work(days=0.01)
    assert len(desk.released()) == 1
    desk.work(days=0.01)
    assert len(desk.released()) == 1, "asked for once"


def test_neither_order_nor_number_of_messages_matters(desk: Desk) -> None:
    desk.consent(DONORS)
    keys = [desk.give(name, facts(DONORS[at::2])) for at, name in enumerate(("a", "b"))]
    desk.queue.messages.reverse()
    desk.tell(keys[1])
    desk.tell("donations/dt=2026-11-26/never-was.parquet")
    desk.work()
    desk.tell(keys[0])
    desk.work(days=14)
    for key in keys:
        desk.tell(key)
    desk.work(days=14)
    (revision,) = desk.released()
    assert revision.rows == 40
    assert desk.queue.messages == []


def test_a_file_that_is_written_anew_is_released_as_it_stands(desk: Desk) -> None:
    """As the worker does where somebody withdrew before it was read; rows that were released before are not released again."""
    desk.consent(range(80))
    desk.give("a", facts(DONORS))
    desk.wait(days=14)
    desk.give("a", facts(range(80)))
    desk.wait(days=14)
    assert [revision.rows for revision in desk.released()] == [40, 80]


def test_a_poison_file_is_set_aside_and_holds_back_no_other(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    torn = desk.give("b", facts(DONORS))
    desk.raw.objects[torn] = desk.raw.objects[torn][:-40]
    odd = desk.give("c", facts(DONORS))
    desk.raw.objects[odd] = parquet([{"email": "ada@example.org"}])
    desk.give("d", [])
    _damaged(desk)
    _huge(desk)
    desk.wait(days=14)
    assert [revision.rows for revision in desk.released()] == [40]
    states = desk.states()
    assert states["huge"] == (
        "set_aside",
        "huge.parquet has 2199023255552 bytes, and 1099511627776 may be read; split it",
    )
    assert desk.states("visits") == {"e.csv.gz": ("set_aside", "e.csv.gz is not whole gzip; make it again")}
    assert states["a"] == states["d"] == ("released", "")
    assert states["b"] == ("set_aside", "b.parquet is not whole Parquet; make it again")
    assert states["c"][0] == "set_aside"
    assert "lacks amount_band" in states["c"][1]
    told = lines(capsys, "file_set_aside")
    assert sorted(line["file"] for line in told) == [
        f"dt=2026-11-26/{name}" for name in ("b.parquet", "c.parquet", "e.csv.gz", "huge.parquet")
    ]


def _damaged(desk: Desk) -> None:
    """A gzip file whose head is whole, in a dataset of its own."""
    desk.sell("visits")
    key = f"datasets/visits/{DAY}/e.csv.gz"
    desk.raw.objects[key] = gzip.compress(b"guest\n")[:10] + b"\xff" * 40
    desk.tell(key)


def _huge(desk: Desk) -> None:
    """A file that is larger than may be read: nobody fetches it."""
    key = desk.give("huge", facts(DONORS))
    desk.raw.sizes[key] = 2 << 40


def test_a_file_that_contradicts_those_before_it_is_set_aside_alone(desk: Desk) -> None:
    desk.consent(DONORS)
    for at, name in enumerate("abcd"):
        desk.give(name, facts(DONORS[at::4]))
    desk.give("e", facts([3], cause="sdg9"))
    desk.wait(days=14)
    assert {name: state for name, (state, _) in desk.states().items()} == {
        **dict.fromkeys("abcd", "released"),
        "e": "set_aside",
    }
    assert "two rows that differ have one event_id" in desk.states()["e"][1]
    assert [revision.rows for revision in desk.released()] == [40]


def test_a_file_that_is_gone_is_waited_for_no_longer(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    gone = desk.give("b", facts(range(40, 80)))
    desk.work()
    del desk.raw.objects[gone]
    desk.work(days=14)
    assert desk.states() == {"a": ("released", ""), "b": ("gone", "")}
    assert [line["file"] for line in lines(capsys, "file_gone")] == ["dt=2026-11-26/b.parquet"]


def test_nobody_is_released_who_is_not_given_in_the_table(desk: Desk) -> None:
    """Neither who has withdrawn before, nor who was never told of."""
    desk.consent(range(30))
    desk.consent(range(5), "withdrawn")
    desk.give("a", facts(DONORS))
    desk.wait(days=14)
    (revision,) = desk.released()
    assert revision.rows == 25


def test_a_file_of_which_nobody_may_be_released_is_done(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.consent(DONORS, "withdrawn")
    desk.give("a", facts(DONORS))
    desk.wait(days=14)
    assert desk.states() == {"a": ("released", "")}
    assert desk.released() == []
    assert desk.datasets.refused == {}
    assert lines(capsys, "k_anon_violation") == []


def test_rows_that_come_again_in_another_file_are_no_violation(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.consent(range(80))
    desk.give("a", facts(range(80)))
    desk.wait(days=14)
    desk.give("b", facts(DONORS))
    desk.wait(days=14)
    assert desk.states()["b"] == ("released", "")
    assert [revision.rows for revision in desk.released()] == [80]
    assert lines(capsys, "k_anon_violation") == []


def test_a_release_is_served_as_long_as_its_policy_says(desk: Desk) -> None:
    desk.sell("visits", policy=policy(retention_days={"raw": 90, "anonymised": 5}))
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    desk.give("b", people(range(20), first=100), dataset="visits")
    desk.wait(days=3)
    desk.work(days=1.9)
    assert [revision.number for revision in desk.released("visits")] == [1, 2]
    desk.work(days=0.2)
    assert [revision.number for revision in desk.released("visits")] == [2]
    desk.work(days=3)
    assert desk.released("visits") == []
    assert desk.catalogue.partitions == {}


@pytest.mark.parametrize("is_described", [True, False])
def test_a_release_ends_in_time_where_its_description_cannot_be_read_any_more(
    desk: Desk, *, is_described: bool
) -> None:
    desk.sell("visits", policy=policy(retention_days={"raw": 90, "anonymised": 50}))
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    desk.sell("visits", policy=policy(retention_days={"raw": 90, "anonymised": 5}))
    desk.work(days=0.1)
    if is_described:
        desk.datasets.unreadable["visits"] = "The policy cannot be used."
    else:
        desk.datasets.sources.clear()
    desk.work(days=4.8)
    assert [revision.number for revision in desk.released("visits")] == [1]
    desk.work(days=0.2)
    assert desk.released("visits") == [], "as was said when it could last be read"
    assert desk.catalogue.partitions == {}


def test_files_that_were_not_even_looked_at_are_told_of(desk: Desk) -> None:
    desk.loop.parts = replace(desk.loop.parts, limits=replace(desk.loop.parts.limits, files=1))
    desk.consent(DONORS)
    desk.give("a", facts(range(15)))
    desk.give("b", facts(DONORS))
    desk.wait(days=14)
    assert "only the first 1 files that wait were looked at" in desk.datasets.refused["donations"]


def test_a_violation_releases_nothing_and_is_told_of(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(range(15)))
    desk.wait(days=14)
    (line,) = lines(capsys, "k_anon_violation")
    assert (line["dataset"], line["violations"], line["policy"]) == ("donations", 15, "donations-v1")
    assert desk.released() == []
    assert desk.curated.objects == {}
    assert "15 of 15 rows would have to be left out" in desk.datasets.refused["donations"]
    assert desk.states() == {"a": ("waiting", "")}
    desk.give("b", facts(range(15, 40)))
    desk.wait(days=14)
    assert [revision.rows for revision in desk.released()] == [40], "the same with more"
    assert desk.datasets.refused == {}


def test_another_policy_holds_from_the_next_batch_on(desk: Desk) -> None:
    desk.sell("visits")
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    coarser = policy(id="coarser", k=6)
    desk.sell("visits", policy=coarser)
    desk.give("b", people(range(20), first=100), dataset="visits")
    desk.wait(days=1)
    _, second = desk.released("visits")
    assert len(second.files) == 2
    signer = TestSigner()
    note = desk.curated.objects[second.certificate]
    parts = open_certificate(note, [VerifierKey(signer.name, signer.public_key)]).certificate.parts
    assert [(part.policy, part.demanded_k) for part in parts] == [("small", 3), ("coarser", 6)]


def test_people_in_sellers_datasets_are_not_asked_for_in_the_table_of_donors(desk: Desk) -> None:
    desk.sell("visits")
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    assert [revision.rows for revision in desk.released("visits")] == [20]


def test_a_dataset_that_nobody_has_described_or_that_is_closed_waits(desk: Desk) -> None:
    desk.sell("closed", is_open=False)
    for dataset in ("closed", "unknown"):
        desk.give("a", people(range(20)), dataset=dataset)
    desk.wait(days=1)
    assert desk.released("closed") == desk.released("unknown") == []
    desk.sell("unknown")
    desk.work(days=0.1)
    desk.work(days=1)
    assert len(desk.released("unknown")) == 1


def test_a_description_that_makes_no_sense_is_told_its_owner(desk: Desk) -> None:
    desk.sell("visits")
    desk.give("a", people(range(20)), dataset="visits")
    desk.work()
    desk.datasets.unreadable["visits"] = "The policy cannot be used."
    desk.work(days=1)
    assert desk.datasets.refused["visits"] == "The policy cannot be used."


def test_a_message_that_tells_of_nothing_stays_for_the_queue_to_set_aside(desk: Desk) -> None:
    odd = replace(message("incoming/x"), body="{}")
    desk.queue.messages.append(odd)
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.work()
    assert desk.queue.messages == [odd]
    assert desk.states() == {"a": ("waiting", "")}


def test_a_file_that_nobody_may_look_at_stops_no_other(desk: Desk) -> None:
    refused = desk.give("refused", facts(DONORS))
    desk.give("a", facts(DONORS))
    desk.raw.refused.add(refused)
    desk.work()
    assert desk.states() == {"a": ("waiting", "")}
    assert [refused in told.body for told in desk.queue.messages] == [True], "it comes again"
    desk.raw.refused.clear()
    desk.work()
    assert set(desk.states()) == {"a", "refused"}


def test_a_dataset_that_fails_stops_no_other_and_is_tried_again_later(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.sell("visits")
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.give("a", people(range(20)), dataset="visits")
    desk.work()
    broken = desk.folder / "ledgers" / "donations" / "records"
    broken.mkdir(parents=True, exist_ok=True)
    (broken / "00000000.json").write_text('{"email": "ada@example.org"}')
    desk.work(days=14)
    (line,) = lines(capsys, "release_failed")
    assert (line["dataset"], line["error"]) == ("donations", "LedgerError")
    assert "ada" not in line["why"]
    assert len(desk.released("visits")) == 1
    desk.work(days=0.002)
    assert lines(capsys, "release_failed") == [], "not at once"
    (broken / "00000000.json").unlink()
    desk.work(days=0.01)
    assert len(desk.released()) == 1


def test_more_files_than_a_batch_may_have_become_two(desk: Desk) -> None:
    desk.sell("visits")
    desk.loop.parts = replace(desk.loop.parts, batch_bytes=1)
    desk.give("a", people(range(20)), dataset="visits")
    desk.give("b", people(range(20), first=100), dataset="visits")
    desk.wait(days=1)
    desk.work(days=1)
    assert [revision.rows for revision in desk.released("visits")] == [20, 40]
