"""Envelope keys in a process: at hand before a transaction, kept while the key service is away, bound to where a value stands."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.infra.vault import (
    DONOR_INDEX,
    DONORS,
    PEOPLE,
    CellLocation,
    KeyNotAtHand,
    Keyring,
    KeyWrappingAway,
    SealedBytesUnreadable,
)
from amply.infra.vault.keyring import COMING, KEPT_AT_MOST, LOOK_EVERY, UNWRAP_EVERY
from tests.backend.conftest import Databases
from tests.backend.key_service import Wrapping
from tests.backend.world import FakeClock

PLACE = CellLocation(table="donation", column="sealed", row="don_1")
CONTENT = "Zoë".encode()


@dataclass
class Ticks:
    """A monotonic clock that a test moves."""

    at: float = 1_000.0

    def __call__(self) -> float:
        return self.at

    def pass_by(self, how_long: timedelta) -> None:
        self.at += how_long.total_seconds()


class Service(Wrapping):
    """A key service that can be away, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.asked = 0
        self.asked_by: set[str] = set()

    def generate(self, *, scope: str, version: int) -> tuple[bytes, bytes]:
        self._ask()
        return super().generate(scope=scope, version=version)

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        self._ask()
        return super().unwrap(wrapped, scope=scope, version=version)

    def _ask(self) -> None:
        self.asked += 1
        self.asked_by.add(threading.current_thread().name)
        if self.is_away:
            raise KeyWrappingAway("away")


@dataclass
class Process:
    """One process with its keys."""

    database: Database
    service: Service = field(default_factory=Service)
    ticks: Ticks = field(default_factory=Ticks)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.keys = Keyring(self.database.engine, self.service, clock=self.clock, ticks=self.ticks)

    def waits(self, how_long: timedelta) -> None:
        """Time goes by, and a transaction is begun; what looks in the background has looked."""
        self.ticks.pass_by(how_long)
        self.clock.now += how_long
        self.keys.freshen()
        for thread in threading.enumerate():
            if thread.name == "keyring":
                thread.join()


@pytest.fixture
def process(databases: Databases) -> Process:
    database = databases.as_role("amply_app")
    with databases.as_role("master").engine.begin() as connection:
        connection.execute(text("DELETE FROM data_key"))
        connection.execute(text("UPDATE sealing SET begins_at = '2020-01-01'"))
    return Process(database)


def another(process: Process) -> Process:
    return Process(process.database, service=process.service, ticks=process.ticks, clock=process.clock)


def test_the_first_process_makes_the_keys_and_others_find_them(process: Process) -> None:
    process.keys.freshen()
    sealed = process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    other = another(process)
    other.keys.freshen()
    assert other.keys.open(sealed, scope=DONORS, at=PLACE) == CONTENT
    assert CONTENT not in sealed
    with process.database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM data_key")) == 3


def test_processes_that_start_at_once_make_one_key_of_each_scope(process: Process) -> None:
    all_of_them = [another(process) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: each.keys.freshen(), all_of_them))
    sealed = [each.keys.seal(CONTENT, scope=DONORS, at=PLACE) for each in all_of_them]
    assert [all_of_them[0].keys.open(each, scope=DONORS, at=PLACE) for each in sealed] == [CONTENT] * 4


@pytest.mark.parametrize("part", ["table", "column", "row"])
def test_a_value_copied_elsewhere_does_not_open(process: Process, part: str) -> None:
    process.keys.freshen()
    sealed = process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    with pytest.raises(SealedBytesUnreadable):
        process.keys.open(sealed, scope=DONORS, at=replace(PLACE, **{part: "other"}))
    with pytest.raises(SealedBytesUnreadable):
        process.keys.open(sealed, scope=PEOPLE, at=PLACE)


def test_no_bit_of_a_sealed_value_can_be_changed(process: Process) -> None:
    process.keys.freshen()
    sealed = process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises((SealedBytesUnreadable, KeyNotAtHand)):
            process.keys.open(changed, scope=DONORS, at=PLACE)
    with pytest.raises(SealedBytesUnreadable):
        process.keys.open(b"", scope=DONORS, at=PLACE)


def test_an_index_finds_and_two_scopes_have_two(process: Process) -> None:
    process.keys.freshen()
    found = process.keys.index("ada", scope=DONOR_INDEX)
    assert found == process.keys.index("ada", scope=DONOR_INDEX)
    assert process.keys.indexes("ada", scope=DONOR_INDEX) == [found]
    assert found != process.keys.index("ada", scope=DONORS)
    assert found != process.keys.index("bob", scope=DONOR_INDEX)


