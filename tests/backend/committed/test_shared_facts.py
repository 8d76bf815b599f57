"""What leaves: facts of those who consent at that moment, each once, and nothing that leads to anybody."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from amply.modules.donations.domain import Donor
from amply.modules.mail import address_digest
from amply.modules.sharing import Decision
from amply.modules.sharing.names import LakeNames
from tests.backend.conftest import Databases
from tests.backend.consent_world import TICK, SharingPage
from tests.backend.giving_world import ADA, EVE
from tests.backend.ledger_world import LedgerWorld
from tests.hypothesis_profiles import examples

LATER = timedelta(days=1, minutes=1)
"""Whatever waits is due again."""


@pytest.fixture
def page(books: LedgerWorld, databases: Databases) -> Iterator[SharingPage]:
    own = databases.as_role("amply_api")
    made = SharingPage(books, own)
    with made.client:
        yield made
    own.close()


def told(page: SharingPage, statement: str, **values: object) -> None:
    with page.database.transaction() as session:
        session.execute(text(statement), values)


def test_a_line_says_what_was_given_and_for_what_and_nothing_of_whom(page: SharingPage) -> None:
    told(page, "UPDATE organization SET sdgs = '{4,13}'")
    donation_id = page.gives(12_345, data_sharing=TICK)
    page.tells()
    assert page.writes() == 1
    (row,) = page.raw.rows()
    names = [row.pop(name) for name in ("event_id", "donor_id", "gift_id")]
    assert [len(name) for name in {*names}] == [64, 64, 64]
    assert {**row, "given_at": str(row["given_at"]), "organization": ""} == {
        "given_at": "2026-11-21",
        "kind": "gift",
        "amount_minor": 12_345,
        "amount_band": "100-999",
        "currency": "EUR",
        "organization": "",
        "country": "DE",
        "fund_kind": "",
        "cause": "sdg4 sdg13",
        "method": "online",
        "is_recurring": False,
    }
    (path, content), *_ = page.raw.files.items()
    day, _, file = path.removeprefix("donations/dt=").partition("/")
    assert day == page.clock().date().isoformat()
    assert file == f"{hashlib.sha256(names[0].encode()).hexdigest()}.parquet"
    (span,) = page.rows("sharing_span")
    for secret in (donation_id, page.organization_id, span.id, "Ada", "ada@example.org", ADA):
        assert secret.encode() not in content + str(page.raw.rows()).encode()


def test_gifts_of_those_who_said_nothing_stay(page: SharingPage) -> None:
    page.gives()
    page.gives(donor=EVE, data_sharing=TICK)
    page.gives(donor=EVE)
    page.tells()
    page.writes()
    assert len(page.raw.rows()) == 1


def test_who_switches_it_on_shares_the_gifts_of_before_too(page: SharingPage) -> None:
    for _ in range(2):
        page.gives()
    page.decides(shares=True)
    page.tells()
    page.writes()
    page.gives()
    page.writes()
    assert len(page.raw.files) == 2
    assert len(page.raw.rows()) == 3
    assert len({row["donor_id"] for row in page.raw.rows()}) == 1
    assert page.writes() == 0


def test_nothing_of_anybody_leaves_before_the_table_knows_them(page: SharingPage) -> None:
    page.gives(data_sharing=TICK)
    assert page.writes() == 0
    page.tells()
    assert page.writes() == 1


def test_nothing_leaves_of_who_withdrew_in_the_time_that_a_restored_database_lost(page: SharingPage) -> None:
    """Every consent is told again then (docs/runbooks/restore.md), and nothing is chosen before the table has answered."""
    page.gives(data_sharing=TICK)
    page.tells()
    ((place, given),) = page.consents.items.items()
    page.consents.items[place] = replace(given, state=Decision.WITHDRAWN, version=2)
    told(page, "UPDATE sharing_span SET version = version + 1")
    assert page.writes() == 0
    page.clock.advance(minutes=1)
    page.tells()
    assert page.writes() == 0
    assert page.extent() == "none"


def test_withdrawn_between_the_gift_and_the_batch_it_stays(page: SharingPage) -> None:
    page.gives(data_sharing=TICK)
    page.tells()
    page.decides(shares=False)
    assert page.writes() == 0
    assert page.raw.files == {}
    assert page.rows("sharing_fact") == []


def test_what_goes_back_later_is_a_line_of_its_own_and_the_lines_add_up(page: SharingPage) -> None:
    donation_id = page.gives(data_sharing=TICK)
    page.tells()
    page.writes()
    for change, left in (
        ("refunded_minor_units = 1000", 1500),
        ("refunded_minor_units = 0", 2500),
        ("dispute_state = 'lost'", 0),
    ):
        told(page, f"UPDATE donation SET {change} WHERE id = :id", id=donation_id)  # noqa: S608 -- the test's own words
        page.writes()
        assert page.writes() == 0
        assert sum(row["amount_minor"] for row in page.raw.rows()) == left
    assert [row["kind"] for row in page.raw.rows()] == ["gift", "change", "change", "change"]


@pytest.mark.parametrize("dies", ["before", "after"])
def test_who_withdraws_while_a_batch_is_repeated_is_taken_out_of_it(page: SharingPage, dies: str) -> None:
    page.gives(data_sharing=TICK)
    page.gives(donor=EVE, data_sharing=TICK)
    page.tells()
    page.raw.dies = dies
    with pytest.raises(KeyboardInterrupt):
        page.writes()
    page.decides(shares=False)
    page.clock.now += LATER
    assert page.writes() == 1
    assert len(page.raw.files) == 1
    assert len(page.raw.rows()) == 1
    assert page.writes() == 0


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("moment", ["asked", "meanwhile"])
def test_a_slow_writer_brings_nobody_back_who_withdrew(page: SharingPage, moment: str, others: int) -> None:
    """Another worker writes the batch, without whoever withdrew, before the slow one has seen the file or before it writes."""
    page.gives(data_sharing=TICK)
    for _ in range(others):
        page.gives(donor=EVE, data_sharing=TICK)
    page.tells()

    def another() -> None:
        setattr(page.raw, moment, lambda: None)
        page.decides(shares=False)
        page.clock.now += LATER
        assert page.writes() == 1

    setattr(page.raw, moment, another)
    page.writes()
    assert len(page.raw.files) == 1, "an empty one where nobody stays"
    assert len(page.raw.rows()) == others


def test_a_file_that_cannot_be_written_waits_and_holds_up_nothing_else(page: SharingPage) -> None:
    page.gives(data_sharing=TICK)
    page.tells()

    def fails() -> None:
        raise TimeoutError

    page.raw.meanwhile = fails
    assert page.writes() == 0
    page.raw.meanwhile = lambda: None
    page.gives(donor=EVE, data_sharing=TICK)
    page.tells()
    assert page.writes() == 1
    page.clock.now += LATER
    assert page.writes() == 1
    assert len(page.raw.rows()) == 2


# ---- any order -----------------------------------------------------------------------------------------------------


@dataclass
class Known:
    """A donor as the model has them: `span` is the consent that lasts, with the gifts it covers."""

    email: str
    gifts: dict[str, int] = field(default_factory=dict)
    ticked: set[str] = field(default_factory=set)
    covers: str = "none"
    span: str = ""

    @property
    def covered(self) -> dict[str, int]:
        wanted = {"none": set(), "ticked": self.ticked, "all": set(self.gifts)}[self.covers]
        return {gift: kept for gift, kept in self.gifts.items() if gift in wanted}


class Model:
    """What should be, beside what is."""

    def __init__(self, page: SharingPage, example: str) -> None:
        self.page = page
        self.donors = [Known(f"{example}-{number}@example.org") for number in range(2)]
        self.names = LakeNames.at_hand(page.database)
        self.before = {row.id for row in page.rows("sharing_span")}
        page.raw.seen = self.is_consented

    def is_consented(self, rows: list[dict[str, Any]]) -> None:
        """Each line that is written at this moment is one that may be."""
        for row in rows:
            owner = self._by_person().get(row["donor_id"])
            if owner is not None:
                allowed = {self.names.gift(owner.span, gift) for gift in owner.covered}
                assert row["gift_id"] in allowed
            else:
                assert row["donor_id"] in self._others(), "a line of somebody who does not consent"

    def _by_person(self) -> dict[str, Known]:
        return {self.names.person(each.span): each for each in self.donors if each.covers != "none"}

    def _others(self) -> set[str]:
        return {self.names.person(each) for each in self.before}

    def _begun(self, donor: Known) -> None:
        known = self.before | {each.span for each in self.donors}
        (span,) = {row.id for row in self.page.rows("sharing_span") if row.is_given} - known
        donor.span = span

    def gives(self, donor: Known, *, ticks: bool) -> None:
        gift = self.page.gives(donor=Donor(name="N", email=donor.email), data_sharing=TICK if ticks else None)
        donor.gifts[gift] = 2500
        if ticks:
            donor.ticked.add(gift)
            if donor.covers == "none":
                donor.covers = "ticked"
                self._begun(donor)

    def decides(self, donor: Known, *, shares: bool) -> None:
        assert self.page.decides(shares=shares, token=self.page.link(address_digest(donor.email))).is_success
        was = donor.covers
        donor.covers = "all" if shares else "none"
        if not shares:
            donor.ticked.clear()
        elif was == "none":
            self._begun(donor)

    def goes_back(self, donor: Known) -> None:
        for gift, kept in list(donor.gifts.items())[-1:]:
            donor.gifts[gift] = max(kept - 700, 0)
            told(
                self.page,
                "UPDATE donation SET refunded_minor_units = 2500 - :kept WHERE id = :id",
                kept=donor.gifts[gift],
                id=gift,
            )

    def erases(self, donor: Known) -> None:
        self.page.erases(address_digest(donor.email))
        donor.gifts, donor.ticked, donor.covers = {}, set(), "none"

    def writes(self, dies: str | None) -> None:
        self.page.raw.dies = dies
        try:
            self.page.writes()
        except KeyboardInterrupt:
            assert dies is not None
        self.page.raw.dies = None
        self.page.clock.now += LATER

    def holds(self) -> None:
        """At the end, once everything was told and written."""
        self.page.tells()
        self.writes(None)
        rows = self.page.raw.rows()
        assert len({row["event_id"] for row in rows}) == len(rows), "nothing twice"
        for person, donor in self._by_person().items():
            assert self.page.consents.items[person, "analytics"].state == "given"
            sums: dict[str, int] = {}
            for row in rows:
                if row["donor_id"] == person:
                    sums[row["gift_id"]] = sums.get(row["gift_id"], 0) + row["amount_minor"]
            assert sums == {self.names.gift(donor.span, gift): kept for gift, kept in donor.covered.items()}
        given = {self.names.person(row.id) for row in self.page.rows("sharing_span") if row.is_given}
        table = self.page.consents.items.values()
        assert {each.subject for each in table if each.state == "given"} == given


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["give", "tick", "share", "withdraw", "back", "erase", "tell", "write", "before", "after"]
        ),
        st.integers(0, 1),
    ),
    min_size=4,
    max_size=14,
)


@settings(
    max_examples=examples(day=6, night=100), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_in_any_order_what_is_there_is_what_was_consented_to(
    page: SharingPage, steps: list[tuple[str, int]]
) -> None:
    model = Model(page, f"d{len(page.rows('donation'))}-{len(page.rows('sharing_span'))}")
    for step, number in steps:
        donor = model.donors[number]
        page.clock.advance(seconds=1)
        match step:
            case "give" | "tick":
                model.gives(donor, ticks=step == "tick")
            case "share" | "withdraw":
                model.decides(donor, shares=step == "share")
            case "back":
                model.goes_back(donor)
            case "erase":
                model.erases(donor)
            case "tell":
                page.tells()
            case _:
                model.writes(None if step == "write" else step)
    model.holds()
