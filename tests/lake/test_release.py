"""A release: what is in it, what is not, and what a repetition does."""

import hashlib
import hmac
import json
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amply_lake import (
    LakeError,
    Release,
    SourceError,
    Violation,
    batching,
    encoding,
    read_policy,
    releasing,
    statements,
)
from amply_lake.batching import member_of, members_key
from amply_lake.history import BY_BATCH
from tests.hypothesis_profiles import examples
from tests.lake.lake_world import (
    DOCUMENT,
    NOW,
    Row,
    TestKeys,
    World,
    csv_file,
    parquet_file,
    people,
    policy,
    rows_of,
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, policy())


def classes(rows: list[Row]) -> dict[tuple[str, ...], list[Row]]:
    found: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["part"], row["age"], row["zip"]].append(row)
    return found


def test_what_names_somebody_is_nowhere_in_a_release(world: World) -> None:
    done = world.released(world.source(people(range(20))))
    for path in done.folder.iterdir():
        content = path.read_bytes()
        for secret in (b"person_1", b"@example.org", b"ev_1", b"10115", b"33,"):
            assert secret not in content, path.name
    assert set(rows_of(done)[0]) == {"donor", "age", "zip", "amount", "currency", "part"}


def test_people_are_counted_and_not_their_gifts(world: World) -> None:
    """Two people with ten gifts each are not twenty."""
    rows = [
        {**row, "event": f"{row['event']}-{turn}", "amount": turn}
        for turn in range(10)
        for row in people(range(2))
    ]
    done = world.release(world.source(rows))
    assert isinstance(done, Violation)
    assert done.violations == 20
    assert "20 of 20 rows would have to be left out" in done.reason


def test_who_is_in_two_tuples_that_become_one_class_counts_once(world: World) -> None:
    rows = [*people(range(2), age=25), *people(range(2), age=35, first=10)]
    done = world.release(world.source(rows))
    assert isinstance(done, Violation)
    assert "4 of 4 rows would have to be left out" in done.reason


def test_an_empty_text_is_no_value(world: World) -> None:
    """CSV has none, Parquet has."""
    columns = {**DOCUMENT["columns"], "currency": {"role": "sensitive"}}
    world.policy = policy(columns=columns)
    rows = [{**row, "currency": "" if at % 2 else "EUR"} for at, row in enumerate(people(range(40)))]
    done = world.release(parquet_file(world.folder / "source.parquet", rows), form="parquet")
    assert isinstance(done, Violation), done
    assert "40 of 40 rows" in done.reason


def test_what_goes_back_is_no_small_gift(world: World) -> None:
    rows = [{**row, "amount": -5000 if at % 2 else 0} for at, row in enumerate(people(range(20)))]
    assert {row["amount"] for row in rows_of(world.released(world.source(rows)))} == {"<0", "0-9"}


def test_a_class_where_all_have_one_value_is_left_out(world: World) -> None:
    alike = [{**row, "amount": 5} for row in people(range(100, 104), age=71, zip_code="99999")]
    done = world.released(world.source([*people(range(20)), *alike]))
    assert done.certificate.l == 2
    kept = classes(rows_of(done))
    assert all(len({row["amount"] for row in rows}) >= 2 for rows in kept.values())


def test_generalising_comes_before_leaving_out(world: World) -> None:
    """Each age alone is two people; ten years wide they are enough, and nobody is left out."""
    rows = [row for age in (31, 33, 35) for row in people(range(age * 10, age * 10 + 2), age=age)]
    done = world.released(world.source(rows))
    assert len(rows_of(done)) == 6
    assert {row["age"] for row in rows_of(done)} == {"30-39"}


def test_a_hierarchy_of_the_policys_own_is_climbed(world: World) -> None:
    column = {"role": "quasi", "generalise": {"kind": "hierarchy", "file": "city.csv"}}
    cities = {"city.csv": b"Berlin;north\nHamburg;north\nMunich;south\n"}
    document = {**DOCUMENT, "columns": {**DOCUMENT["columns"], "zip": column}}
    world.policy = read_policy(json.dumps(document).encode(), cities)
    homes = (("Berlin", 2), ("Hamburg", 2), ("Munich", 6), ("Atlantis", 1))
    rows = [
        row
        for at, (city, n) in enumerate(homes)
        for row in people(range(at * 10, at * 10 + n), zip_code=city)
    ]
    done = world.released(world.source(rows))
    assert Counter(row["zip"] for row in rows_of(done)) == {
        "north": 4,
        "south": 6,
    }  # and who lives nowhere is left out


