"""Months of released data on the real books: each is settled once whatever dies, owners are told, and what was wrong is taken back."""

import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from amply.modules import ledger, marketplace
from amply.modules.marketplace import AgreedAmount, Payment, Per, Period, TransferKind, Used
from amply_verify.cli import cli
from amply_verify.outcome import Exit
from tests.backend.committed.test_reconcile import publish, reconcile
from tests.backend.conftest import Databases
from tests.backend.ledger_world import LedgerWorld
from tests.backend.revenue_world import GIB, NOVEMBER, SETTLED_AT, FakeControl, Revenue, euros, owner
from tests.backend.world import Died, death


@pytest.fixture
def revenue(books: LedgerWorld) -> Revenue:
    return Revenue(books)


def test_a_month_is_booked_in_both_books_and_told_to_its_owners(revenue: Revenue) -> None:
    river, hill = owner(revenue, "river"), owner(revenue, "hill", "visits")
    revenue.control.owners["gifts"] = "platform"
    revenue.people = {river: 30, hill: 10}
    contract = revenue.opens("gifts", "visits")
    revenue.uses(contract, gifts=2 * GIB, visits=GIB)

    assert revenue.settles() == 1
    (settled,) = revenue.settlements()
    assert (settled["owed_minor"], settled["fee_minor"], settled["used_bytes"]) == (10_000, 3_000, 3 * GIB)
    assert [line for line in revenue.entries() if line[0] == "data.settled"] == [
        ("data.settled", "platform/data_receivable", "platform/data_fees", 3_000),
        ("data.settled", "platform/data_receivable", "platform/data_shares_due", 7_000),
    ]
    credited = {line[1:] for line in revenue.entries() if line[0] == "data.share_credited"}
    assert credited == {
        (f"{river}/data_shares_receivable", f"{river}/data_shares", 3_500),
        (f"{hill}/data_shares_receivable", f"{hill}/data_shares", 1_167),
        (f"{hill}/data_shares_receivable", f"{hill}/data_shares", 2_333),
    }

    assert revenue.control.lines == {}, "the ledger has it first"
    assert (revenue.tells(), revenue.tells()) == (1, 0)
    told = sorted(
        (line.credited, line.dataset_id or "", line.amount.minor_units)
        for line in revenue.control.lines.values()
    )
    assert told == sorted(
        [("platform", "", 3_000), (river, "gifts", 3_500), (hill, "gifts", 1_167), (hill, "visits", 2_333)]
    )
    entries = {row.id for row in revenue.rows("SELECT id FROM entry")}
    assert {transfer.removesuffix("#0") for _, transfer in revenue.control.lines} == entries


