"""No adapter asks the outside world while a transaction is open: a slow answer would hold locks.

Adapters are found by looking for them. What a new one offers is called here, or stands in `ASKS_NOBODY` with a reason.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final
from unittest.mock import MagicMock

import pytest
from pydantic import BaseModel
from sqlalchemy import create_engine

import amply.adapters
from amply.infra.database import Database, ExternalCallInTransaction
from tests.backend.world import NOW

SIGNED: Final = "signed with this process's own credentials"
LOCAL: Final = "answers from what it was made with"
INSIDE: Final = "what the SDK calls, within calls that are refused already"
ASKS_NOBODY: Final = {
    "breaches.HttpBreachList.close": "hangs up",
    "registers.MadeUpRegisters.name_for": LOCAL,
    "registers.NoRegisters.look_up": "never called",
    "registers.NoRegisters.name_for": LOCAL,
    "s3.documents.S3Documents.link": SIGNED,
    "s3.exports.S3Exports.link": SIGNED,
    "s3.uploads.S3Uploads.offer": SIGNED,
    "sqs.queue_limits.QoS.in_flight": "counts what it has in hand",
    "stripe.connections.SharedConnections.close": "hangs up",
    "stripe.connections.SharedConnections.request": INSIDE,
    "stripe.processor.StripeProcessor.publishable_key": LOCAL,
    "stripe.method_cloning.StripeMethodCloning.publishable_key": LOCAL,
    "stripe.signatures.StripeEventVerifier.verify": "checks a signature",
    "witness.HttpWitness.close": "hangs up",
    "xray.SignedByTheTask.__call__": "runs in the exporter's thread, beside whatever is traced",
}

SAID: Final = {
    "dataset": MagicMock(latest=1),
    "event": MagicMock(
        **dict.fromkeys(("id", "type", "livemode", "account_id", "fetch"), "x"),
        occurred_at=NOW,
        object={"id": "x", "object": "x"},
    ),
}
"""By the parameter's name, where something is made of it before anybody is asked."""


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(amply.adapters.__path__, f"{amply.adapters.__name__}."):
        yield importlib.import_module(found.name)


def adapters() -> Iterator[type]:
    """Every class that adapters offer, but for what is only data."""
    for module in modules():
        for name, found in vars(module).items():
            if (
                inspect.isclass(found)
                and found.__module__ == module.__name__
                and not name.startswith("_")
                and not issubclass(found, Exception | BaseModel)
            ):
                yield found


def offers() -> Iterator[tuple[str, type, str]]:
    """Everything of them that can be asked. What a class has from another adapter is that one's, private ones' are its own."""
    for adapter in adapters():
        own = [each for each in adapter.__mro__ if each is adapter or each.__name__.startswith("_")]
        for name in sorted({name for each in own for name in vars(each)}):
            member = inspect.getattr_static(adapter, name)
            is_asked = inspect.isroutine(member) or isinstance(member, property | staticmethod | classmethod)
            if is_asked and (name == "__call__" or not name.startswith("_")):
                where = adapter.__module__.removeprefix(f"{amply.adapters.__name__}.")
                yield f"{where}.{adapter.__name__}.{name}", adapter, name


OFFERED: Final = {full: (adapter, name) for full, adapter, name in offers()}


@pytest.fixture(scope="module")
def database() -> Database:
    """Whose transactions are opened, and which is never asked."""
    return Database(create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing"))


class Blank:
    """Comes before an adapter, which then is made of nothing and holds anything."""

    def __init__(self) -> None:
        self._tasks_of = MagicMock(**{"__getitem__.return_value": ("task", "queue")})

    def __getattr__(self, _: str) -> Any:
        return MagicMock()


def ask(adapter: type, name: str) -> None:
    """Ask an adapter made of nothing; of what it gives piece by piece the first piece is read."""
    member = getattr(type(adapter.__name__, (Blank, adapter), {})(), name)
    if not callable(member):
        return
    wanted = inspect.signature(member).parameters.values()
    given = {each.name: _anything(each) for each in wanted if each.default is each.empty}
    answer: Any = member(**given)
    if hasattr(answer, "__enter__") and not isinstance(answer, MagicMock):
        with answer:
            return
    if inspect.isgenerator(answer):
        next(answer, None)


def _anything(wanted: inspect.Parameter) -> Any:
    """As little as its type lets it be."""
    if wanted.name in SAID:
        return SAID[wanted.name]
    if "None" in str(wanted.annotation):
        return None
    return {str: "x", int: 1}.get(wanted.annotation) or MagicMock()


@pytest.mark.parametrize("offered", sorted(OFFERED.keys() - ASKS_NOBODY.keys()))
def test_nothing_is_asked_while_a_transaction_is_open(database: Database, offered: str) -> None:
    with database.transaction(), pytest.raises(ExternalCallInTransaction):
        ask(*OFFERED[offered])


def test_what_asks_nobody_is_there() -> None:
    assert ASKS_NOBODY.keys() - OFFERED.keys() == set()


def test_adapters_of_every_vendor_are_found() -> None:
    vendors = {found.name for found in pkgutil.iter_modules(amply.adapters.__path__)}
    assert {offered.partition(".")[0] for offered in OFFERED} == vendors