def test_more_left_out_than_the_policy_allows_is_a_violation_and_leaves_nothing(world: World) -> None:
    world.policy = policy(k=50)
    done = world.release(world.source(people(range(20))))
    assert isinstance(done, Violation)
    assert world.made() == []
    assert list(world.ledger.records()) == []


def test_files_that_were_a_violation_may_come_again_with_others(world: World) -> None:
    few = world.source(people(range(2)))
    assert isinstance(world.release(few), Violation)
    done = world.released(few, world.source(people(range(10, 20))))
    assert done.certificate.rows == 12


def test_a_buyers_pseudonyms_are_keyed_and_end_with_the_class(world: World) -> None:
    rows = [*people(range(10)), *people(range(10), age=75, zip_code="80331", first=100)]
    source = world.source(rows)
    ours, theirs = (world.released(source, buyer=buyer) for buyer in ("one", "other"))
    mine, others = ({row["donor"] for row in rows_of(done)} for done in (ours, theirs))
    assert len(mine) == len(others) == 20  # ten people in two classes each
    assert not mine & others
    keyless = {hashlib.sha256(f"person_{n}".encode()).hexdigest()[:32] for n in range(10)}
    guessed = {
        hmac.new(TestKeys().key("buyer/one"), f"person_{n}".encode(), hashlib.sha256).hexdigest()[:32]
        for n in range(10)
    }
    assert not mine & (keyless | guessed)


def test_one_person_has_one_pseudonym_within_a_class(world: World) -> None:
    done = world.released(world.source([*people(range(10)), *people(range(10), first=100)]))
    assert len(rows_of(done)) == 20
    assert len({row["donor"] for row in rows_of(done)}) == 10


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name, backwards in (("first", False), ("second", True)):
        (tmp_path / name).mkdir()
        world = World(tmp_path / name, policy())
        rows = people(range(40))
        done = world.released(world.source(rows), buyer="one")
        files.append({path.name: path.read_bytes() for path in done.folder.iterdir()})
        turned = World(tmp_path / name / "turned", policy())
        turned.folder.mkdir()
        other = turned.released(turned.source(rows[::-1] if backwards else rows), buyer="one")
        assert (other.folder / "part-000001.csv").read_bytes() == files[-1]["part-000001.csv"]
    assert files[0] == files[1]


def test_the_order_of_the_rows_that_came_is_gone(world: World) -> None:
    rows = [{**row, "amount": index} for index, row in enumerate(people(range(200)))]
    amounts = [row["amount"] for row in rows_of(world.released(world.source(rows)))]
    assert amounts != sorted(amounts, key=["0-9", "10-99", "100+"].index)


def test_the_same_people_stand_in_another_order_for_each_buyer(world: World) -> None:
    """By their pseudonyms; by the batch's order two buyers would find each other's pseudonyms place by place."""
    source = world.source([row for age in (21, 61) for row in people(range(30), age=age, first=100 * age)])
    for buyer in ("one", "two"):
        rows = rows_of(world.released(source, buyer=buyer))
        for label in {row["age"] for row in rows}:
            donors = [row["donor"] for row in rows if row["age"] == label]
            assert donors == sorted(donors)
            assert len({*donors}) == 30


def _as_an_earlier_version_recorded_it(world: World) -> None:
    """The ledger's last record: of another kind, and silent about the order of rows."""
    *_, last = sorted((world.folder / "ledger" / "records").glob("[0-9]*.json"))
    record = json.loads(last.read_bytes())
    del record["rows_by"]
    last.write_bytes(rfc8785.dumps({**record, "kind": "release"}))


