"""Killed at any step, a run leaves nothing that looks like a release; the next one goes on and makes the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from amply_lake import FileLedger, LedgerConflict, ReleaseLedger, releasing
from amply_lake.releasing import CERTIFICATE
from tests.lake.lake_world import World, people, policy

BUYERS_FILES = ("part-000001.csv", CERTIFICATE)


class Killed(BaseException):
    """As if the process were gone: nothing that catches errors catches it."""


class DyingLedger:
    """A ledger whose user is killed before or after its n-th step."""

    def __init__(self, ledger: FileLedger, *, step: int, after: bool) -> None:
        self._ledger, self._left, self._after = ledger, step, after

    def _do(self, act: object) -> None:
        self._left -= 1
        if self._left < 0 and not self._after:
            raise Killed
        assert callable(act)
        act()
        if self._left < 0:
            raise Killed

    def records(self, first: int = 0) -> Iterator[bytes]:
        return self._ledger.records(first)

    def append(self, number: int, record: bytes) -> None:
        self._do(lambda: self._ledger.append(number, record))

    def keep(self, name: str, path: Path) -> None:
        self._do(lambda: self._ledger.keep(name, path))

    def fetch(self, name: str) -> Path:
        return self._ledger.fetch(name)


class DyingWorld(World):
    """A world whose ledger kills."""

    dying: DyingLedger | None = None

    @property
    def ledger(self) -> ReleaseLedger:
        return self.dying or super().ledger


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    world = World(tmp_path_factory.mktemp("undisturbed"), policy())
    done = world.released(world.source(people(range(20))))
    return {name: (done.folder / name).read_bytes() for name in BUYERS_FILES}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_killed_at_a_step_of_the_ledger(
    tmp_path: Path, undisturbed: dict[str, bytes], step: int, *, after: bool
) -> None:
    world = DyingWorld(tmp_path, policy())
    source = world.source(people(range(20)))
    world.dying = DyingLedger(FileLedger(tmp_path / "ledger"), step=step, after=after)
    with pytest.raises(Killed):
        world.release(source)
    assert world.made() == []
    world.dying = None
    done = world.released(source)
    assert {name: (done.folder / name).read_bytes() for name in BUYERS_FILES} == undisturbed
    assert len(list(world.ledger.records())) == 2


def test_killed_between_the_certificate_and_the_folders_name(
    tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, policy())
    source = world.source(people(range(20)))

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(releasing, "_named", die)
        with pytest.raises(Killed):
            world.release(source)
    assert world.made() == []
    done = world.released(source)
    assert {name: (done.folder / name).read_bytes() for name in BUYERS_FILES} == undisturbed


def test_of_two_at_a_time_one_is_told_to_ask_again(tmp_path: Path) -> None:
    world = World(tmp_path, policy())
    world.released(world.source(people(range(20))))
    with pytest.raises(LedgerConflict, match="try again"):
        world.ledger.append(0, b"{}")


def test_two_in_one_folder_are_told_so(tmp_path: Path) -> None:
    world = World(tmp_path, policy())
    source = world.source(people(range(20)))
    with (
        releasing._alone(tmp_path / "out" / "gifts" / "buyer"),
        pytest.raises(LedgerConflict, match="somebody else"),
    ):
        world.release(source)
    world.released(source)


def test_what_a_killed_run_has_left_is_cleared_away(tmp_path: Path) -> None:
    world = World(tmp_path, policy())
    left = tmp_path / "out" / "gifts" / "buyer" / ".work" / "release"
    left.mkdir(parents=True)
    (left / "part-000001.csv").write_text("half")
    world.released(world.source(people(range(20))))
    assert not left.parent.exists()
