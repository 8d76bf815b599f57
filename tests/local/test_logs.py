from pathlib import Path

from local_cloud.supervisor.logs import Follower, rotate


def test_following_begins_with_the_last_lines_and_goes_on_with_new_ones(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("".join(f"line {number}\n" for number in range(50)))
    follower = Follower(paths={"api": log}, lines_before=2)
    assert list(follower.new_lines()) == [("api", "line 48"), ("api", "line 49")]
    with log.open("a") as more:
        more.write("whole\nhal")
    assert list(follower.new_lines()) == [("api", "whole")]
    with log.open("a") as more:
        more.write("f\n")
    assert list(follower.new_lines()) == [("api", "half")]


def test_a_log_that_does_not_exist_yet_is_followed_once_it_does(tmp_path: Path) -> None:
    follower = Follower(paths={"api": tmp_path / "api.log"})
    assert list(follower.new_lines()) == []
    (tmp_path / "api.log").write_text("first\n")
    assert list(follower.new_lines()) == [("api", "first")]


def test_a_full_log_is_moved_aside_while_its_part_writes_on(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with log.open("a") as part:
        part.write("old\n" * 10)
        part.flush()
        follower = Follower(paths={"api": log})
        list(follower.new_lines())
        rotate([log], bytes_max=8)
        part.write("new\n")
    assert (tmp_path / "api.log.1").read_text() == "old\n" * 10
    assert log.read_text() == "new\n"
    assert list(follower.new_lines()) == [("api", "new")]


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("short\n")
    rotate([log], bytes_max=100)
    assert not (tmp_path / "api.log.1").exists()
