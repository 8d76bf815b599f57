"""What gifts, plans and people hold of somebody: sealed, found, sealed anew when a key rotates, and never lost on the way."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from amply.entrypoints.admin import main as admin
from amply.entrypoints.personal_data import sealed_rows
from amply.infra.database import Database
from amply.infra.vault import (
    DONOR_INDEX,
    DONORS,
    PEOPLE,
    KeyNotAtHand,
    Keyring,
    KeyWrappingAway,
    NoKeysHere,
    SealedBytesUnreadable,
)
from amply.infra.vault.keyring import COMING
from amply.infra.vault.reencryption import Version, reencrypt, versions
from amply.infra.vault.resealing import not_newest
from amply.kernel.clock import system_clock
from amply.modules import donations, people, recurring
from amply.modules.donations.models import DonationRow
from amply.modules.mail import Language
from amply.modules.people import persons
from tests.backend.conftest import Databases
from tests.backend.in_process_platform import InProcessPlatform
from tests.backend.key_service import Wrapping, new_keyring
from tests.backend.ledger_world import LedgerWorld
from tests.backend.people_world import KEY
from tests.backend.personal_data import found_in
from tests.backend.plan_world import ADA, EMAIL, Plans

SECRETS = {"email": EMAIL, "digest": ADA, "message": "for the river"}
LONG = timedelta(hours=3)
TABLES = ("donation", "plan", "person")


@dataclass
class Safe:
    """A donor with a plan and its first gift, and a person, as the worker keeps them."""

    database: Database
    plans: Plans
    person_id: str

    @property
    def keyring(self) -> Keyring:
        assert self.database.keyring is not None
        return self.database.keyring

    @property
    def key(self) -> people.PeopleKey:
        return replace(KEY, keyring=self.database.keyring)

    def at_rest(self) -> bytes:
        with self.database.transaction() as session:
            rows = [session.scalars(text(f"SELECT {each}::text FROM {each}")).all() for each in TABLES]  # noqa: S608 -- this file's words
        return json.dumps(rows, default=str).encode()

    def readable(self) -> tuple[str | None, str | None, str | None, str]:
        """Everything as whoever works with it reads it."""
        with self.database.transaction() as session:
            (gift,) = session.scalars(select(DonationRow))
            person = people.find(session, person_id=self.person_id, key=self.key)
            assert person is not None
            assert recurring.newest_address(session, email_sha256=ADA) == gift.donor_email
            assert donations.newest_address(session, email_sha256=ADA) == gift.donor_email
            assert donations.owner_of(session, donation_id=gift.id) == ADA
            return gift.donor_name, gift.donor_email, gift.message, person.address.written

    def reencrypt(self, *, later: timedelta = timedelta()) -> int:
        return reencrypt(self.database, sealed_rows(self.key), now=system_clock() + later)

    def rotate(self, scope: str) -> None:
        """Another version that seals from this moment on."""
        self.keyring.rotate(scope, now=system_clock() - COMING)

    def versions(self, scope: str) -> list[Version]:
        with self.database.transaction() as session:
            found = versions(session, sealed_rows(self.key), now=system_clock())
        return [each for each in found if each.scope == scope]


class Away(Wrapping):
    """A key service that does not answer."""

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        raise KeyWrappingAway(f"{scope} {version} {len(wrapped)}")


READABLE = ("Ada", EMAIL, "for the river", "grace@example.org")


def furnished(database: Database) -> Safe:
    plans = Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC))
    plans.begin()
    key = replace(KEY, keyring=database.keyring)
    return Safe(database=database, plans=plans, person_id=a_person(database, key, "grace@example.org"))


def a_person(database: Database, key: people.PeopleKey, address: str) -> str:
    """As the API makes one."""
    with database.transaction() as session:
        made = persons.add(
            session,
            address=people.address_of(address),
            password_hash="x",
            language=Language.EN,
            key=key,
            now=system_clock(),
        )
    assert made is not None
    return made


@pytest.fixture
def safe(databases: Databases) -> Safe:
    database = databases.as_role("amply_app")
    with databases.as_role("master").engine.begin() as connection:
        connection.execute(text("GRANT INSERT ON person TO amply_app"))
    return furnished(database)


def test_nothing_of_a_donor_or_a_person_stands_in_the_clear(safe: Safe) -> None:
    assert found_in(safe.at_rest(), {**SECRETS, "person": "grace@example.org"}) == []
    assert safe.readable() == READABLE


def test_a_gift_copied_over_another_one_does_not_open(safe: Safe) -> None:
    safe.plans.on(2026, 2, 28)
    with safe.database.transaction() as session:
        session.execute(
            text("UPDATE donation SET sealed = (SELECT sealed FROM donation ORDER BY id DESC LIMIT 1)")
        )
    with safe.database.transaction() as session:
        stolen, own = session.scalars(select(DonationRow).order_by(DonationRow.id)).all()
        assert own.donor_name == "Ada"
        with pytest.raises(SealedBytesUnreadable):
            _ = stolen.donor_name


def test_without_keys_no_gift_is_kept_in_the_clear(safe: Safe) -> None:
    had, safe.database.keyring = safe.database.keyring, None
    with pytest.raises(NoKeysHere):
        safe.plans.start(key="another")
    safe.database.keyring = had
    assert len(safe.plans.rows("donation")) == len(safe.plans.rows("plan")) == 1


@pytest.mark.parametrize("scope", [DONORS, DONOR_INDEX, PEOPLE])
def test_a_rotation_seals_everything_anew_and_destroys_what_is_not_used(safe: Safe, scope: str) -> None:
    safe.rotate(scope)
    assert safe.readable() == READABLE, "the old version is read while it is there"
    before = {each.version: (each.state, each.values) for each in safe.versions(scope)}
    assert before[1][0] == "read"
    assert before[1][1] > 0
    assert before[2] == ("sealing", 0)

    assert safe.reencrypt(later=LONG) > 0
    assert safe.versions(scope)[0].state == "read", "what still seals may not know yet"
    assert safe.reencrypt(later=LONG) == 0
    after = {each.version: (each.state, each.values) for each in safe.versions(scope)}
    assert after == {1: ("destroyed", 0), 2: ("sealing", before[1][1])}
    assert safe.readable() == READABLE
    safe.database.keyring = new_keyring(safe.database, like=safe.keyring)
    assert safe.readable() == READABLE, "who starts now reads all of it"


def test_a_version_is_kept_while_anything_is_sealed_by_it(safe: Safe) -> None:
    safe.rotate(DONORS)
    with safe.database.transaction() as session:
        sealed = session.scalar(text("SELECT sealed FROM plan"))
    safe.reencrypt(later=LONG)
    with safe.database.transaction() as session:
        session.execute(text("UPDATE plan SET sealed = :sealed"), {"sealed": sealed})
    with safe.database.transaction() as session:
        held = session.scalars(text("SELECT id FROM plan FOR UPDATE")).all()
        assert held
        safe_elsewhere(safe)
    assert [each.state for each in safe.versions(DONORS)] == ["read", "sealing"]


def safe_elsewhere(safe: Safe) -> None:
    """Another worker's turn, while somebody holds the row."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(safe.reencrypt, later=LONG).result() == 0