def test_what_an_earlier_version_decided_is_made_again_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before it was there, and begun again by this version: else it would come out otherwise than it was certified."""
    source = world.source(people(range(40)))
    with monkeypatch.context() as earlier:
        earlier.setattr(releasing, "ROWS_BY", BY_BATCH)
        done = world.released(source)
        _as_an_earlier_version_recorded_it(world)
        before = {path.name: path.read_bytes() for path in done.folder.iterdir()}
    shutil.rmtree(done.folder)
    again = world.released(source)
    assert not again.is_new
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == before
    other = world.released(source, buyer="another")
    assert [row["donor"] for row in rows_of(other)] == sorted(row["donor"] for row in rows_of(other))
    assert [row["donor"] for row in rows_of(again)] != sorted(row["donor"] for row in rows_of(again))


def test_an_order_that_is_given_again_is_the_same_release(world: World) -> None:
    source = world.source(people(range(20)))
    first, again = world.released(source), world.released(source)
    assert first.is_new
    assert not again.is_new
    assert again.folder == first.folder
    assert len(list(world.ledger.records())) == 2  # the batch, and the release


def test_parquet_says_the_same_as_csv(world: World) -> None:
    source = parquet_file(world.folder / "source.parquet", people(range(20)))
    done, csv = world.release(source, buyer="one", form="parquet"), world.released(source, buyer="two")
    assert isinstance(done, Release)
    assert done.certificate.parts[0].file == "part-000001.parquet"
    for field in ("rows", "people", "classes", "k", "l", "t", "loss"):
        assert getattr(done.certificate.parts[0], field) == getattr(csv.certificate.parts[0], field)


def test_the_certificate_says_what_was_asked_and_what_is(world: World) -> None:
    source = world.source(people(range(20)))
    certificate = world.released(source).certificate
    (part,) = certificate.parts
    assert (certificate.dataset, certificate.buyer, certificate.release) == ("gifts", "buyer", 1)
    assert certificate.issued_at == NOW
    assert (part.policy, part.policy_sha256) == ("small", world.policy.sha256)
    listed = hashlib.sha256(source.read_bytes()).hexdigest() + "\n"
    assert (part.sources, part.sources_sha256) == (1, hashlib.sha256(listed.encode()).hexdigest())
    assert (part.rows_in, part.rows, part.suppressed, part.people, part.k, part.l) == (20, 20, 0, 20, 20, 2)


def test_rows_of_nobody_are_left_out(world: World) -> None:
    done = world.released(world.source([*people(range(20)), {**people([99])[0], "person": ""}]))
    assert (done.certificate.parts[0].rows_in, done.certificate.parts[0].suppressed) == (21, 1)


OURS = ["id", "number", "value", "label", "class", "first", "buckets", "person", "people", "place", "n"]
OURS += ["cell", "l0", "r0", "s0", "q0", "i0", "e", "c", "t", "k", "v0", "standing", "keyed"]


def _released_as(folder: Path, names: dict[str, str]) -> Counter[tuple[str, ...]]:
    """What is shown of the same gifts when their columns have these names."""
    folder.mkdir()
    world = World(folder, policy(columns={names[each]: what for each, what in DOCUMENT["columns"].items()}))
    gifts = [row for age in (21, 61) for row in people(range(age * 10, age * 10 + 20), age=age)]
    rows = [{names[each]: value for each, value in row.items()} for row in gifts]
    done = world.release(parquet_file(folder / "source.parquet", rows))
    assert isinstance(done, Release), (names, done)
    assert len({row["donor"] for row in rows_of(done)}) == 40, names
    shown = [names[each] for each in ("age", "zip", "amount", "currency")]
    return Counter(tuple(row[each] for each in shown) for row in rows_of(done))


def test_columns_may_be_called_as_ours_are(tmp_path: Path) -> None:
    """All of a release at once, and each name in each role once; what is released is the same."""
    columns = list(DOCUMENT["columns"])
    usual = _released_as(tmp_path / "usual", {column: column for column in columns})
    for turn, first in enumerate(OURS):
        names = {column: OURS[(turn + at) % len(OURS)] for at, column in enumerate(columns)}
        assert _released_as(tmp_path / first, names) == usual, names


def test_two_people_with_one_number_are_left_out_as_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who chooses ids may choose two that the engine's hash, which has no key, makes one of."""
    alike = "hash(replace({}, 'person_17', 'person_3'))"
    monkeypatch.setattr(encoding, "person_number", alike.format)
    alone = people([17, 3], age=75, zip_code="80331", first=100)  # and what only they have is gone with them
    done = world.released(world.source([*people(range(20)), *alone]))
    assert (done.certificate.parts[0].rows_in, done.certificate.parts[0].suppressed) == (22, 4)
    assert len({row["donor"] for row in rows_of(done)}) == 18
    assert world.released(world.source(people(range(30, 60), first=200))).certificate.rows == 18 + 30


