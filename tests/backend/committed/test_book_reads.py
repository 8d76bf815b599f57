"""Balances as they were, statements page by page, and how they are read when the ledger is large."""

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import TextClause, text

from amply.entrypoints.admin import main
from amply.kernel.money import Money
from amply.kernel.pagination import CursorNotAcceptable
from amply.modules import ledger
from amply.modules.ledger import balances, postings, statements
from amply.modules.ledger.posting_sql import fold
from ledger_format.entries import decode
from tests.backend.conftest import PASSWORD, Databases
from tests.backend.ledger_world import BIZ, NOW, ORG, OTHER_ORG, LedgerWorld
from tests.backend.unit.test_postings import euros

GIFTS = f"{ORG}/gifts"
BALANCE = f"{ORG}/processor_balance"


def gift(amount: int) -> postings.Lines:
    return postings.donation_succeeded(organization_id=ORG, amount=euros(amount))


def test_a_leaf_says_all_that_the_row_does(books: LedgerWorld) -> None:
    pending = postings.reserve(gift(1000))
    first = books.book(pending, kind="donation.processing")
    books.book(
        postings.post(entry_id=first.id, pending=pending, moved=gift(900)),
        kind="donation.succeeded",
        matches=first.id,
        reason="arrived_in_part",
    )
    books.book(gift(1), kind="entry.corrected", supersedes=first.id, reason="typing_error")
    books.book(postings.match_pledged(business_id=BIZ, amount=euros(5)), organization_id=BIZ)
    books.book(postings.payout_paid(owner=ledger.PLATFORM, amount=euros(5)), organization_id=ledger.PLATFORM)
    books.sequence()

    entries = [decode(raw) for raw in books.leaves()]
    assert [entry.transfers[0].phase for entry in entries[:2]] == ["pending", "post"]
    assert entries[1].transfers[0].pending == f"{first.id}#0"
    assert (entries[1].matches, entries[1].reason) == (first.id, "arrived_in_part")
    assert (entries[2].supersedes, entries[2].reason) == (first.id, "typing_error")
    assert [entry.org for entry in entries] == [ORG, ORG, ORG, BIZ, "platform"]
    assert [entry.org_seq for entry in entries] == [0, 1, 2, 0, 0]


def test_what_is_pending_is_no_part_of_what_is_posted(books: LedgerWorld) -> None:
    pending = postings.reserve(gift(1000))
    reserved = books.book(pending)
    books.sequence()
    books.book(postings.post(entry_id=reserved.id, pending=pending, moved=gift(900)))
    books.sequence()

    with books.app.transaction() as session:
        before, after = (
            ledger.balance_after(session, account=GIFTS, currency="EUR", size=size) for size in (1, 2)
        )
    assert (before.minor_units, before.sums.credits_pending) == (0, 1000)
    assert (after.minor_units, after.sums.credits_pending) == (900, 0), "the rest is released"
    assert books.balance(GIFTS) == (0, 900)


def test_the_same_key_for_another_link_or_phase_is_refused(books: LedgerWorld) -> None:
    first = books.book(gift(1000))
    step: dict[str, Any] = {"idempotency_key": "k", "reverses": first.id, "reason": "asked"}
    back = postings.refund(organization_id=ORG, amount=euros(10))
    made = books.book(back, **step)

    assert books.book(back, **step).id == made.id
    for lines, rest in (
        (postings.reserve(back), step),
        (back, step | {"reason": "other"}),
        (back, step | {"matches": first.id}),
    ):
        with pytest.raises(ledger.EntryContradicts):
            books.book(lines, **rest)


def test_a_repeated_step_of_two_phases_is_the_same_entry(books: LedgerWorld) -> None:
    pending = postings.reserve(gift(1000))
    reserved = books.book(pending)
    step = postings.post(entry_id=reserved.id, pending=pending, moved=gift(1000))
    first = books.book(step, idempotency_key="evt_1")

    assert books.book(step, idempotency_key="evt_1") == ledger.PostedEntry(id=first.id, created=False)
    with pytest.raises(ledger.PendingResolved):
        books.book(step, idempotency_key="evt_2")


def test_a_moment_means_the_newest_checkpoint_that_was_public_then(books: LedgerWorld) -> None:
    books.post_many(2)
    books.sequence()
    books.publish()
    books.post_many(3)
    books.sequence()

    def size_at(seconds: int) -> int:
        with books.app.transaction() as session:
            return ledger.size_at(session, moment=NOW + timedelta(seconds=seconds))

    assert (size_at(-1), size_at(0), size_at(3600)) == (0, 2, 2)


