"""A backup from before an erasure, restored: what was erased is erased again by the list of erasures."""

from collections.abc import Iterator, Mapping

import pytest

from amply.modules.mail import address_digest
from tests.backend.contract.whole_way import EMAIL, Gifts, Platform
from tests.backend.personal_data import found_in

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
    assert told == {"noted": 1, "gifts": 1, "entries": 2, "dedications": 0}
    assert named_in(platform, gifts.secrets, database=backup) == []
    still = {name for _, found in named_in(platform, gifts.others, database=backup) for name in found}
    assert still == set(gifts.others) - SEALED, "nobody else was forgotten"
    assert platform.command("erase", "again", database=backup)["gifts"] == 0


def test_who_was_told_of_a_gift_does_not_come_back_either(gifts: Gifts, backup: str) -> None:
    platform = gifts.platform
    told = {name: gifts.secrets[name] for name in ("told", "told at")}
    assert platform.erase("--email-sha256", address_digest(gifts.secrets["told at"]))["dedications"] == 1
    again = platform.command("erase", "again", database=backup)
    assert (again["gifts"], again["dedications"]) == (0, 1)
    assert "dedication" not in {table for table, _ in named_in(platform, told, database=backup)}


def test_the_list_of_erasures_names_nobody_and_finds_nothing_where_nothing_was_restored(gifts: Gifts) -> None:
    platform = gifts.platform
    platform.erase("--email-sha256", DIGEST)
    platform.erase("--email-sha256", DIGEST)
    listed = [(name, body) for name, body in platform.public_objects() if "/erased/" in name]
    assert len(listed) == 1
    assert found_in(listed[0][1], gifts.secrets) == []
    assert platform.command("erase", "again")["gifts"] == 0
