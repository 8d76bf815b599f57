"""The data marketplace: control plane in memory, real ledger, and the worker's tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import forbid_transaction
from amply.kernel.money import Money
from amply.modules import marketplace, organizations
from amply.modules.marketplace import (
    Contract,
    ContractMoved,
    NewContract,
    Per,
    Period,
    RevenueLine,
    Used,
)
from tests.backend.ledger_world import LedgerWorld
from tests.backend.world import Died

GIB: Final = 1 << 30
NOVEMBER: Final = Period(2026, 11)
OPENED_AT: Final = datetime(2026, 11, 27, tzinfo=UTC)
SETTLED_AT: Final = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


@dataclass
class FakeControl:
    """All tables. `dies_at`: the process ends before so many more lines of revenue are written; `is_away`: nobody answers."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    used: dict[tuple[str, str], Used] = field(default_factory=dict)
    lines: dict[tuple[str, str], RevenueLine] = field(default_factory=dict)
    dies_at: int | None = None
    is_away: bool = False

    def get(self, contract_id: str) -> Contract | None:
        forbid_transaction("get a contract")
        return self.contracts.get(contract_id)

    def all(self) -> Iterator[Contract]:
        forbid_transaction("scan contracts")
        return iter(list(self.contracts.values()))

    def put(self, contract: Contract, *, replaces: int | None) -> None:
        forbid_transaction("put a contract")
        known = self.contracts.get(contract.contract_id)
        if (known.version if known else None) != replaces:
            raise ContractMoved
        self.contracts[contract.contract_id] = contract

    def month(self, contract_id: str, period: Period) -> Used:
        forbid_transaction("read usage")
        return self.used.get((contract_id, str(period)), Used(by_dataset={}, total=0))

    def owner(self, dataset_id: str) -> str | None:
        forbid_transaction("ask for an owner")
        return self.owners.get(dataset_id)


@dataclass
class FakeRevenue:
    """The table of shares."""

    control: FakeControl

    def put(self, line: RevenueLine) -> None:
        forbid_transaction("put a share")
        if self.control.is_away:
            raise TimeoutError
        if self.control.dies_at == 0:
            self.control.dies_at = None
            raise Died
        if self.control.dies_at is not None:
            self.control.dies_at -= 1
        self.control.lines.setdefault((str(line.period), line.transfer_id), line)


@dataclass
class FakeGrants:
    """Tokens are given elsewhere."""

    given: list[marketplace.Grant] = field(default_factory=list)

    def of_token(self, token_digest: str) -> list[marketplace.Grant]:
        return [grant for grant in self.given if grant.token_digest == token_digest]

    def give(self, grants: Sequence[marketplace.Grant]) -> bool:
        known = {(grant.token_digest, grant.dataset_id) for grant in self.given}
        if any((grant.token_digest, grant.dataset_id) in known for grant in grants):
            return False
        self.given.extend(grants)
        return True

    def of(self, contract_id: str) -> list[marketplace.Grant]:
        return [grant for grant in self.given if grant.contract_id == contract_id]

    def revoke(self, grant: marketplace.Grant, *, now: datetime) -> None:
        self.given = [replace(each, revoked_at=now) if each == grant else each for each in self.given]


class Revenue:
    """A ledger, contracts, and months that are settled."""

    def __init__(self, books: LedgerWorld, *, people: Mapping[str, int] | None = None) -> None:
        self.books = books
        self.control = FakeControl()
        self.people: dict[str, int] = dict(people or {})
        self.settling = marketplace.SettlementDependencies(
            database=books.app,
            secrets=books.secrets,
            contracts=self.control,
            usage=self.control,
            catalogue=self.control,
            revenue=FakeRevenue(self.control),
            people=self._people,
        )
        self.selling = marketplace.ContractStores(
            contracts=self.control, grants=FakeGrants(), catalogue=self.control
        )

    def _people(self, _session: Session, _until: datetime) -> Mapping[str, int]:
        return self.people

    def opens(
        self,
        *datasets: str,
        buyer: str = "acme-research",
        price: int = 10_000,
        per: Per = Per.MONTH,
        share: int = 7_000,
    ) -> Contract:
        return marketplace.open_contract(
            self.selling,
            NewContract(
                buyer=buyer,
                datasets=datasets,
                price=Money(minor_units=price, currency="EUR"),
                per=per,
                seller_share_bp=share,
                bytes_a_month=100 * GIB,
                starts_at=datetime(2026, 11, 10, tzinfo=UTC),
                ends_at=datetime(2027, 11, 10, tzinfo=UTC),
            ),
            now=OPENED_AT,
        )

    def uses(self, contract: Contract, period: Period = NOVEMBER, **by_dataset: int) -> None:
        self.control.used[contract.contract_id, str(period)] = Used(
            by_dataset=by_dataset, total=sum(by_dataset.values())
        )

    def settles(self, now: datetime = SETTLED_AT) -> int:
        return marketplace.settle_due(self.settling, now=now)

    def tells(self, now: datetime = SETTLED_AT) -> int:
        return marketplace.tell_revenue(self.settling, now=now)

    def rows(self, statement: str) -> list[Any]:
        with self.books.app.transaction() as session:
            return list(session.execute(text(statement)))

    def entries(self) -> list[tuple[str, str, str, int]]:
        """Kind, debit, credit and amount of every line, in the order of posting; owners of 26 equal digits by one."""
        return [
            tuple(row)
            for row in self.rows(
                "SELECT entry.kind, transfer.debit, transfer.credit, transfer.amount_minor FROM entry "
                "JOIN transfer ON transfer.entry_id = entry.id ORDER BY entry.number, transfer.line"
            )
        ]

    def settlements(self, period: Period = NOVEMBER) -> list[Mapping[str, Any]]:
        with self.books.app.transaction() as session:
            return marketplace.settlements_of(session, period=period, contract_id=None)


def owner(revenue: Revenue, slug: str, *datasets: str) -> str:
    """An organisation that owns these."""
    with revenue.books.app.transaction() as session:
        made = organizations.create(session, name=slug, slug=slug, country="DE", now=SETTLED_AT).id
    revenue.control.owners |= dict.fromkeys(datasets, made)
    return made


def euros(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")