def test_two_people_whose_keyed_numbers_are_alike_leave_no_class_with_too_few(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be two while classes are found, and one in what is released: a batch of k people could never be released."""
    alike = "hash(replace({}, 'person_2', 'person_1'))"
    monkeypatch.setattr(encoding, "keyed_number", alike.format)
    few = world.source(people(range(3)))
    assert isinstance(world.release(few), Violation)
    done = world.released(few, world.source(people(range(30, 40), first=100)))
    assert len({row["donor"] for row in rows_of(done)}) == 11


def test_two_people_of_two_batches_with_one_number_go_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a keyed hash of eight bits, of which some have the same: whoever withdraws is found, and takes the other's cell along."""
    for module in (batching, statements):
        monkeypatch.setattr(module, "NUMBER_CHARACTERS", 2)
    key = members_key(world.keys, "gifts")
    first: dict[int, int] = {}
    second: dict[int, int] = {}
    for number in range(60):
        one = member_of(key, f"person_{number}")
        (first if number < 30 else second).setdefault(one, number)
    both = min(first.keys() & second.keys())
    world.released(world.source(people(first.values())))
    world.released(world.source(people(second.values(), first=100)))
    done = world.released(withdrawn={f"person_{second[both]}"})
    assert [part.withheld for part in done.certificate.parts] == [1, 1]


def test_labels_that_are_many_are_texts_and_mean_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more than some thousands no type of the engine's is made: what is released does not show it."""
    gifts = [row for age in (21, 41, 61) for row in people(range(age * 10, age * 10 + 20), age=age)]
    gifts[0]["amount"] = "a lot"
    found = []
    for most in (1 << 16, 2, 0):
        monkeypatch.setattr(encoding, "_ENUMERABLE", most)
        (tmp_path / f"{most}").mkdir()
        done = World(tmp_path / f"{most}", policy()).released(csv_file(tmp_path / f"{most}.csv", gifts))
        found.append(rows_of(done))
    assert found[0] == found[1] == found[2]
    assert {row["amount"] for row in found[0]} == {"0-9", "10-99", "?"}


@pytest.mark.parametrize("name", ["../buyer", "", ".", "a/b", "a b"])
def test_a_name_that_is_a_path_is_refused(world: World, name: str) -> None:
    with pytest.raises(LakeError, match="names no dataset and no buyer"):
        world.release(world.source(people(range(20))), buyer=name)


def test_nothing_to_release_says_what_to_give(world: World) -> None:
    with pytest.raises(SourceError, match="give files"):
        world.release()


PERSON = st.tuples(
    st.integers(0, 25), st.integers(0, 99), st.sampled_from(["10115", "10999", "80331"]), st.integers(0, 200)
)


@settings(
    max_examples=examples(day=15, night=200),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(PERSON, min_size=1, max_size=60))
def test_whatever_comes_a_released_row_is_one_of_k_peoples(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int, str, int]]
) -> None:
    world = World(tmp_path_factory.mktemp("drawn"), policy())
    rows = [
        {**people([person])[0], "event": f"ev_{at}", "age": age, "zip": code, "amount": amount}
        for at, (person, age, code, amount) in enumerate(drawn)
    ]
    done = world.release(world.source(rows))
    limit = float(DOCUMENT["suppression_limit"])
    if isinstance(done, Violation):
        assert world.made() == []
        return
    kept = rows_of(done)
    assert len(rows) - len(kept) <= limit * len(rows)
    for of_class in classes(kept).values():
        assert len({row["donor"] for row in of_class}) >= world.policy.k
        assert len({row["amount"] for row in of_class} - {"?"}) >= world.policy.l
