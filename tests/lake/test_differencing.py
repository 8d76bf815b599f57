"""What two releases, or many, tell together: whoever compares them never finds fewer than k people."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amply_lake import LedgerError, Release, Violation
from tests.hypothesis_profiles import examples
from tests.lake.lake_world import World, people, policy, rows_of

K = 3


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, policy())


Rows = Counter[tuple[tuple[str, str], ...]]


def values(done: Release) -> Rows:
    """A release's rows by what they say, pseudonyms included: these are the same for a buyer as long as a row stays."""
    return Counter(tuple(sorted(row.items())) for row in rows_of(done))


def of_column(rows: Rows, column: str) -> set[str]:
    return {dict(row)[column] for row in rows}


def donors(rows: Rows) -> int:
    return len(of_column(rows, "donor"))


def test_a_newcomer_waits_until_k_have_come(world: World) -> None:
    first = world.released(world.source(people(range(20))))
    late = world.source(people([30]))
    assert isinstance(world.release(late), Violation)
    assert world.released().folder == first.folder
    done = world.released(late, world.source(people([31, 32])))
    assert donors(values(done) - values(first)) == 3
    assert not values(first) - values(done)


def test_who_withdraws_takes_a_whole_cell_along(world: World) -> None:
    first = world.released(world.source(people(range(40))))
    done = world.released(withdrawn={"person_7"})
    gone, come = values(first) - values(done), values(done) - values(first)
    assert not come
    assert donors(gone) >= K
    assert len(of_column(gone, "amount")) >= 2
    assert done.certificate.rows < first.certificate.rows
    assert done.certificate.parts[0].withheld == 1


def test_every_cell_is_of_k_people_with_l_values(world: World) -> None:
    """Drawn by chance, some of fifty cells of six would have fewer than three, or one value."""
    world.released(world.source(people(range(300))))
    (batch,) = (world.folder / "ledger" / "files").iterdir()
    members: defaultdict[int, set[str]] = defaultdict(set)
    amounts: defaultdict[int, set[str]] = defaultdict(set)
    for row in pq.read_table(batch).to_pylist():
        members[row["_cell"]].add(row["_member"])
        amounts[row["_cell"]].add(row["amount"])
    assert len(members) > 30
    assert min(map(len, members.values())) >= K
    assert min(map(len, amounts.values())) >= 2


def test_a_class_is_more_than_its_cells_so_that_not_all_go_with_one(world: World) -> None:
    first = world.released(world.source(people(range(200))))
    done = world.released(withdrawn={"person_7"})
    assert done.certificate.rows > first.certificate.rows * 0.8


def test_what_is_gone_stays_gone_for_every_buyer(world: World) -> None:
    world.released(world.source(people(range(40))), buyer="one")
    without = world.released(buyer="one", withdrawn={"person_7"})
    other = world.released(buyer="two", withdrawn={"person_7"})
    later = world.released(buyer="one")  # whoever forgets to say it again changes nothing
    assert other.certificate.rows == without.certificate.rows == later.certificate.rows


def test_who_has_withdrawn_before_is_in_no_batch(world: World) -> None:
    done = world.released(world.source(people(range(20))), withdrawn={"person_7"})
    assert done.certificate.parts[0].people == 19


def test_of_whom_nothing_is_known_is_in_no_new_batch_and_stays_in_those_before(world: World) -> None:
    """Nobody says that they withdrew, and what is withheld is withheld for good."""
    first = world.released(world.source(people(range(20))))
    done = world.released(world.source(people(range(30), first=100)), absent={"person_7", "person_25"})
    assert not values(first) - values(done)
    assert [(part.people, part.withheld) for part in done.certificate.parts] == [(20, 0), (28, 0)]
    assert world.released(withdrawn={"person_7"}).certificate.parts[0].withheld == 1, "said later, it holds"


def test_all_that_withdraw_leave_nothing_and_no_release(world: World) -> None:
    world.released(world.source(people(range(5))))
    done = world.release(withdrawn={f"person_{number}" for number in range(5)})
    assert isinstance(done, Violation)
    assert "withdrawn" in done.reason


def test_a_snapshot_that_comes_again_with_one_more_shows_nobody(world: World) -> None:
    """The classic: last month's class less this month's is one person. Rows that were released are not released again."""
    first = world.released(world.source(people(range(20))))
    done = world.release(world.source(people(range(21))))
    assert isinstance(done, Violation)
    assert world.released().folder == first.folder


def test_rows_that_come_twice_are_released_once(world: World) -> None:
    rows = people(range(20))
    assert world.released(world.source([*rows, *rows])).certificate.rows == 20


def test_another_policy_holds_for_what_is_new_and_cuts_nothing_again(world: World) -> None:
    first = world.released(world.source(people(range(20))))
    world.policy = policy(id="smaller", k=5)
    done = world.released(world.source(people(range(30, 50))))
    assert not values(first) - values(done)
    assert [part.policy for part in done.certificate.parts] == ["small", "smaller"]
    assert done.certificate.parts[0].sha256 == first.certificate.parts[0].sha256


def test_certificates_of_a_buyer_are_a_chain(world: World) -> None:
    first = world.released(world.source(people(range(20))))
    second = world.released(world.source(people(range(30, 50))))
    assert first.certificate.previous is None
    assert second.certificate.previous is not None
    assert second.certificate.release == 2


@settings(max_examples=examples(day=3, night=40), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sets(st.integers(0, 60), max_size=3)), min_size=2, max_size=4)
)
def test_no_two_releases_ever_differ_by_fewer_than_k_people(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, set[int]]]
) -> None:
    world = World(tmp_path_factory.mktemp("steps"), policy())
    releases: list[Release] = []
    withdrawn: set[str] = set()
    begin = 0
    for newcomers, leavers in steps:
        sources = [world.source(people(range(begin, begin + newcomers)))] if newcomers else []
        withdrawn |= {f"person_{number}" for number in leavers}
        done = world.release(*sources, withdrawn=withdrawn) if sources or releases else None
        if isinstance(done, Release):
            releases.append(done)
            begin += newcomers
        elif done is not None and newcomers:
            begin += newcomers  # they came, and were too few
    for at, earlier in enumerate(releases):
        for later in releases[at + 1 :]:
            for difference in (values(earlier) - values(later), values(later) - values(earlier)):
                assert not difference or donors(difference) >= K


@pytest.mark.parametrize("told", [{}, {"format": 1}])
def test_a_ledger_of_another_version_is_refused_with_what_to_do(world: World, told: dict[str, int]) -> None:
    record: dict[str, Any] = {"dataset": "gifts", "previous": "", "kind": "batch", "number": 1, **told}
    world.ledger.append(0, rfc8785.dumps(record))
    with pytest.raises(LedgerError, match="another name"):
        world.release(world.source(people(range(20))))


def test_a_ledger_that_lost_or_changed_a_record_releases_nothing(world: World) -> None:
    world.released(world.source(people(range(20))))
    first, _ = sorted((world.folder / "ledger" / "records").iterdir())
    first.write_bytes(first.read_bytes().replace(b'"number":1', b'"number":3'))
    with pytest.raises(LedgerError, match="restore"):
        world.release()