def test_cached_keys_go_on_while_the_service_is_away_and_end_in_hours(process: Process) -> None:
    process.keys.freshen()
    sealed = process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    process.service.is_away = True
    process.waits(UNWRAP_EVERY)
    process.waits(KEPT_AT_MOST - UNWRAP_EVERY - LOOK_EVERY)
    assert process.keys.open(sealed, scope=DONORS, at=PLACE) == CONTENT
    process.keys.seal(CONTENT, scope=DONORS, at=PLACE)

    process.waits(LOOK_EVERY * 2)
    with pytest.raises(KeyNotAtHand):
        process.keys.open(sealed, scope=DONORS, at=PLACE)
    with pytest.raises(KeyNotAtHand):
        process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    process.service.is_away = False
    process.waits(LOOK_EVERY)
    assert process.keys.open(sealed, scope=DONORS, at=PLACE) == CONTENT


def test_nobody_who_has_keys_waits_for_a_service_that_is_away(process: Process) -> None:
    process.keys.freshen()
    process.service.is_away, process.service.asked_by = True, set()
    for _ in range(30):
        process.waits(LOOK_EVERY)
    assert process.service.asked_by == {"keyring"}
    assert process.keys.seals(DONORS)


def test_who_starts_while_the_service_is_away_has_no_keys_and_soon_asks_again(process: Process) -> None:
    process.service.is_away = True
    process.keys.freshen()
    for use in (process.keys.seals, process.keys.newest):
        with pytest.raises(KeyNotAtHand):
            use(DONORS)
    asked = process.service.asked
    process.keys.freshen()
    assert process.service.asked == asked, "not at every transaction"
    process.service.is_away = False
    process.waits(timedelta(seconds=5))
    assert process.keys.seals(DONORS)


def test_an_unwrapped_key_is_asked_for_again_after_an_hour_and_not_before(process: Process) -> None:
    process.keys.freshen()
    asked = process.service.asked
    process.waits(LOOK_EVERY)
    assert process.service.asked == asked
    process.waits(UNWRAP_EVERY)
    assert process.service.asked == asked + 3


def test_a_new_version_is_read_by_all_before_it_seals(process: Process) -> None:
    process.keys.freshen()
    other = another(process)
    other.keys.freshen()
    before = process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    assert process.keys.rotate(DONORS, now=process.clock()) == 2
    assert process.keys.newest(DONORS) == 1

    process.waits(COMING)
    other.waits(timedelta())
    assert process.keys.newest(DONORS) == 2
    after = process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    for sealed in (before, after):
        assert other.keys.open(sealed, scope=DONORS, at=PLACE) == CONTENT
    assert len(other.keys.indexes("ada", scope=DONORS)) == 2


def test_nothing_is_sealed_while_the_release_before_may_still_run(
    process: Process, databases: Databases
) -> None:
    with databases.as_role("master").engine.begin() as connection:
        connection.execute(
            text("UPDATE sealing SET begins_at = :at"), {"at": process.clock() + timedelta(hours=3)}
        )
    process.keys.freshen()
    assert not process.keys.seals(DONORS)
    with pytest.raises(KeyNotAtHand):
        process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    process.waits(timedelta(hours=3))
    assert process.keys.seals(DONORS)


def test_a_scope_of_an_organisation_is_fetched_when_it_is_needed_and_makes_room(process: Process) -> None:
    process.keys.freshen()
    process.keys.hold("organization:org_1")
    process.keys.seal(CONTENT, scope="organization:org_1", at=PLACE)
    process.service.is_away = True
    process.keys.hold("organization:org_1")
    with pytest.raises(KeyNotAtHand):
        process.keys.hold("organization:org_2")


def test_a_value_whose_key_was_destroyed_opens_for_nobody(process: Process) -> None:
    process.keys.freshen()
    sealed = process.keys.seal(CONTENT, scope=DONORS, at=PLACE)
    process.keys.rotate(DONORS, now=process.clock())
    with process.database.transaction() as session:
        session.execute(
            text(
                "UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE scope = :scope AND version = 1"
            ),
            {"scope": DONORS},
        )
    later = another(process)
    later.keys.freshen()
    with pytest.raises(SealedBytesUnreadable, match="destroyed"):
        later.keys.open(sealed, scope=DONORS, at=PLACE)
    assert "\\x" not in repr(later.keys.__dict__)