def test_two_workers_at_once_seal_each_row_once_more_and_lose_none(safe: Safe) -> None:
    for month in (2, 3, 4, 5):
        safe.plans.on(2026, month, 28)
    safe.rotate(DONORS)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: safe.reencrypt(), range(4)))
    old, new = safe.versions(DONORS)
    assert (old.values, new.values) == (0, 1 + 2 * len(safe.plans.rows("donation")))
    assert safe.plans.plan.donor_email == EMAIL


def test_while_the_key_service_is_away_who_has_no_key_keeps_nothing_and_loses_nothing(safe: Safe) -> None:
    had = safe.keyring
    safe.database.keyring = Keyring(safe.database.engine, Away())
    with pytest.raises(KeyNotAtHand):
        safe.plans.start(key="another")
    safe.database.keyring = had
    with safe.database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM donation")) == 1
        assert session.scalar(text("SELECT count(*) FROM plan")) == 1
    assert safe.readable() == READABLE


def test_a_gift_that_cannot_be_sealed_is_refused_whole_and_taken_when_it_is_asked_again(
    books: LedgerWorld, databases: Databases
) -> None:
    town = InProcessPlatform(books, databases)
    had, town.own.keyring = town.own.keyring, Keyring(town.own.engine, Away())
    refused = town.give()
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.headers["Retry-After"]
    for table in ("donation", "payment", "idempotency_key"):
        assert town.rows(table) == []

    town.own.keyring = had
    assert town.give().status_code == 201
    town.own.close()


def test_operators_see_how_far_a_rotation_has_come(
    safe: Safe, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe.rotate(DONORS)
    databases.sign_commands_in(monkeypatch, user="amply_app")
    monkeypatch.setenv("AMPLY_PEOPLE_KEY", "p" * 43)
    done = CliRunner().invoke(admin, ["keys", "show"])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.output.splitlines()]
    said = {(line["scope"], line["version"]): (line["state"], line["values"]) for line in lines}
    assert said["donors", 1] == ("read", 3), "gift, plan and what the ledger keeps of the gift"
    assert said["donors", 2] == ("sealing", 0)
    done = CliRunner().invoke(admin, ["keys", "rotate", "--scope", "donors"])
    assert json.loads(done.output) == {"scope": "donors", "version": 3}
    assert [each.state for each in safe.versions(DONORS)] == ["read", "sealing", "coming"]
    monkeypatch.delenv("AMPLY_PERSONAL_KEY_ARN")
    refused = CliRunner().invoke(admin, ["keys", "rotate", "--scope", "donors"])
    assert isinstance(refused.exception, NoKeysHere)


def test_what_waits_to_be_sealed_anew_is_found_by_indexes(safe: Safe) -> None:
    found = []
    with safe.database.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        for each in not_newest(safe.keyring, DonationRow):
            asked = select(DonationRow.id).where(each).compile(safe.database.engine)
            plan = session.connection().exec_driver_sql(f"EXPLAIN {asked}", asked.params)
            found.append("\n".join(line for (line,) in plan))
    indexes = ("ix_donation_sealed_by", "ix_donation_donor_index")
    assert [name in plan for name, plan in zip(indexes, found, strict=True)] == [True] * 2, found
