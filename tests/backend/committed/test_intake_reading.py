"""The worker's part of what is handed in: killed, twice at once, with files that are no good, and telling of datasets."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from amply.entrypoints import task_names
from amply.entrypoints.ingestion_tasks import ingestion_tasks
from amply.modules import ingestion
from amply.modules.ingestion import reading_jobs as worker
from tests.backend.committed.test_intake import GOOD, LINES, accepted, code, submit
from tests.backend.intake_world import (
    COLUMNS,
    FakeTable,
    add_dataset,
    ask_beside,
    hand_in,
    read_all,
    shown,
    taking,
    upload,
)
from tests.backend.member_world import House


@pytest.mark.parametrize(
    "dies", ["before quarantine", "after quarantine", "before datasets", "after datasets"]
)
def test_killed_around_a_file_the_next_look_writes_the_same_once(house: House, dies: str) -> None:
    dataset_id = add_dataset(house)
    job_id = hand_in(house, dataset_id, LINES)
    house.intake.dies = dies
    with pytest.raises(KeyboardInterrupt):
        read_all(house)
    before = accepted(house)
    assert bool(before) == (dies == "after datasets"), "accepted rows are the last to be seen"
    found = shown(house, job_id)
    assert (found["state"], found["rows_read"], found["reasons"]) == ("waiting", None, {})
    assert read_all(house) == 0, "it is not read again at once: somebody may be reading it"
    assert read_all(house, minutes=11) == 1
    assert shown(house, job_id)["rows_accepted"] == 1
    assert len(accepted(house)) == 1
    assert before in ({}, accepted(house))
    assert len(house.intake.files) == 2, "the refused rows beside them"


@pytest.mark.parametrize("then", ["its file is gone", "its attempts are used up"])
def test_nobody_is_told_that_nothing_was_accepted_of_what_can_be_seen(house: House, then: str) -> None:
    job_id = hand_in(house, add_dataset(house), LINES)
    house.intake.dies = "after datasets"
    with pytest.raises(KeyboardInterrupt):
        read_all(house)
    if then == "its file is gone":
        house.intake.kept.clear()
    else:
        house.run("UPDATE ingest_job SET attempts = 5")
    assert read_all(house, minutes=11) == 1
    found = shown(house, job_id)
    assert (found["state"], found["rows_read"], found["rows_accepted"]) == ("done", 3, 1)
    assert (found["reasons"], found["has_quarantine"]) == ({"not_json": 1, "out_of_range": 1}, True)
    assert house.intake.opened == 1, "it was read already"


def test_a_file_is_given_up_only_by_who_has_seen_that_nothing_of_it_is_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = hand_in(house, add_dataset(house), LINES)
    house.intake.dies = "before datasets"
    with pytest.raises(KeyboardInterrupt):
        read_all(house)
    house.run("UPDATE ingest_job SET attempts = 5")

    def falls(_path: str) -> bool:
        raise OSError("away")

    with monkeypatch.context() as away, capture_logs() as logs:
        away.setattr(house.intake, "has", falls)
        assert read_all(house, minutes=11) == 0
    assert shown(house, job_id)["state"] == "waiting"
    assert [line["event"] for line in logs] == ["file_given_up", "file_not_read"], (
        "somebody hears of it, though the bucket refuses for good to say what is there"
    )
    assert read_all(house, days=1) == 1
    found = shown(house, job_id)
    assert (found["refused"], found["rows_read"], found["reasons"]) == ("not_read", None, {})
    assert accepted(house) == {}


def test_rows_of_a_file_that_was_given_up_meanwhile_never_come_to_be_seen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = hand_in(house, add_dataset(house), LINES)
    write = worker._write_quarantine

    def given_up_meanwhile(*of: Any) -> None:
        write(*of)
        house.run("UPDATE ingest_job SET attempts = 5")
        assert read_all(house, minutes=11) == 1

    monkeypatch.setattr(worker, "_write_quarantine", given_up_meanwhile)
    assert read_all(house) == 0
    assert shown(house, job_id)["refused"] == "not_read"
    assert accepted(house) == {}


def test_each_file_of_a_batch_begins_at_its_own_moment(house: House) -> None:
    """The first one takes long. While the second one is read, another worker begins it no second time."""
    dataset_id = add_dataset(house)
    for key in ("first", "second"):
        hand_in(house, dataset_id, GOOD, key=key)
    beside: list[int] = []

    def second() -> None:
        house.intake.meanwhile = lambda: None
        house.clock.advance(minutes=9, seconds=30)
        beside.append(read_all(house))

    def first() -> None:
        house.clock.advance(seconds=50)
        house.intake.meanwhile = second

    house.intake.meanwhile = first
    assert read_all(house) == 2
    assert beside == [0]


def test_no_further_file_is_begun_once_a_minute_has_passed(house: House) -> None:
    dataset_id = add_dataset(house)
    for number in range(4):
        hand_in(house, dataset_id, GOOD, key=f"file-{number}")
    house.intake.meanwhile = lambda: house.clock.advance(seconds=30)
    assert read_all(house) == 2
    assert read_all(house) == 2, "they are read in the next turn"


def _order(house: House, seconds: int = 61) -> list[str]:
    """Which jobs the worker finishes, one a turn, until none is left."""
    house.intake.meanwhile = lambda: house.clock.advance(seconds=seconds)
    finished: list[str] = []
    while read_all(house):
        (last,) = house.rows("SELECT id FROM ingest_job ORDER BY finished_at DESC NULLS LAST LIMIT 1")
        finished.append(last.id)
    return finished


def test_a_place_that_was_made_early_passes_no_file_that_came_before_its_own(house: House) -> None:
    early = upload(house, add_dataset(house), GOOD.encode())
    house.clock.advance(minutes=5)
    first, second = _of_another(house)
    house.clock.advance(minutes=1)
    submit(house, job_id=early)
    assert _order(house) == [first, early, second]


def test_organisations_take_turns_however_many_files_one_hands_in(house: House) -> None:
    many = [hand_in(house, add_dataset(house), GOOD, key="0")]
    dataset_id = shown(house, many[0])["dataset_id"]
    for number in range(1, 4):
        house.clock.advance(seconds=1)
        many.append(hand_in(house, dataset_id, GOOD, key=str(number)))
    house.clock.advance(seconds=1)
    others = _of_another(house)
    assert _order(house) == [many[0], others[0], many[1], others[1], many[2], many[3]]


def _of_another(house: House) -> list[str]:
    """Two files of another organisation."""
    who = {"by": "usr_stranger", "of": house.other_id}
    source = ask_beside(house, "POST", "/v1/sources", json={"title": "Till"}, **who).json()["id"]
    said = {"source_id": source, "title": "Visits", "class": "pos", "columns": list(COLUMNS)}
    dataset_id = ask_beside(house, "POST", "/v1/datasets", json=said, **who).json()["id"]
    made = []
    for number in range(2):
        house.clock.advance(seconds=1)
        answer = ask_beside(
            house,
            "POST",
            "/v1/ingest/submit",
            json={"dataset_id": dataset_id, "content": GOOD},
            headers={"Idempotency-Key": f"another-{number}"},
            **who,
        )
        assert answer.status_code == 202, answer.text
        made.append(answer.json()["id"])
    return made


def test_a_turn_beside_one_at_work_reads_nothing(house: House) -> None:
    dataset_id = add_dataset(house)
    for key in ("first", "second"):
        hand_in(house, dataset_id, GOOD, key=key)
    turn = dict(ingestion_tasks(taking(house), house.clock))[task_names.READ_FILES]
    beside: list[int] = []

    def meanwhile() -> None:
        before = house.intake.opened
        turn()
        beside.append(house.intake.opened - before)

    house.intake.meanwhile = meanwhile
    turn()
    assert beside == [0, 0]
    assert len(accepted(house)) == 2


def test_a_turn_that_failed_holds_back_no_later_one(house: House) -> None:
    hand_in(house, add_dataset(house), GOOD)
    turn = dict(ingestion_tasks(taking(house), house.clock))[task_names.READ_FILES]
    house.intake.dies = "before datasets"
    with pytest.raises(KeyboardInterrupt):
        turn()
    house.clock.advance(minutes=11)
    turn()
    assert len(accepted(house)) == 1


def test_a_file_that_cannot_be_taken_away_is_taken_away_later(house: House) -> None:
    hand_in(house, add_dataset(house), GOOD)
    (handed_in,) = house.intake.kept
    house.intake.stuck.add(handed_in)
    assert read_all(house) == 1
    assert set(house.intake.kept) == {handed_in}
    house.intake.stuck.clear()
    assert read_all(house, minutes=2) == 0
    assert house.intake.kept == {}


def test_two_who_read_the_same_file_come_to_the_same(house: House) -> None:
    job_id = hand_in(house, add_dataset(house), LINES)
    house.intake.meanwhile = lambda: _once(house)
    assert read_all(house) == 0, "the other one was quicker"
    assert shown(house, job_id)["rows_read"] == 3
    assert len(accepted(house)) == 1


def _once(house: House) -> None:
    house.intake.meanwhile = lambda: None
    assert read_all(house, minutes=11) == 1


def test_a_file_that_is_no_good_ends_its_job_and_holds_back_no_other(house: House) -> None:
    dataset_id = add_dataset(house)
    poison = upload(house, dataset_id, b"\x1f\x8b broken", compression="gzip")
    submit(house, job_id=poison)
    good = hand_in(house, dataset_id, GOOD)
    assert read_all(house) == 2
    found = shown(house, poison)
    assert (found["state"], found["refused"], found["rows_read"]) == ("refused", "not_whole", None)
    assert shown(house, good)["state"] == "done"
    assert code(ask_beside(house, "POST", f"/v1/jobs/{poison}/links")) == (409, "no_quarantine")


def test_a_file_of_bad_rows_alone_writes_no_rows_and_one_with_too_many_tells_of_some(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = add_dataset(house)
    bad = hand_in(house, dataset_id, "x\ny\n", key="bad")
    assert read_all(house) == 1
    assert shown(house, bad)["rows_accepted"] == 0
    assert accepted(house) == {}
    monkeypatch.setattr("amply.modules.ingestion.reading.QUARANTINED_MAX", 2)
    many = hand_in(house, dataset_id, f"{GOOD}\nx\ny\nz\n", key="many")
    assert read_all(house) == 1
    found = shown(house, many)
    assert (found["refused"], found["reasons"], found["has_quarantine"]) == (
        "too_many_bad_rows",
        {"not_json": 2},
        True,
    )
    assert accepted(house) == {}


@pytest.mark.parametrize("way", ["it raises", "it brings the process down"])
def test_what_cannot_be_read_again_and_again_is_given_up(
    house: House, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = hand_in(house, add_dataset(house), GOOD)
    error = OSError("away") if way == "it raises" else KeyboardInterrupt()

    def falls(*_: object) -> None:
        raise error

    monkeypatch.setattr(worker, "_taken", falls)
    for turn in range(5):
        house.clock.advance(days=1)
        if isinstance(error, KeyboardInterrupt):
            with pytest.raises(KeyboardInterrupt):
                read_all(house)
        else:
            read_all(house)
        assert shown(house, job_id)["state"] == "waiting", turn
    house.clock.advance(days=1)
    with capture_logs() as logs:
        read_all(house)
    assert shown(house, job_id)["refused"] == "not_read"
    assert [(line["event"], line["job_id"]) for line in logs] == [("file_given_up", job_id)]


def test_a_file_that_is_gone_before_it_is_read_says_so(house: House) -> None:
    job_id = hand_in(house, add_dataset(house), GOOD)
    house.intake.kept.clear()
    assert read_all(house) == 1
    assert shown(house, job_id)["refused"] == "gone"


def test_links_end_with_the_file_of_refused_rows_and_jobs_with_what_they_accepted(house: House) -> None:
    job_id = hand_in(house, add_dataset(house), LINES)
    assert read_all(house) == 1
    house.clock.advance(days=30)
    assert code(ask_beside(house, "POST", f"/v1/jobs/{job_id}/links")) == (409, "no_quarantine")
    house.clock.advance(days=61)
    read_all(house)
    assert code(ask_beside(house, "GET", f"/v1/jobs/{job_id}")) == (404, "job_not_found")


def test_those_who_make_releases_are_told_what_a_dataset_is_and_each_change_of_it(house: House) -> None:
    table = FakeTable(is_away=True)
    dataset_id = add_dataset(house)

    def tell(**later: float) -> int:
        house.clock.advance(**later)
        return ingestion.tell_datasets(taking(house, table=table), now=house.clock())

    assert tell() == 0
    table.is_away = False
    assert tell(minutes=10) == 1
    told = table.items[dataset_id]
    assert (told.owner, told.title, told.kind, told.version) == (house.organization_id, "Visits", "pos", 1)
    assert (told.release_every_days, told.is_open) == (30, True)
    assert json.loads(told.policy)["columns"]["guest"] == {"role": "person", "publish_as": "visitor"}
    assert tell(minutes=10) == 0
    path = f"/v1/datasets/{dataset_id}"
    tag = ask_beside(house, "GET", path).headers["ETag"]
    ask_beside(house, "PATCH", path, json={"state": "closed"}, headers={"If-Match": tag})
    assert tell() == 1
    assert (table.items[dataset_id].version, table.items[dataset_id].is_open) == (2, False)
