"""Balance transactions that come some time after their charge (https://docs.stripe.com/payments/payment-intents/asynchronous-capture)."""

from collections.abc import Callable
from dataclasses import replace

from stripe_sandbox.authentication import Caller
from stripe_sandbox.clock import Clock, unix
from stripe_sandbox.due import DueLoop
from stripe_sandbox.objects import Objects
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import charges
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store


def settle_own(call: Call, *, moment: float) -> None:
    """What is due on the account of a call. The events belong to no request."""
    charges.settle_due(replace(call, request_id=None, idempotency_key=None), moment=moment)


class Settler:
    """Settles charges when they are due, and tells `after` when it did."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, after: Callable[[], None]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._after = after
        self._loop = DueLoop("settler", self._work)
        self.start = self._loop.start
        self.wake = self._loop.wake
        self.stop = self._loop.stop

    def _work(self) -> float | None:
        now = self._clock()
        with self._store.transaction() as connection:
            rows = connection.execute(
                "SELECT DISTINCT account FROM settlements WHERE due <= ?", (now.timestamp(),)
            ).fetchall()
            for row in rows:
                charges.settle_due(
                    self._call(Objects(connection, row["account"], unix(now))), moment=now.timestamp()
                )
            due: float | None = connection.execute("SELECT min(due) FROM settlements").fetchone()[0]
        if rows:
            self._after()
        return None if due is None else due - now.timestamp()

    def _call(self, objects: Objects) -> Call:
        return Call(
            objects=objects,
            params={},
            path={},
            caller=Caller(secret=True),
            settings=self._settings,
            request_id=None,
            idempotency_key=None,
        )