def test_a_statement_is_paged_and_every_page_stays_as_it_was(books: LedgerWorld) -> None:
    for amount in (100, 200, 300, 400, 500):
        books.book(gift(amount))
    books.sequence()

    def page(cursor: str | None, until: int | None = None) -> ledger.Statement:
        with books.app.transaction() as session:
            return ledger.statement(
                session,
                account=GIFTS,
                currency="EUR",
                from_size=1,
                until_size=until,
                cursor=cursor,
                limit=2,
            )

    first = page(None)
    books.book(gift(600))
    books.sequence()
    second = page(first.next_cursor, until=5)
    assert [line.amount_minor for line in (*first.lines, *second.lines)] == [200, 300, 400, 500]
    assert (first.opening.minor_units, first.closing.minor_units) == (100, 1500)
    assert second.next_cursor is None
    assert second.closing.minor_units == 1500
    line = first.lines[0]
    assert (line.index, line.line, line.side, line.other, line.kind) == (1, 0, "credit", BALANCE, "a.b")
    with pytest.raises(CursorNotAcceptable, match="next_cursor"):
        page("1; DROP TABLE entry")


def test_an_account_without_lines_has_an_empty_statement(books: LedgerWorld) -> None:
    with books.app.transaction() as session:
        empty = ledger.statement(session, account=GIFTS, currency="EUR")
    assert (empty.lines, empty.opening.minor_units, empty.closing.minor_units) == ((), 0, 0)


def test_an_entry_in_two_books_shows_in_both(books: LedgerWorld) -> None:
    books.book(postings.application_fee(organization_id=ORG, amount=euros(200)))
    books.sequence()

    with books.app.transaction() as session:
        platform = ledger.balances_of(session, owner=ledger.PLATFORM)
        organization = ledger.balances_of(session, owner=ORG)
    assert {balance.account: balance.minor_units for balance in (*platform, *organization)} == {
        "platform/contributions": 200,
        "platform/processor_balance": 200,
        f"{ORG}/platform_contributions_due": -200,
        BALANCE: -200,
    }


READS: list[tuple[TextClause, dict[str, Any]]] = [
    (balances._OF_OWNER, {"owner": ORG}),
    (balances._OF_OWNER_AFTER, {"owner": ORG, "size": 20_000}),
    (balances._AFTER, {"account": GIFTS, "currency": "EUR", "size": 20_000}),
    (balances._SIZE_AT, {"moment": NOW}),
    (text("SELECT * FROM standing_balance(:account, :currency)"), {"account": GIFTS, "currency": "EUR"}),
    (
        statements._LINES,
        {
            "account": GIFTS,
            "currency": "EUR",
            "after_index": 20_000,
            "after_line": -1,
            "until_size": 40_000,
            "limit": 101,
        },
    ),
]


def test_nothing_about_an_account_walks_the_whole_ledger(books: LedgerWorld, databases: Databases) -> None:
    master = databases.as_role("master")
    with master.transaction() as session:
        for filling in LARGE:
            session.execute(text(filling))
    with master.connection() as connection:
        connection.execute(text("ANALYZE"))
    for statement, parameters in READS:
        with books.app.transaction() as session:
            assert session.execute(statement, parameters).all(), str(statement)
            walked = list(session.scalars(WALKED))
        assert walked == [], str(statement)
    for count in (1, 2_000):
        with books.sequencer.transaction() as session:
            ids = [f"ent_{number:026d}" for number in range(count)]
            fold(session, ids, first_index=40_000 + count)
            read = set(session.scalars(WALKED))
        assert not read & GROWS_WITH_THE_LOG, f"folding a batch of {count}"
    master.close()


WALKED = text("SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0 ORDER BY relname")
"""Tables that this transaction has read from end to end, functions it called included."""

GROWS_WITH_THE_LOG = {"entry", "leaf", "posting", "transfer"}

