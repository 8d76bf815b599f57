"""A worker's database with a donor's plan and first gift, the key-tree bucket, and erasure step by step."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import select, text

from amply.entrypoints.personal_data import of_donors
from amply.infra.database import Database
from amply.infra.settings import CommitmentSettings
from amply.infra.vault import DONORS, CellLocation, Keyring, KeyTrees, StoredTree
from amply.infra.vault.keyring import COMING
from amply.infra.vault.puncturable_prf import KeyTree
from amply.infra.vault.shredding import Closing, close, finish, finish_what_was_left
from amply.kernel.clock import system_clock
from amply.modules import donations, ledger, recurring
from amply.modules.donations.models import DonationRow
from tests.backend.conftest import Databases
from tests.backend.key_service import MemoryTrees, new_keyring
from tests.backend.plan_world import ADA, Plans

COMMITMENT_KEY = "k" * 43
SECRETS = ledger.CommitmentSecrets.from_settings(CommitmentSettings(commitment_key=SecretStr(COMMITMENT_KEY)))


@dataclass
class House:
    """One worker with its keys, and what is around it."""

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

    def starts_anew(self) -> None:
        """The process does, and looks at its keys."""
        self.database.keyring = new_keyring(self.database, like=self.keys)
        self.keys.freshen()

    # ---- an erasure, step by step ----

    def close(self, whose: str = ADA) -> list[Closing]:
        return close(self.database, of_donors(), scope=DONORS, whose=[whose], now=system_clock())

    def remove(self, whose: str = ADA) -> None:
        with self.database.transaction() as session:
            recurring.forget(session, email_sha256=whose, donation_id=None, now=system_clock())
        donations.erase_donor(
            self.database, SECRETS, email_sha256=whose, donation_id=None, now=system_clock()
        )

    def finish(self, closed: list[Closing]) -> None:
        finish(self.database, of_donors(), closed, now=system_clock())

    def erase(self, whose: str = ADA) -> None:
        closed = self.close(whose)
        self.remove(whose)
        self.finish(closed)

    def worker(self, *, later: timedelta = timedelta()) -> int:
        return finish_what_was_left(self.database, of_donors(), now=system_clock() + later)

    # ---- what is there ----

    def gifts(self) -> dict[str, bytes]:
        """Each gift's sealed value, by its id: a copy, as a backup has it."""
        with self.database.transaction() as session:
            rows = session.execute(
                text("SELECT id, sealed FROM donation WHERE sealed IS NOT NULL ORDER BY id")
            )
            return {row.id: bytes(row.sealed) for row in rows}

    def opened(self, gift: str, sealed: bytes) -> bytes:
        """A copy of a gift's value, to a process with every key there is.

        Raises:
            LeafCut: It opens for nobody.
        """
        fresh = new_keyring(self.database, like=self.keys)
        fresh.freshen()
        return fresh.open(sealed, scope=DONORS, at=CellLocation(table="donation", column="sealed", row=gift))

    def addresses(self) -> list[str | None]:
        """What each gift says of its donor, to a process that starts now."""
        self.starts_anew()
        with self.database.transaction() as session:
            return [row.donor_email for row in session.scalars(select(DonationRow).order_by(DonationRow.id))]

    def rotate(self) -> None:
        self.keys.rotate(DONORS, now=system_clock() - COMING)


def furnished(databases: Databases) -> House:
    database = databases.as_role("amply_app")
    plans = Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC), secrets=SECRETS)
    plans.begin()
    return House(databases=databases, database=database, plans=plans)
