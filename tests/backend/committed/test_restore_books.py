"""All that books can say comes back from the public log: phases, reversals, corrections, payouts, promises."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from amply.entrypoints.restoration import FactIn
from amply.infra.database import Database
from amply.modules import ledger
from amply.modules.ledger import postings
from tests.backend.books_model import EVENTS, Life, euros
from tests.backend.conftest import Databases
from tests.backend.ledger_world import BIZ, NOW, ORG, LedgerWorld
from tests.backend.restored_database import Loss

BEGINNINGS = {"processing", "ask_refund", "dispute", "ask_payout", "payout_by_schedule"}
"""What can end in two ways."""

BEFORE, LATER = (1, 2, 3), (1, 0, 2)
"""How often each kind of event happens, and to which of those that wait for one."""


@pytest.fixture
def master(databases: Databases) -> Iterator[Database]:
    opened = databases.as_role("master")
    yield opened
    opened.close()


def live(life: Life, rounds: tuple[int, ...]) -> None:
    """Everything that can happen, in amounts that are all different, so that each entry says something of its own."""
    for number, event in ((number, event) for number in rounds for event in EVENTS):
        life.due += len(life.history)
        more = 10_000 if event in {"gift", "processing", "arrives"} else 10
        for again in range(2 if event in BEGINNINGS else event != "sequence"):
            life.live(event, 100 * len(life.history) + more + number, number + again)


def promise(books: LedgerWorld) -> None:
    """A business promises and keeps its word; a payout settles under its name at the processor."""
    gift = books.book(postings.donation_succeeded(organization_id=ORG, amount=euros(77)))
    pledge = postings.reserve(postings.match_pledged(business_id=BIZ, amount=euros(7_000)))
    books.book(pledge, kind="match.pledged", organization_id=BIZ)
    books.book(
        postings.match_paid(business_id=BIZ, organization_id=ORG, amount=euros(78)),
        kind="match.paid",
        matches=gift.id,
    )
    books.book(
        postings.payout_paid(owner=ORG, amount=euros(5)),
        kind="payout.paid",
        reference="stripe:payout:po_1",
    )


def facts_of(loss: Loss, start: int) -> list[ledger.NewEntry]:
    """What an operator's file says of the entries from `start` on: the log's own words, and the keys of facts."""
    with loss.books.app.transaction() as session:
        rows = session.execute(text("SELECT id, idempotency_key FROM entry"))
        keys = {row.id: loss.books.keys[row.idempotency_key] for row in rows}
    return [_fact(json.loads(raw), keys) for raw in loss.books.leaves()[start:]]


def _fact(said: dict[str, Any], keys: Mapping[str, str]) -> ledger.NewEntry:
    links: dict[str, Any] = {
        name: said[name] for name in ("reverses", "supersedes", "matches", "reason") if name in said
    }
    line: dict[str, Any] = {
        "idempotency_key": keys[said["id"]],
        "kind": said["kind"],
        "organization_id": said["org"],
        "event_at": said["ts"],
        "transfers": said["transfers"],
        **links,
    }
    return FactIn.model_validate_json(json.dumps(line)).entry()


def test_a_whole_life_comes_back_byte_for_byte(books: LedgerWorld, master: Database) -> None:
    life = Life(books, org=ORG)
    live(life, BEFORE)
    books.sequence()
    books.publish()
    start = len(books.leaves())
    loss = Loss.of(books, master)
    live(life, LATER)
    promise(books)
    life.settle()
    books.sequence()
    books.publish()
    published, accounts = books.leaves(), loss.accounts()
    said = b"".join(published[start:])
    for word in (
        b'"pending"',
        b'"post"',
        b'"void"',
        b'"reverses"',
        b'"supersedes"',
        b'"matches"',
        b'"reason"',
    ):
        assert word in said, word
    facts = facts_of(loss, start)
    loss.strike()

    restored = loss.restore(*reversed(facts))

    assert restored == ledger.Restored(start=start, size=len(published), waiting=0, keyless=())
    assert books.leaves() == published
    assert loss.accounts() == accounts
    for fact in facts:
        with books.app.transaction() as session:
            assert not ledger.post(session, entry=fact, now=NOW, secrets=books.secrets).created
    books.check()


@pytest.mark.parametrize("link", ["reverses", "supersedes", "matches", "reason", "phase", "pending"])
def test_a_fact_that_says_less_than_an_entry_is_another(
    link: str, books: LedgerWorld, master: Database
) -> None:
    gift = books.book(postings.donation_succeeded(organization_id=ORG, amount=euros(900)))
    held = postings.reserve(postings.donation_succeeded(organization_id=ORG, amount=euros(900)))
    first, second = books.book(held), books.book(held)
    books.sequence()
    books.publish()
    loss = Loss.of(books, master)
    moved = postings.donation_succeeded(organization_id=ORG, amount=euros(900))
    said = dict.fromkeys(("reverses", "supersedes", "matches"), gift.id)
    lines = postings.post(entry_id=first.id, pending=held, moved=moved)
    books.book(lines, reason="wrong_amount", **said)
    books.sequence()
    books.publish()
    (fact,) = facts_of(loss, 3)
    others: dict[str, dict[str, Any]] = {
        "phase": {"transfers": postings.reserve(moved)},
        "pending": {"transfers": postings.post(entry_id=second.id, pending=held, moved=moved)},
        "reason": {"reason": "wrong_organization"},
    }
    loss.strike()

    assert len(loss.restore(replace(fact, **others.get(link, {link: second.id}))).keyless) == 1


def test_what_was_allowed_by_what_stands_after_it_comes_back(books: LedgerWorld, master: Database) -> None:
    """A transaction that begins early and asks late: the log has it before what it saw, where it was not allowed."""
    gift = books.book(postings.donation_succeeded(organization_id=ORG, amount=euros(100)))
    back = postings.reserve(postings.refund(organization_id=ORG, amount=euros(100)))
    failing = books.book(back, reverses=gift.id)
    books.sequence()
    books.publish()
    loss = Loss.of(books, master)
    out = postings.reserve(postings.payout_created(owner=ORG, amount=euros(1_000)))

    def meanwhile() -> None:
        books.book(postings.void(entry_id=failing.id, pending=back), reverses=gift.id)
        books.book(postings.donation_succeeded(organization_id=ORG, amount=euros(1_100)))

    with ThreadPoolExecutor(1) as another, books.app.transaction() as early:
        ledger.post(early, entry=books.entry(minor_units=1), now=NOW, secrets=books.secrets)
        another.submit(meanwhile).result()
        for entry in (
            replace(books.entry(), transfers=back, reverses=gift.id),
            replace(books.entry(), transfers=out),
        ):
            ledger.post(early, entry=entry, now=NOW, secrets=books.secrets)
    books.sequence()
    books.publish()
    published, accounts = books.leaves(), loss.accounts()
    facts = facts_of(loss, 2)
    assert [fact.transfers[0].phase for fact in facts] == [None, "pending", "pending", "void", None]
    loss.strike()

    assert loss.restore(*facts).keyless == ()

    assert (books.leaves(), loss.accounts()["accounts"]) == (published, accounts["accounts"])
    with pytest.raises(ledger.ReversalExceedsOriginal):
        books.book(back, reverses=gift.id)
    with pytest.raises(ledger.BalanceInsufficient):
        books.book(out)


def test_an_account_that_was_closed_at_the_backup_takes_what_is_public(
    books: LedgerWorld, master: Database
) -> None:
    def decide(decision: Callable[..., None]) -> None:
        with books.app.transaction() as session:
            decision(session, account=f"{ORG}/gifts", currency="EUR", reason="left", now=NOW)

    books.post()
    books.sequence()
    books.publish()
    decide(ledger.close_account)
    loss = Loss.of(books, master)
    decide(ledger.reopen_account)
    books.post()
    books.sequence()
    books.publish()
    loss.strike()

    assert loss.restore().size == 2
    with pytest.raises(ledger.AccountClosed):
        books.post()


@pytest.mark.parametrize("role", ["amply_app", "amply_sequencer"])
def test_no_service_can_say_that_it_puts_back(role: str, books: LedgerWorld, databases: Databases) -> None:
    gift = books.book(postings.donation_succeeded(organization_id=ORG, amount=euros(100)))
    asked = databases.as_role(role)
    with asked.transaction() as session:
        session.execute(text("SET LOCAL amply.puts_back = 'public'"))
        assert session.scalar(text("SELECT puts_back_what_is_public()")) is False
        back = postings.reserve(postings.refund(organization_id=ORG, amount=euros(101)))
        if role == "amply_app":
            with pytest.raises(ledger.ReversalExceedsOriginal):
                ledger.post(
                    session,
                    entry=replace(books.entry(), transfers=back, reverses=gift.id),
                    now=NOW,
                    secrets=books.secrets,
                )
    asked.close()