def test_a_month_is_settled_once_however_often_it_is_asked_for_and_by_how_many(revenue: Revenue) -> None:
    owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    made: list[tuple[str, bool]] = []
    together = threading.Barrier(4, timeout=30)

    def settle() -> None:
        together.wait()
        made.append(marketplace.settle(revenue.settling, contract, NOVEMBER, agreed=None, now=SETTLED_AT))

    threads = [threading.Thread(target=settle) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({settlement for settlement, _ in made}) == 1
    assert sorted(created for _, created in made) == [False, False, False, True]
    assert revenue.settles() == 0
    assert len(revenue.entries()) == 3


@pytest.mark.parametrize("posts", [0, 1, 2])
def test_what_dies_between_entries_leaves_none_of_them(
    revenue: Revenue, monkeypatch: pytest.MonkeyPatch, posts: int
) -> None:
    owner(revenue, "river", "gifts")
    owner(revenue, "hill", "visits")
    revenue.opens("gifts", "visits")
    post, left = ledger.post, [posts]

    def dying(session: Session, **said: Any) -> ledger.PostedEntry:
        if left[0] == 0:
            raise Died
        left[0] -= 1
        return post(session, **said)

    with monkeypatch.context() as within:
        within.setattr(ledger, "post", dying)
        with death():
            revenue.settles()
    assert (revenue.entries(), revenue.settlements()) == ([], [])
    assert revenue.settles() == 1
    assert [line[0] for line in revenue.entries()] == [
        *("data.settled", "data.settled", "data.share_credited", "data.share_credited"),
    ]


def test_owners_are_told_once_wherever_the_telling_dies(revenue: Revenue) -> None:
    owner(revenue, "river", "gifts")
    owner(revenue, "hill", "visits")
    revenue.opens("gifts", "visits")
    revenue.settles()
    for number in range(3):
        revenue.control.dies_at = number
        with death():
            revenue.tells(SETTLED_AT + timedelta(days=number))
    assert revenue.tells(SETTLED_AT + timedelta(days=4)) == 1
    assert sorted(line.amount.minor_units for line in revenue.control.lines.values()) == [3_000, 3_500, 3_500]


def test_a_table_that_is_away_is_told_later_and_the_books_stand(revenue: Revenue) -> None:
    owner(revenue, "river", "gifts")
    revenue.opens("gifts")
    revenue.settles()
    revenue.control.is_away = True
    with capture_logs() as logs:
        for hours in range(8):
            assert revenue.tells(SETTLED_AT + timedelta(hours=hours)) == 0
    assert [line["event"] for line in logs] == ["data_share_not_told"] * 8, (
        "once an hour, so that its alarm lasts"
    )
    revenue.control.is_away = False
    assert revenue.tells(SETTLED_AT + timedelta(hours=8)) == 1


def test_what_was_disputed_is_taken_back_and_settled_anew_as_agreed(revenue: Revenue) -> None:
    river = owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    revenue.settles()
    revenue.tells()
    (first,) = revenue.settlements()

    def reverse() -> bool:
        return marketplace.reverse_settlement(
            revenue.books.app,
            revenue.books.secrets,
            settlement_id=first["id"],
            reason="volume_disputed",
            now=SETTLED_AT + timedelta(days=9),
        )

    assert (reverse(), reverse()) == (True, False)
    assert revenue.settles(SETTLED_AT + timedelta(days=10)) == 0, "people decide what comes of it"
    assert revenue.books.standing(f"{river}/data_shares_receivable").minor_units == 0
    assert revenue.books.standing("platform/data_receivable").minor_units == 0

    agreed = AgreedAmount(owed=euros(6_000), reason="volume_disputed")
    again = SETTLED_AT + timedelta(days=11)
    second, created = marketplace.settle(revenue.settling, contract, NOVEMBER, agreed=agreed, now=again)
    assert created
    assert revenue.books.standing(f"{river}/data_shares_receivable").minor_units == 4_200
    assert revenue.tells(again) == 2
    amounts = sorted(line.amount.minor_units for line in revenue.control.lines.values())
    assert amounts == [-7_000, -3_000, 1_800, 3_000, 4_200, 7_000]
    assert [
        (each["number"], each["owed_minor"], each["reversal_reason"], each["reason"])
        for each in revenue.settlements()
    ] == [
        (1, 10_000, "volume_disputed", None),
        (2, 6_000, None, "volume_disputed"),
    ]
    named = revenue.rows("SELECT kind, reverses FROM entry WHERE reverses IS NOT NULL ORDER BY kind")
    assert [(row.kind, row.reverses) for row in named] == [
        ("data.reversed", first["entry"]),
        ("data.share_reversed", first["shares"][0]["entry"]),
    ]
    assert revenue.settlements()[1]["id"] == second


def test_a_month_that_was_settled_and_reversed_while_the_worker_was_at_others_is_not_settled_by_it(
    revenue: Revenue,
) -> None:
    owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    by_hand: list[str] = []

    class Slow(FakeControl):
        def month(self, contract_id: str, period: Period) -> Used:
            """Read by the worker, which has looked what is settled: meanwhile somebody settles and reverses."""
            if not by_hand:
                made, _ = marketplace.settle(
                    revenue.settling, contract, NOVEMBER, agreed=None, now=SETTLED_AT
                )
                by_hand.append(made)
                marketplace.reverse_settlement(
                    revenue.books.app,
                    revenue.books.secrets,
                    settlement_id=made,
                    reason="volume_disputed",
                    now=SETTLED_AT,
                )
            return super().month(contract_id, period)

    assert marketplace.settle_due(replace(revenue.settling, usage=Slow()), now=SETTLED_AT) == 0
    assert [each["id"] for each in revenue.settlements()] == by_hand


def test_money_that_came_and_went_is_booked_once_by_its_reference(revenue: Revenue) -> None:
    river = owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    revenue.settles()

    def note(way: TransferKind, party: str, minor_units: int, reference: str) -> marketplace.RecordedPayment:
        return marketplace.note_payment(
            revenue.books.app,
            revenue.books.secrets,
            Payment(
                way=way,
                party=party,
                amount=euros(minor_units),
                reference=reference,
                happened_on=date(2026, 12, 14),
            ),
            now=SETTLED_AT + timedelta(days=20),
        )

    first = note(TransferKind.RECEIVED, contract.contract_id, 4_000, "E2E-1")
    assert (first.created, first.open_minor) == (True, 6_000)
    again = note(TransferKind.RECEIVED, contract.contract_id, 4_000, "E2E-1")
    assert (again.id, again.created, again.open_minor) == (first.id, False, 6_000)
    with pytest.raises(marketplace.PaymentContradicts):
        note(TransferKind.RECEIVED, contract.contract_id, 4_001, "E2E-1")
    assert note(TransferKind.RECEIVED, contract.contract_id, 6_500, "E2E-2").open_minor == -500, (
        "it did arrive"
    )

    with pytest.raises(marketplace.MoreThanDue, match=r"70\.00 EUR"):
        note(TransferKind.PASSED_ON, river, 7_001, "OUT-1")
    assert note(TransferKind.PASSED_ON, river, 7_000, "OUT-1").open_minor == 0
    held = {
        name: revenue.books.standing(name).minor_units
        for name in (
            *("platform/data_receivable", "platform/data_shares_due", "platform/offline_received"),
            *(f"{river}/data_shares_receivable", f"{river}/offline_received", f"{river}/data_shares"),
        )
    }
    assert held == {
        "platform/data_receivable": -500,
        "platform/data_shares_due": 0,
        "platform/offline_received": 3_500,
        f"{river}/data_shares_receivable": 0,
        f"{river}/offline_received": 7_000,
        f"{river}/data_shares": 7_000,
    }
    with pytest.raises(marketplace.NothingOwed):
        note(TransferKind.RECEIVED, "dct_" + "9" * 26, 1, "E2E-3")
    with pytest.raises(marketplace.ContractNotAcceptable, match="nobody's name"):
        note(TransferKind.RECEIVED, contract.contract_id, 1, "from Ada Lovelace")

    marketplace.reverse_settlement(
        revenue.books.app,
        revenue.books.secrets,
        settlement_id=revenue.settlements()[0]["id"],
        reason="volume_disputed",
        now=SETTLED_AT + timedelta(days=21),
    )
    again = note(TransferKind.RECEIVED, contract.contract_id, 4_000, "E2E-1")
    assert (again.id, again.created, again.open_minor) == (first.id, False, -10_500)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_whoever_audits_the_log_accepts_months_and_their_reversals(
    revenue: Revenue, databases: Databases, tmp_path: Path
) -> None:
    owner(revenue, "river", "gifts")
    owner(revenue, "hill", "visits")
    revenue.opens("gifts", "visits", price=9_999)
    revenue.settles()
    (settled,) = revenue.settlements()
    marketplace.reverse_settlement(
        revenue.books.app,
        revenue.books.secrets,
        settlement_id=settled["id"],
        reason="volume_disputed",
        now=SETTLED_AT,
    )
    publish(revenue.books, tmp_path)
    revenue.books.check_log(size=6)
    audited = CliRunner().invoke(
        cli, ["audit", str(tmp_path), "--key", str(revenue.books.verifier), "--json"]
    )
    assert audited.exit_code == Exit.VERIFIED, audited.output
    held = reconcile(revenue.books, databases, tmp_path)
    assert held.exit_code == Exit.VERIFIED, held.output
    assert json.loads(held.stdout)["published"] == 6


def test_months_that_cannot_be_settled_wait_and_hold_up_no_other(revenue: Revenue) -> None:
    owner(revenue, "river", "gifts")
    revenue.control.owners |= {"nobodys": "platform", "lost": "org_" + "9" * 26}
    good, nobodys, lost = (revenue.opens(name) for name in ("gifts", "nobodys", "lost"))
    contradicts = revenue.opens("gifts", buyer="other-research")
    month = (contradicts.contract_id, str(NOVEMBER))
    revenue.control.used[month] = Used(by_dataset={"gifts": 5}, total=6)
    with capture_logs() as logs:
        assert revenue.settles() == 1
    assert {line["contract_id"]: line["reason"] for line in logs if line["event"] == "data_not_settled"} == {
        nobodys.contract_id: "data_nobody_to_credit",
        lost.contract_id: "organization_not_found",
        contradicts.contract_id: "data_usage_contradicts",
    }
    assert [each["contract"] for each in revenue.settlements()] == [good.contract_id]
    agreed = AgreedAmount(owed=euros(100), reason="usage_disputed")
    assert marketplace.settle(revenue.settling, contradicts, NOVEMBER, agreed=agreed, now=SETTLED_AT)[1]
    with pytest.raises(marketplace.MonthNotOver):
        marketplace.settle(revenue.settling, good, Period(2026, 12), agreed=None, now=SETTLED_AT)
    with pytest.raises(marketplace.NothingToSettle):
        marketplace.settle(revenue.settling, good, Period(2026, 10), agreed=None, now=SETTLED_AT)


def test_a_month_without_use_by_gib_is_settled_with_nothing_and_books_nothing(revenue: Revenue) -> None:
    owner(revenue, "river", "gifts")
    revenue.opens("gifts", per=Per.GIB)
    assert (revenue.settles(), revenue.settles()) == (1, 0)
    assert (revenue.entries(), revenue.tells(), revenue.control.lines) == ([], 1, {})


def test_an_amendment_keeps_the_price_of_the_month_that_has_begun(revenue: Revenue) -> None:
    owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    marketplace.amend_contract(
        revenue.selling,
        contract.contract_id,
        marketplace.Amendment(price=euros(20_000), bytes_a_month=GIB),
        now=datetime(2026, 11, 30, 23, 59, tzinfo=UTC),
    )
    assert revenue.control.contracts[contract.contract_id].bytes_a_month == GIB
    assert revenue.settles(datetime(2027, 1, 1, 1, 0, tzinfo=UTC)) == 2
    assert [revenue.settlements(month)[0]["owed_minor"] for month in (NOVEMBER, Period(2026, 12))] == [
        10_000,
        20_000,
    ]


def test_a_contract_that_has_ended_is_not_prolonged_over_months_in_which_nobody_could_read(
    revenue: Revenue,
) -> None:
    owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    prolonged = marketplace.Amendment(ends_at=datetime(2029, 1, 1, tzinfo=UTC))
    with pytest.raises(marketplace.ContractClosed, match="open another"):
        marketplace.amend_contract(
            revenue.selling, contract.contract_id, prolonged, now=contract.ends_at + timedelta(days=60)
        )
    assert revenue.control.contracts == {contract.contract_id: contract}


def test_a_closed_contract_owes_the_month_it_was_closed_in_and_none_after(revenue: Revenue) -> None:
    owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    closed = marketplace.close_contract(
        revenue.selling, contract.contract_id, now=datetime(2026, 12, 3, tzinfo=UTC)
    )
    assert not closed.is_active
    assert revenue.settles(datetime(2027, 2, 1, 1, 0, tzinfo=UTC)) == 2
    with pytest.raises(marketplace.ContractClosed):
        marketplace.amend_contract(
            revenue.selling, contract.contract_id, marketplace.Amendment(bytes_a_month=1), now=SETTLED_AT
        )
