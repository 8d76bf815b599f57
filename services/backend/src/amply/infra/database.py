"""PostgreSQL: engine, transactions, and a guard against external calls inside a transaction."""

import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, RowMapping, TextClause, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from amply.infra import tracing
from amply.infra.settings import DatabaseSettings
from amply.infra.tracing import statements
from amply.infra.vault.keyring import KEYRING, Keyring
from amply.infra.vault.scopes import DONORS, KeyNotAtHand
from amply.kernel.errors import InvariantViolation

_STATEMENT_SECONDS_MAX: Final = 15
_IDLE_IN_TRANSACTION_SECONDS_MAX: Final = 30
_TRANSACTION_SECONDS_MAX: Final = 60
"""An open writer holds back the sequencer's snapshot horizon, so no transaction may stay open for long."""

_STILL_THERE_SECONDS: Final = 1.0
_RETURNED: Final = "amply.returned"

_BIND: Final = text("""
    SELECT
        set_config('amply.organization_id', :organization_id, true),
        set_config('amply.person_id', :person_id, true),
        set_config('amply.key_id', :key_id, true)
""")

_LEAF_CLOSED: Final = "AM001"
"""SQLSTATE of the trigger `leaf_is_open`: this process does not know yet of an erasure."""

_open_transaction: ContextVar[bool] = ContextVar("open_transaction", default=False)


class ExternalCallInTransaction(InvariantViolation):
    """An external call was made in an open transaction: a slow answer would hold locks."""


class NestedTransaction(InvariantViolation):
    """A transaction was begun inside another one."""


def forbid_transaction(call: str) -> None:
    """Raise if a transaction is open. Adapters call this before external calls.

    Raises:
        ExternalCallInTransaction: A unit of work is open in this context.
    """
    if _open_transaction.get():
        raise ExternalCallInTransaction(f"{call} was called inside a transaction")


def begins_again(error: OperationalError) -> bool:
    """Whether a database error is transient, so that the whole transaction may be retried.

    So for an entry that names one which a younger transaction has posted (docs/books.md, `entry_follows_what_it_names`).
    """
    return isinstance(error.orig, psycopg.errors.SerializationFailure)


def bind(
    session: Session,
    *,
    organization_id: str | None = None,
    person_id: str | None = None,
    key_id: str | None = None,
) -> None:
    """Bind the rest of a transaction to organisation and caller, as `Database.transaction` does from the start."""
    bound = {"organization_id": organization_id, "person_id": person_id, "key_id": key_id}
    session.execute(_BIND, {name: value or "" for name, value in bound.items()})


class Database:
    """One PostgreSQL database. Each transaction has a session of its own.

    `keyring` is None in processes that neither keep nor show anything personal.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.keyring: Keyring | None = None

    @contextmanager
    def transaction(
        self, *, organization_id: str | None = None, person_id: str | None = None, key_id: str | None = None
    ) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        `organization_id` binds it: row-level security shows the API that organisation's rows of the books, and none
        when nobody is named. `person_id` or `key_id` says for whom: what is an organisation's own is shown to its members
        and its keys. All of it ends with the transaction, so that no later one inherits it.

        Raises:
            NestedTransaction: One is open already in this context.
            KeyNotAtHand: Whoever something is kept of was erased a moment ago; begun again, it is kept under another key.
        """
        if _open_transaction.get():
            raise NestedTransaction("a unit of work may not contain another")
        if self.keyring is not None:
            # Before the transaction, since keys cannot be fetched inside.
            self.keyring.freshen()
        token = _open_transaction.set(True)
        try:
            with (
                tracing.step("transaction"),
                Session(self.engine, expire_on_commit=False, info={KEYRING: self.keyring}) as session,
                session.begin(),
            ):
                if organization_id or person_id or key_id:
                    bind(session, organization_id=organization_id, person_id=person_id, key_id=key_id)
                yield session
        except DBAPIError as error:
            if self.keyring is None or getattr(error.orig, "sqlstate", None) != _LEAF_CLOSED:
                raise
            self.keyring.look_again()
            raise KeyNotAtHand(DONORS) from None
        finally:
            _open_transaction.reset(token)

    def look(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[RowMapping]:
        """Rows of one read-only statement, in a single round trip without a transaction.

        Raises:
            NestedTransaction: One is open already in this context.
        """
        if _open_transaction.get():
            raise NestedTransaction("what belongs to a unit of work is read in it")
        with self.connection() as connection:
            return connection.execute(statement, values).mappings().all()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """An autocommit connection for what outlives a transaction, such as a session-level lock."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def connect(settings: DatabaseSettings, *, application: str, pool_size: int = 5) -> Database:
    """Create the database with a connection pool. `application` is its name in `pg_stat_activity`."""
    url = URL.create(
        "postgresql+psycopg",
        username=settings.user,
        host=settings.host,
        port=settings.port,
        database=settings.name,
    )
    limits = {
        "statement_timeout": _STATEMENT_SECONDS_MAX,
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_SECONDS_MAX,
        "transaction_timeout": _TRANSACTION_SECONDS_MAX,
    }
    options = " ".join(f"-c {name}={seconds}s" for name, seconds in limits.items())
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        # LIFO: few connections stay in use, so that they need no liveness check.
        pool_use_lifo=True,
        pool_timeout=10,
        # Parameters may be personal; errors and logs name the constraint instead.
        hide_parameters=True,
        connect_args={
            **connection_arguments(settings, application=application),
            "options": f"{options} -c timezone=UTC",
        },
    )
    event.listen(engine, "do_connect", _sign_in(settings))
    _ask_whom_nobody_used(engine)
    statements.follow(engine)
    return Database(engine)


def _ask_whom_nobody_used(engine: Engine) -> None:
    """Ask a connection whether it is still there before it is used. To ask costs as much as a statement: not one that was used
    within a second and has said nothing since, as one says something that the server has ended.
    """

    def returned(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_RETURNED] = time.monotonic()

    def taken(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        at: float | None = record.info.get(_RETURNED)
        if at is None:
            return  # it was made this moment
        try:
            if time.monotonic() - at > _STILL_THERE_SECONDS or _has_said_something(connection):
                engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", returned)
    event.listen(engine, "checkout", taken)


def _has_said_something(connection: psycopg.Connection) -> bool:
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def connection_arguments(settings: DatabaseSettings, *, application: str) -> dict[str, str | int]:
    """Connection parameters of libpq: verification of the server, and timeouts of dead connections."""
    return {
        "application_name": application,
        "connect_timeout": 5,
        # After a failover nobody answers on the old connection: notice within half a minute, not the kernel's fifteen.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
        "sslmode": settings.tls,
        **({"sslrootcert": settings.tls_roots} if settings.tls == "verify-full" else {}),
    }


def _sign_in(settings: DatabaseSettings) -> Callable[..., None]:
    """Give every new connection its secret: an IAM token (valid 15 minutes) or, on a laptop, the password."""

    def do_connect(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        if settings.auth == "iam":
            import boto3  # noqa: PLC0415 -- a tenth of a second, which only deployed processes need

            parameters["password"] = boto3.client("rds").generate_db_auth_token(
                DBHostname=settings.host, Port=settings.port, DBUsername=settings.user
            )
        else:
            parameters["password"] = settings.password.get_secret_value()

    return do_connect
