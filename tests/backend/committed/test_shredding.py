"""An erasure takes a key along: copies of the rows from before open for nobody, and nobody else loses anything."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import structlog
from sqlalchemy import select, text

from amply.entrypoints.personal_data import of_donors
from amply.infra.database import Database
from amply.infra.vault import (
    DONORS,
    Head,
    KeyNotAtHand,
    Keyring,
    KeyTrees,
    LeafCut,
    Place,
    StoredTree,
    head_of,
)
from amply.infra.vault.keyring import COMING
from amply.infra.vault.shredding import (
    BACKUPS_LAST,
    LEFT_BEHIND,
    Closing,
    close,
    finish,
    finish_what_was_left,
    let_go_of_trees,
)
from amply.infra.vault.tending import tend
from amply.infra.vault.tree import KeyTree
from amply.infra.vault.trees import EMPTIED
from amply.kernel.clock import system_clock
from amply.modules import donations, giving, recurring
from amply.modules.donations.models import DonationRow
from amply.modules.recurring.models import PlanRow
from tests.backend.conftest import Databases
from tests.backend.key_service import MemoryTrees, Wrapping, keyring, new_keyring
from tests.backend.plan_world import ADA, EMAIL, Plans

LONG = timedelta(hours=3)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@dataclass
class House:
    """A worker's database with a donor's plan and its first gift, and the bucket of its trees."""

    databases: Databases
    database: Database
    plans: Plans

    @property
    def keys(self) -> Keyring:
        assert self.database.keyring is not None
        return self.database.keyring

    @property
    def trees(self) -> KeyTrees:
        assert self.keys.trees is not None
        return self.keys.trees

    @property
    def bucket(self) -> dict[str, StoredTree]:
        return MemoryTrees(bucket=self.databases.name).kept

    def tree(self, version: int = 1) -> KeyTree:
        held = self.trees.look(DONORS, version)
        assert held is not None
        assert held.tree is not None
        return held.tree

    def another(self, role: str = "amply_app") -> Database:
        """Another process, which looks at its keys when it must."""
        return self.databases.as_role(role)

    def close(self, whose: str = ADA) -> list[Closing]:
        return close(self.database, of_donors(), scope=DONORS, whose=whose, now=system_clock())

    def finish(self, closed: list[Closing]) -> None:
        finish(self.database, of_donors(), closed, now=system_clock())

    def worker(self, *, later: timedelta = timedelta()) -> int:
        return finish_what_was_left(self.database, of_donors(), now=system_clock() + later)

    def sealed(self, table: str = "donation") -> list[bytes]:
        with self.database.transaction() as session:
            return [
                bytes(each)
                for each in session.scalars(
                    text(f"SELECT sealed FROM {table} WHERE sealed IS NOT NULL ORDER BY id")  # noqa: S608 -- this file's words
                )
            ]

    def names(self) -> list[str | None]:
        """What each gift says of its donor, to a process that starts now."""
        self.database.keyring = new_keyring(self.database, like=self.keys)
        with self.database.transaction() as session:
            return [row.donor_email for row in session.scalars(select(DonationRow).order_by(DonationRow.id))]

    def give(self, email: str = EMAIL, *, key: str = "another") -> None:
        """Another gift, by a donor who may have given before."""
        before = self.plans.begun
        self.plans.start(key=key, email=email)
        assert before

    def rotate(self) -> None:
        self.keys.rotate(DONORS, now=system_clock() - COMING)


@pytest.fixture
def house(databases: Databases) -> House:
    database = databases.as_role("amply_app")
    plans = Plans(database, now=NOW)
    plans.begin()
    return House(databases=databases, database=database, plans=plans)
