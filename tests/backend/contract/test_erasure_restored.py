"""A backup from before an erasure, restored: its rows open for nobody, and are erased again by the list of erasures."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text

from amply.adapters.s3 import S3Erasures
from amply.entrypoints.personal_data import of_donors
from amply.infra.vault import DONORS
from amply.infra.vault.shredding import close
from amply.kernel.clock import system_clock
from amply.kernel.ids import id_of
from amply.modules import people
from amply.modules.donations.models import DedicationRow, DonationRow
from amply.modules.mail import address_digest
from tests.backend.contract.whole_way import (
    EMAIL,
    HONOUREE,
    OTHER_EMAIL,
    PEOPLE_KEY,
    TOLD_EMAIL,
    Gifts,
    Platform,
)
from tests.backend.key_service import keyring
from tests.backend.opening_rows import openings, said
from tests.backend.personal_data import found_in
from tests.backend.world import NOW

DIGEST = address_digest(EMAIL)
SEALED = {"email", "name"}
"""What of somebody who is not forgotten is found by no search: it stands nowhere but sealed."""

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def backed_up(platform: Platform) -> str:
    """A backup of the database as it is, restored under another name once somebody asks for it."""
    for opened in (platform.books.app, platform.books.sequencer, platform.client.app.state.database):  # type: ignore[attr-defined] # FastAPI's own
        opened.close()
    name = f"restored_{platform.databases.name}"
    platform.databases.server.copy(platform.databases.name, name=name)
    return name


@pytest.fixture
def backup(gifts: Gifts) -> Iterator[str]:
    name = backed_up(gifts.platform)
    yield name
    gifts.platform.databases.server.run(f"DROP DATABASE {name} WITH (FORCE)")


def named_in(platform: Platform, secrets: Mapping[str, str], *, database: str) -> list[tuple[str, list[str]]]:
    return [
        (table, found)
        for table, content in platform.dump(database=database)
        if (found := found_in(content, secrets))
    ]


def test_a_restored_backup_does_not_bring_an_erased_donor_back(gifts: Gifts, backup: str) -> None:
    platform = gifts.platform
    platform.erase("--email-sha256", DIGEST)
    assert named_in(platform, gifts.secrets, database=backup), "the backup is from before the erasure"

    told = platform.command("erase", "again", database=backup)
    assert told == {
        "noted": 1,
        "gifts": 1,
        "entries": 2,
        "dedications": 0,
        "people": 0,
        "needed": [],
        "waiting": [],
    }
    assert named_in(platform, gifts.secrets, database=backup) == []
    still = {name for _, found in named_in(platform, gifts.others, database=backup) for name in found}
    assert still == set(gifts.others) - SEALED, "nobody else was forgotten"
    assert consents(platform, backup) == [(False, None, None)], "what they let be shared is withdrawn again"
    assert platform.command("erase", "again", database=backup)["gifts"] == 0


def consents(platform: Platform, database: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(platform.databases.server.running.cluster.url, dbname=database) as master:
        return master.execute("SELECT is_given, sealed, donor_index FROM sharing_span").fetchall()


def test_a_restored_backup_opens_for_nobody_with_all_keys_there_are(gifts: Gifts, backup: str) -> None:
    platform = gifts.platform

    def addresses() -> tuple[list[str | None], set[str | None]]:
        lent = platform.databases.server.lend(name=backup, user="amply_app", pool_size=1)
        lent.database.keyring = keyring(lent.database, bucket=platform.databases.name)
        with lent.database.transaction() as session:
            found = [row.donor_email for row in session.scalars(select(DonationRow).order_by(DonationRow.id))]
            kept = session.scalar(text("SELECT count(*) FROM donation WHERE sealed IS NOT NULL"))
        assert kept == len(found) == 2, "the copy has every byte that it had"
        copies = openings(lent.database)
        assert len(copies) == 4, "of the ledger's too"
        named = said(
            lent.database, copies, secrets=platform.books.secrets, bucket=platform.databases.name
        ).values()
        lent.database.close()
        platform.databases.server.idle["amply_app", 1].append(lent)
        return found, {each["donor_email"] for each in named if "donor_email" in each}

    assert addresses() == ([EMAIL, OTHER_EMAIL], {EMAIL, OTHER_EMAIL})
    assert platform.erase("--email-sha256", DIGEST)["keys_cut"] == 1
    assert addresses() == ([None, OTHER_EMAIL], {OTHER_EMAIL})


def test_who_was_told_of_a_gift_is_erased_alone_and_a_restored_backup_opens_for_nobody(
    gifts: Gifts, backup: str
) -> None:
    platform = gifts.platform

    def dedicated(database: str) -> tuple[str | None, str | None]:
        lent = platform.databases.server.lend(name=database, user="amply_app", pool_size=1)
        lent.database.keyring = keyring(lent.database, bucket=platform.databases.name)
        with lent.database.transaction() as session:
            row = session.scalars(select(DedicationRow)).one()
            found = (row.honouree, row.recipient_email)
        lent.database.close()
        platform.databases.server.idle["amply_app", 1].append(lent)
        return found

    assert dedicated(backup) == (HONOUREE, TOLD_EMAIL)
    told = platform.erase("--email-sha256", address_digest(TOLD_EMAIL))
    assert (told["gifts"], told["dedications"], told["keys_cut"]) == (0, 1, 1)
    assert dedicated(backup) == dedicated(platform.databases.name) == (HONOUREE, None), "the gift stays"


def test_who_was_told_of_a_gift_does_not_come_back_either(gifts: Gifts, backup: str) -> None:
    platform = gifts.platform
    told = {name: gifts.secrets[name] for name in ("told", "told at")}
    assert platform.erase("--email-sha256", address_digest(gifts.secrets["told at"]))["dedications"] == 1
    again = platform.command("erase", "again", database=backup)
    assert (again["gifts"], again["dedications"]) == (0, 1)
    assert "dedication" not in {table for table, _ in named_in(platform, told, database=backup)}


def test_killed_before_the_keys_were_cut_erasing_again_cuts_them(gifts: Gifts) -> None:
    """What a command had removed before it was killed is not found by the next one; what it had closed is."""
    platform = gifts.platform
    killed = system_clock() - timedelta(minutes=10)
    assert len(close(platform.books.app, of_donors(), scope=DONORS, whose=[DIGEST], now=killed)) == 1
    assert platform.command("erase", "again")["gifts"] == 0
    with platform.books.app.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM closed_leaf WHERE cut_at IS NOT NULL")) == 1


def person(platform: Platform, number: int, *, owns: str | None = None) -> str:
    """Somebody with an account, as if they had registered; the owner of an organisation where one is named."""
    person_id, key = id_of("usr", number), people.PeopleKey(PEOPLE_KEY.encode())
    address = people.address_of(f"zoe-{number}@accounts-of-the-test.org")
    with psycopg.connect(
        platform.databases.server.running.cluster.url, dbname=platform.databases.name
    ) as master:
        master.execute(
            """
            INSERT INTO person (id, address_index, sealed_address, language, created_at, password_changed_at)
            VALUES (%s, %s, %s, 'en', %s, %s)
            """,
            (person_id, key.index_of(address), key.seal_address(address, of=person_id), NOW, NOW),
        )
        if owns is not None:
            master.execute("INSERT INTO member VALUES (%s, %s, 'owner', %s)", (owns, person_id, NOW))
    return person_id


def accounts(platform: Platform, database: str) -> set[str]:
    with psycopg.connect(platform.databases.server.running.cluster.url, dbname=database) as master:
        return {str(row[0]) for row in master.execute("SELECT id FROM person WHERE erased_at IS NULL")}


def test_who_deleted_their_account_does_not_come_back(platform: Platform) -> None:
    """In the backup one of them was an organisation's only owner: that one is named, and not forgotten meanwhile."""
    gone, stays = person(platform, 1), person(platform, 2)
    owner = person(platform, 3, owns=platform.organization_id)
    backup = backed_up(platform)
    with psycopg.connect(
        platform.databases.server.running.cluster.url, dbname=platform.databases.name
    ) as master:
        master.execute(
            "INSERT INTO member VALUES (%s, %s, 'owner', %s)", (platform.organization_id, stays, NOW)
        )
    for person_id in (gone, owner):
        assert platform.command("people", "forget", "--id", person_id) == {"id": person_id, "forgotten": True}
    listed = S3Erasures(bucket=platform.buckets[1])
    assert people.note_erased(platform.books.app, listed, now=NOW) == 2
    assert accounts(platform, backup) == {gone, stays, owner}

    told = platform.command("erase", "again", database=backup)
    assert (told["noted"], told["people"], told["needed"]) == (2, 1, [owner])
    assert accounts(platform, backup) == {stays, owner}
    assert "zoe-1@" not in str(list(platform.dump(database=backup)))
    letters = [content for table, content in platform.dump(database=backup) if table == "person_letter"]
    assert letters == [b""], "no second goodbye"
    platform.databases.server.run(f"DROP DATABASE {backup} WITH (FORCE)")


def test_the_list_of_erasures_names_nobody_and_finds_nothing_where_nothing_was_restored(gifts: Gifts) -> None:
    platform = gifts.platform
    platform.erase("--email-sha256", DIGEST)
    platform.erase("--email-sha256", DIGEST)
    listed = [(name, body) for name, body in platform.public_objects() if "/erased/" in name]
    assert len(listed) == 1
    assert found_in(listed[0][1], gifts.secrets) == []
    assert platform.command("erase", "again")["gifts"] == 0
