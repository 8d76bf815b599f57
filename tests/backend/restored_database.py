"""A database restored to an earlier state beside an unchanged public log, and its recovery."""

from dataclasses import dataclass, field
from typing import Any, Final, Self

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.roles import OWNER
from amply.modules import ledger
from tests.backend.ledger_world import NOW, LedgerWorld

_TABLES: Final = (
    "opening",
    "transfer",
    "entry",
    "leaf",
    "tile",
    "account",
    "account_closure",
    "posting",
    "balance",
    "trial_balance",
    "spendable",
    "checkpoint",
    "outbox",
)
_COLUMNS: Final = text("""
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
""")
_BOOKS: Final = {
    "accounts": """
        SELECT account, currency, debits_posted, credits_posted, debits_pending, credits_pending
        FROM balance ORDER BY account, currency
    """,
    "statements": """
        SELECT reference, currency, idx, line, debits_posted, credits_posted, debits_pending, credits_pending
        FROM posting JOIN account ON account.number = posting.account ORDER BY reference, currency, idx, line
    """,
    "trial balance": "SELECT * FROM trial_balance ORDER BY currency",
    "keys": "SELECT id, idempotency_key FROM entry ORDER BY id",
}


@dataclass
class Loss:
    """Remembers the tables of a ledger as they are when it is made."""

    books: LedgerWorld
    master: Database
    columns: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, books: LedgerWorld, master: Database) -> Self:
        loss = cls(books, master)
        with master.transaction() as session:
            for table in _TABLES:
                loss.columns[table] = session.scalar(_COLUMNS, {"table": table}) or ""
                session.execute(text(f"CREATE TABLE kept_{table} AS TABLE {table}"))
        return loss

    def strike(self) -> None:
        """The database is what it was."""
        with self.master.transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for table in _TABLES:
                self._put_back(session, table)

    def restore(self, *facts: ledger.NewEntry) -> ledger.Restored:
        """What the operator's command does, from the public log as it is."""
        return ledger.restore_log(
            self.master, key=self.books.verifier, read=self.read, facts=facts, now=NOW, owner=OWNER
        )

    def read(self, path: str) -> bytes | None:
        """A file of the public log."""
        public = self.books.public_log
        note = public.note
        return note.encode() if path == "checkpoint" and note else public.objects.get(path)

    def accounts(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything the database says of its accounts, and by which keys entries are known."""
        with self.master.transaction() as session:
            return {name: [tuple(row) for row in session.execute(text(sql))] for name, sql in _BOOKS.items()}

    def _put_back(self, session: Session, table: str) -> None:
        columns = self.columns[table]
        session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 -- the tables above
        copy = f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept_{table}"  # noqa: S608 -- likewise
        session.execute(text(copy))
