"""Interception of the real code: database statements and commits, ports, waits.

A seam adds nothing to what it wraps. It lets the schedule decide who runs next, and whether this process, this
connection or this call is the one that fails. A new port needs no code here: wrap it in a `Port`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from amply.infra.database import Database, connect
from amply.infra.settings import DatabaseSettings
from tests.simulation.baton import Actor, Fate

WAITS: Final = "waits"
BEFORE_COMMIT: Final = "before COMMIT"
AFTER_COMMIT: Final = "after COMMIT"


class StoreAway(Exception):
    """What a store's client raises when it is told no, asked to come later, or not answered."""


class SeamedDatabase(Database):
    """A real database: before each statement, before and after each commit, the baton is handed back."""

    def __init__(self, actor: Actor, settings: DatabaseSettings) -> None:
        super().__init__(connect(settings, application=actor.name, pool_size=2).engine)
        self._actor = actor
        self._opened: list[psycopg.Connection] = []
        event.listen(self.engine, "connect", lambda opened, _record: self._opened.append(opened))
        event.listen(self.engine, "close", self._before_close)
        event.listen(self.engine, "before_cursor_execute", self._before_statement)

    @contextmanager
    def transaction(
        self, *, organization_id: str | None = None, person_id: str | None = None, key_id: str | None = None
    ) -> Iterator[Session]:
        with super().transaction(
            organization_id=organization_id, person_id=person_id, key_id=key_id
        ) as session:
            yield session
            self._actor.reach(BEFORE_COMMIT)
        if self._actor.reach(AFTER_COMMIT, Fate.LOSE) is Fate.LOSE:
            lost = psycopg.OperationalError("the connection was lost while COMMIT was answered")
            raise OperationalError("COMMIT", {}, lost)

    def close(self) -> None:
        """What the kernel does for a process that ended."""
        super().close()
        for connection in self._opened:
            connection.close()

    def _before_close(self, opened: psycopg.Connection, _record: object) -> None:
        self._actor.closed.append(opened.info.backend_pid)

    def _before_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._actor.reach(" ".join(statement.split())[:60])


class Port:
    """Any port of the ledger: passes its calls on, and may fail before and after each of them."""

    def __init__(self, actor: Actor, name: str, behind: object, *, away: type[Exception] = StoreAway) -> None:
        self._actor = actor
        self._name = name
        self._behind = behind
        self._away = away

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._behind, name)
        if name == "public_key":
            return cast("Callable[..., Any]", method)  # asked for once, and remembered
        told = f"{self._name}.{name}"

        def call(*arguments: Any, **named: Any) -> Any:
            what = f"{told}({arguments[0] if arguments and isinstance(arguments[0], str) else ''})"[:60]
            if self._actor.reach(what, Fate.FAIL) is Fate.FAIL:
                raise self._away(f"{told} was refused")
            answer = method(*arguments, **named)
            fate = self._actor.reach(f"{told} is done", Fate.LOSE, Fate.REPEAT)
            if fate is Fate.LOSE:
                raise self._away(f"{told} was not answered")
            # What a client does by itself when an answer is lost: a condition may no longer hold the second time.
            return method(*arguments, **named) if fate is Fate.REPEAT else answer

        return call


class Parking(threading.Event):
    """The event that a process's loop waits on between turns: time passes as the schedule will have it."""

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self._actor = actor

    def wait(self, timeout: float | None = None) -> bool:
        """Let others run; never says that it is over: these processes end by being killed."""
        del timeout
        self._actor.reach(WAITS)
        return False
