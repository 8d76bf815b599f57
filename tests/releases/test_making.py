"""What becomes of files: collected until they are due, released with whoever consents, refused, or set aside; once, whatever happens."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from amply.modules.marketplace.domain import OF_DONORS
from amply.modules.sharing.domain import Fact
from amply_lake import shipped_policy
from amply_lake.history import History
from amply_releases.datasets import Source, built_in
from amply_releases.ports import Revision
from ledger_format.certificates import open_certificate
from ledger_format.notes import VerifierKey
from tests.lake.lake_world import TestSigner, people
from tests.releases import memory
from tests.releases.desk import DAY, FACTS, Desk, facts, message, parquet, policy
from tests.releases.test_killed import SHOWN_AGAIN

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


def test_a_withdrawal_takes_its_cell_and_ends_what_was_released_before(desk: Desk) -> None:
    desk.consent(range(200))
    desk.give("a", facts(range(200)))
    desk.wait(days=14)
    assert [revision.rows for revision in desk.released()] == [200]
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    (revision,) = desk.released()
    assert revision.number == 2, "without waiting for its day, and the first is served no more"
    assert 200 - 60 <= revision.rows <= 200 - 20
    desk.work(days=1)
    assert [revision.number for revision in desk.released()] == [2], "nothing has changed since"


def _released_and_withdrawn(desk: Desk, numbers: Sequence[int]) -> None:
    """Some facts are out, and so many of their donors do not want that any more."""
    desk.consent(range(200))
    desk.give("a", facts(DONORS if numbers is DONORS else range(200)))
    desk.wait(days=14)
    desk.consent(numbers, "withdrawn", on=desk.now.date())


def test_where_everybody_has_withdrawn_nothing_is_served(desk: Desk) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.wait(days=14)
    desk.consent(DONORS, "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    assert desk.released() == []


def test_where_everybody_has_withdrawn_it_is_said_and_nobody_is_called(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    _released_and_withdrawn(desk, DONORS)
    desk.work(days=0.3)
    assert "people in every cell have withdrawn" in desk.datasets.refused["donations"]
    assert lines(capsys, "k_anon_violation") == []


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


def test_no_earlier_revision_is_hidden_by_one_that_was_taken_back_by_hand(desk: Desk) -> None:
    desk.consent(range(200))
    for name, first in (("a", 0), ("b", 70), ("c", 140)):
        desk.give(name, facts(range(first, first + 60)))
        desk.wait(days=14)
    desk.datasets.taken_back.add(("donations", 2))
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    assert [revision.number for revision in desk.released()] == [4]
    assert list(desk.catalogue.partitions) == [("donations", 4)], "nor is it asked for by SQL"


def test_what_a_killed_release_left_half_shown_is_taken_back_too(desk: Desk) -> None:
    """Its number was decided and its item written, and buyers were not led there yet."""
    _released_and_withdrawn(desk, [7])
    desk.dying.left, desk.dying.after = SHOWN_AGAIN, True
    with pytest.raises(memory.Killed):
        desk.work(days=0.3)
    desk.dying.left = None
    assert [revision.number for revision in desk.released()] == [2]
    desk.consent(range(200), "withdrawn", on=desk.now.date())
    desk.start()
    desk.work(days=0.3)
    assert desk.released() == []


def test_a_revision_that_appears_after_cells_of_it_were_withheld_is_served_to_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process found nothing to take back, and need not look at its number again."""
    publish = desk.datasets.publish

    def late(source: Source, revision: Revision) -> None:
        History.read(desk.ledgers.of("donations"), "donations").append("withheld", cells={"1": [0]})
        desk.datasets.keep_from("donations", 2)
        publish(source, revision)

    monkeypatch.setattr(desk.datasets, "publish", late)
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.wait(days=14)
    assert list(desk.datasets.revisions) == [("donations", 1)]
    assert desk.released() == []
    assert desk.catalogue.partitions == {}


def test_what_stops_a_release_stops_no_withdrawal(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    _released_and_withdrawn(desk, [7])
    desk.give("b", facts(range(200, 240)))
    desk.raw.unfetched = True
    desk.wait(days=14)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["PermissionError"]
    assert [revision.number for revision in desk.released()] == [2]
    assert desk.states()["b"] == ("waiting", "")


def test_what_fails_once_a_release_is_published_stops_no_withdrawal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _released_and_withdrawn(desk, [7])
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))

    def away(*_: object, **__: object) -> None:
        raise ConnectionError

    desk.work()
    monkeypatch.setattr(desk.datasets, "decide", away)
    desk.work(days=14)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["ConnectionError"]
    assert [revision.number for revision in desk.released()] == [2]
    assert desk.datasets.standings["donations"].withdrawals_at == desk.now


def test_where_no_release_can_take_its_place_what_people_withdrew_from_is_served_no_more(desk: Desk) -> None:
    _released_and_withdrawn(desk, [7])
    desk.catalogue.is_away = True
    desk.work(days=0.3)
    assert desk.released() == []
    desk.catalogue.is_away = False
    desk.work(days=0.1)
    assert [revision.number for revision in desk.released()] == [2]


@pytest.mark.parametrize("lost", [0, 1])
def test_a_batch_that_cannot_be_read_holds_up_no_withdrawal_from_another(
    desk: Desk, lost: int, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.consent(range(200))
    for name, first in (("a", 0), ("b", 100)):
        desk.give(name, facts(range(first, first + 100)))
        desk.wait(days=14)
    history = History.read(desk.ledgers.of("donations"), "donations")
    kept = desk.folder / "ledgers" / "donations" / "files" / history.batches[lost].file
    away = kept.rename(desk.folder / "away")
    in_the_other = 7 if lost else 107
    desk.consent([in_the_other], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["LedgerError"]
    assert desk.released() == []
    away.rename(kept)
    desk.work(days=0.1)
    (revision,) = desk.released()
    assert 200 - 60 <= revision.rows <= 200 - 20


def test_a_description_that_cannot_be_read_closes_to_what_is_new_and_stops_no_withdrawal(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    _released_and_withdrawn(desk, [7])
    desk.give("b", facts(range(200, 240)))
    desk.consent(range(200, 240))
    desk.datasets.unreadable["donations"] = "It cannot be read."
    tried_at = desk.datasets.standings["donations"].tried_at
    desk.wait(days=15)
    assert [revision.number for revision in desk.released()] == [2]
    assert desk.states()["b"] == ("waiting", "")
    assert desk.datasets.refused["donations"] == "It cannot be read."
    assert len(lines(capsys, "release_refused")) == 1, "once, and not each minute"
    assert desk.datasets.standings["donations"].tried_at == tried_at, "its day comes no later"
    desk.datasets.unreadable.clear()
    desk.work(days=0.1)
    assert desk.states()["b"] == ("released", "")


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


def test_a_refused_batch_holds_no_withdrawal_up(desk: Desk) -> None:
    desk.consent(range(200))
    desk.give("a", facts(range(200)))
    desk.wait(days=14)
    desk.give("b", facts(range(200, 205)))
    desk.consent(range(200, 205))
    desk.consent([7], "withdrawn", on=(desk.now + timedelta(days=14)).date())
    desk.wait(days=14)
    assert "would have to be left out" in desk.datasets.refused["donations"]
    assert [revision.number for revision in desk.released()] == [2]


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
