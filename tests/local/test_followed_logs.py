"""Each whole line of a log is read once, whatever becomes of the log or of its reader."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from local_cloud.emulator.followed_logs import LINE_BYTES_MAX, Follower
from local_cloud.supervisor.logs import rotate


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "api.log"


def write(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def reader(log: Path) -> Follower:
    """One that remembers a life in which there was no log yet."""
    return Follower(log.parent, {})


def restarted(follower: Follower, log: Path) -> Follower:
    """The next one, with what the state file kept of this one."""
    return Follower(log.parent, json.loads(json.dumps(follower.places())))


def the_same(follower: Follower, _log: Path) -> Follower:
    return follower


LIVES = pytest.mark.parametrize("lives_on", [the_same, restarted])


@LIVES
def test_each_line_is_read_once(log: Path, lives_on: Callable[[Follower, Path], Follower]) -> None:
    follower = reader(log)
    assert follower.new_lines("api") == []
    write(log, "one\ntwo\n")
    assert follower.new_lines("api") == ["one", "two"]
    follower = lives_on(follower, log)
    assert follower.new_lines("api") == []
    write(log, "three\n")
    assert follower.new_lines("api") == ["three"]


@LIVES
def test_a_line_is_read_when_it_is_whole(log: Path, lives_on: Callable[[Follower, Path], Follower]) -> None:
    follower = reader(log)
    write(log, "one\nha")
    assert follower.new_lines("api") == ["one"]
    follower = lives_on(follower, log)
    write(log, "lf\n")
    assert follower.new_lines("api") == ["half"]


@LIVES
@pytest.mark.parametrize("after", ["", "new\n", "new\n" * 40])
def test_what_a_full_log_held_unread_is_read_before_what_came_after_it(
    log: Path, after: str, lives_on: Callable[[Follower, Path], Follower]
) -> None:
    """Though the emptied log has grown beyond what was read of the full one."""
    follower = reader(log)
    write(log, "".join(f"read {number}\n" for number in range(10)))
    follower.new_lines("api")
    write(log, "unread\nunended")
    follower = lives_on(follower, log)
    rotate([log], bytes_max=1)
    write(log, after)
    found = follower.new_lines("api")
    follower = lives_on(follower, log)
    write(log, "last\n")
    assert [*found, *follower.new_lines("api")] == ["unread", *after.split(), "last"]


def test_of_a_log_that_was_full_twice_the_present_one_is_read(log: Path) -> None:
    follower = reader(log)
    write(log, "read\n" * 10)
    follower.new_lines("api")
    for text in ("lost\n" * 20, "older\n" * 20):
        rotate([log], bytes_max=1)
        write(log, text)
    rotate([log], bytes_max=1)
    write(log, "present\n")
    assert follower.new_lines("api") == ["present"]


def test_a_log_that_was_made_anew_is_read_from_its_start(log: Path) -> None:
    follower = reader(log)
    write(log, "one\n" * 10)
    follower.new_lines("api")
    log.unlink()
    assert follower.new_lines("api") == []
    write(log, "anew\n")
    assert follower.new_lines("api") == ["anew"]


@LIVES
def test_a_line_that_is_too_long_is_passed_over_and_the_next_one_read(
    log: Path, lives_on: Callable[[Follower, Path], Follower]
) -> None:
    follower = reader(log)
    write(log, "one\n" + "x" * (3 * LINE_BYTES_MAX))
    found = follower.new_lines("api")
    follower = lives_on(follower, log)
    write(log, "x\ntwo\n")
    found += follower.new_lines("api")
    found += follower.new_lines("api")
    assert found == ["one", "two"]


def test_one_look_reads_so_much_and_the_next_one_goes_on(log: Path) -> None:
    line = "x" * 1023
    write(log, f"{line}\n" * 2000)
    follower = reader(log)
    looks = [len(follower.new_lines("api")) for _ in range(3)]
    assert sum(looks) == 2000
    assert 1000 < looks[0] <= 4 * LINE_BYTES_MAX // 1024


def test_whoever_remembers_nothing_begins_at_the_end_of_what_is_there(log: Path) -> None:
    write(log, "old\n")
    follower = Follower(log.parent, None)
    write(log, "new\n")
    write(log.with_name("worker.log"), "first\n")
    assert follower.new_lines("api") == ["new"]
    assert follower.new_lines("worker") == ["first"]


def test_what_was_passed_over_is_not_read_later(log: Path) -> None:
    follower = reader(log)
    for text in ("one\n", "two\n"):
        write(log, text)
        follower.pass_over("api")
    write(log, "three\n")
    assert follower.new_lines("api") == ["three"]


def test_what_is_no_text_does_not_stop_the_reader(log: Path) -> None:
    log.write_bytes(b"\xff\xfe\none\n")
    assert reader(log).new_lines("api") == ["��", "one"]