LARGE = (
    "SET LOCAL session_replication_role = replica",
    "SET LOCAL synchronous_commit = off",
    f"""
    INSERT INTO account (owner, code, currency, opened_by)
    SELECT owner, code, 'EUR', '' FROM (
        SELECT 'org_' || lpad(n::text, 26, '0') AS owner FROM generate_series(0, 2000) AS n
    ) AS owners, (VALUES ('gifts'), ('processor_balance')) AS codes (code)
    WHERE owner <> '{OTHER_ORG}'
    """,  # noqa: S608 -- this file's own words
    """
    INSERT INTO entry (id, kind, organization_id, idempotency_key, event_at, created_at, commitments)
    SELECT 'ent_' || lpad(n::text, 26, '0'), 'a.b', 'org_' || lpad((n % 2000)::text, 26, '0'), n::text, now(), now(), '{}'
    FROM generate_series(0, 39999) AS n
    """,
    """
    INSERT INTO transfer (entry_id, line, debit, credit, currency, amount_minor)
    SELECT id, 0, organization_id || '/processor_balance', organization_id || '/gifts', 'EUR', 1 FROM entry
    """,
    """
    INSERT INTO leaf (idx, entry_id, org, org_seq, org_prev, bytes)
    SELECT n, 'ent_' || lpad(n::text, 26, '0'), 'org', n, CASE WHEN n > 0 THEN '\\x00'::bytea END, '\\x00'
    FROM generate_series(0, 39999) AS n
    """,
    """
    INSERT INTO posting
    SELECT account.number, leaf.idx, 0, 1, 1, 0, 0
    FROM leaf JOIN transfer USING (entry_id) JOIN account ON reference IN (debit, credit)
    """,
    "INSERT INTO balance SELECT reference, currency, 1, 1, 0, 0 FROM account",
    """
    INSERT INTO checkpoint (size, previous_size, root, note, created_at, published_at)
    SELECT n, nullif(n - 1, 0), decode(repeat('00', 32), 'hex'), 'x', now(), timestamptz '2026-11-21T00:00Z' + make_interval(secs => n)
    FROM generate_series(1, 9999) AS n
    """,
)


@pytest.fixture
def admin(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The operators' command line, as the role that only reads."""
    settings = databases.server.settings(name=databases.name, user="amply_read")
    for name, value in {
        "HOST": settings.host,
        "PORT": str(settings.port),
        "NAME": settings.name,
        "USER": settings.user,
        "AUTH": "password",
        "TLS": "disable",
        "PASSWORD": PASSWORD,
    }.items():
        monkeypatch.setenv(f"AMPLY_DATABASE_{name}", value)
    return lambda *words: CliRunner().invoke(main, ["books", *words])


def test_an_operator_sees_balances_statements_and_the_trial_balance(books: LedgerWorld, admin: Any) -> None:
    books.book(gift(1000))
    books.sequence()
    books.publish()
    books.book(postings.processor_fee(organization_id=ORG, amount=Money(minor_units=50, currency="EUR")))
    books.sequence()
    books.publish()

    trial = admin("trial-balance", "--every-checkpoint", "--recount")
    assert trial.exit_code == 0, trial.output
    assert trial.output.count('"debits_posted"') == 2
    assert '"size": 2, "currency": "EUR", "debits_posted": 1050, "credits_posted": 1050' in trial.output
    now, then = admin("balances", ORG).output, admin("balances", ORG, "--size", "1").output
    assert f'"account": "{BALANCE}", "balance": "9.50 EUR"' in now
    assert f'"account": "{BALANCE}", "balance": "10.00 EUR"' in then
    assert admin("balances", ORG, "--at", "2026-11-20").output == ""
    statement = admin("statement", BALANCE, "EUR", "--from", "1").output
    assert statement.splitlines()[0] == '{"opening_minor_units": "1000"}'
    assert statement.splitlines()[-1] == '{"closing_minor_units": "950"}'
    assert len(statement.splitlines()) == 3


def test_an_operator_is_told_when_the_books_do_not_balance(
    books: LedgerWorld, databases: Databases, admin: Any
) -> None:
    books.book(gift(1000))
    books.sequence()
    books.publish()
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(
            text("""
                UPDATE posting SET debits_posted = debits_posted + 1
                WHERE account = (SELECT number FROM account WHERE code = 'processor_balance')
            """)
        )
    master.close()

    told = admin("trial-balance", "--recount")
    assert told.exit_code == 1
    assert f"{BALANCE} EUR: the balance is not the sum of its transfers." in told.output
    assert "docs/runbooks/books-do-not-balance.md" in told.output


def test_an_account_is_closed_and_opened_again_by_a_command_with_a_reason(
    books: LedgerWorld, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.book(gift(10))
    refused = admin("close-account", GIFTS, "EUR", "--reason", "left")
    assert refused.exit_code, "the role that only reads may not"

    monkeypatch.setenv("AMPLY_DATABASE_USER", "amply_operator")
    assert admin("close-account", GIFTS, "EUR", "--reason", "left").exit_code == 0
    with pytest.raises(ledger.AccountClosed):
        books.book(gift(10))
    assert admin("reopen-account", GIFTS, "EUR", "--reason", "closed_by_mistake").exit_code == 0
    assert books.book(gift(10)).created
    assert admin("close-account", GIFTS, "EUR").exit_code == 2, "without a reason nothing is decided"


def test_an_account_on_which_money_is_reserved_is_not_closed(
    books: LedgerWorld, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.book(postings.reserve(gift(10)))
    monkeypatch.setenv("AMPLY_DATABASE_USER", "amply_operator")
    refused = admin("close-account", GIFTS, "EUR", "--reason", "left")
    assert isinstance(refused.exception, ledger.AccountUnsettled)
