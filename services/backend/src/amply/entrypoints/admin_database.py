"""Opens the database for one admin command, in the role that its environment configures, and closes it afterwards.

A command that is not said to change anything (`admin_recorded`) gets a database that changes nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from amply.entrypoints.keyring_setup import that_only_opens, with_keys
from amply.infra.database import Database, connect
from amply.infra.settings import DatabaseSettings, OpeningSettings, VaultSettings
from amply.infra.vault.organization_keys import hold_key_of
from amply.kernel.clock import system_clock
from amply.modules import audit

_PERSONAL_KEY: Final = "AMPLY_PERSONAL_KEY_ARN"
_OPERATOR: Final = "amply_operator"


@dataclass(kw_only=True)
class CommandRecord:
    """The running command's audit record."""

    deed: audit.AuditedAction
    apart: bool
    """Recorded by the frame before and after, not in the command's transaction."""
    is_recorded: bool = False


doing: ContextVar[CommandRecord | None] = ContextVar("doing", default=None)


def also_concerns(*targets: str, organization_id: str | None = None) -> None:
    """Add targets that only the command knows, such as a created id, to its audit record."""
    present = doing.get()
    if present is not None:
        present.deed = replace(
            present.deed,
            targets=(*present.deed.targets, *targets),
            organization_id=organization_id or present.deed.organization_id,
        )


@contextmanager
def opened_database() -> Iterator[Database]:
    """A database for commands of several transactions, or with external calls in between."""
    settings = DatabaseSettings()
    database = connect(settings, application="admin", pool_size=2)
    if _PERSONAL_KEY in os.environ:
        # With the worker's settings all keys are available; the admin task can only decrypt organisations' own data.
        if settings.user == _OPERATOR:
            that_only_opens(database, OpeningSettings())
        else:
            with_keys(database, VaultSettings(), keeps_trees=doing.get() is not None)
    if doing.get() is None:
        event.listen(database.engine, "begin", _read_only)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def opened_session(*, about: str | None = None) -> Iterator[Session]:
    """A session for commands of one transaction: changes and audit record are committed together.

    `about`: the organisation whose own key the command needs.
    """
    with opened_database() as database:
        if about is not None:
            hold_key_of(database, about)
        with database.transaction() as session:
            yield session
            _record(session)


def _record(session: Session) -> None:
    present = doing.get()
    if present is not None and not present.apart and not present.is_recorded:
        audit.record(session, present.deed, now=system_clock())
        present.is_recorded = True


def _read_only(connection: Connection) -> None:
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
