"""Fault injection for tests, each fault once: failures that a client of a remote API must survive."""

import threading
from dataclasses import dataclass, field
from typing import Literal

from stripe_sandbox.errors import InjectedError, LockTimeoutError, RateLimitedError, StripeError

FaultKind = Literal["refuse", "limit", "lock", "lose_answer", "hold"]
_HOLD_SECONDS_MAX = 30.0
# https://docs.stripe.com/rate-limits
_LIMITED = (
    "Request rate limit exceeded. Learn more about rate limits here https://docs.stripe.com/rate-limits."
)
_LOCKED = (
    "This object cannot be accessed right now because another API request or Stripe process is currently accessing "
    "it. If you see this error intermittently, retry the request."
)
_REFUSALS: dict[str, tuple[type[StripeError], str, str | None]] = {
    "refuse": (InjectedError, "The sandbox was asked to refuse this request.", None),
    "limit": (RateLimitedError, _LIMITED, "rate_limit"),
    "lock": (LockTimeoutError, _LOCKED, "lock_timeout"),
}


@dataclass(frozen=True)
class Fault:
    """One failure of the next request to `method path`.

    `refuse`: a 500 before anything was done. `limit`: a 429, `lock`: a 409, likewise. `lose_answer`: a 500 after everything was done and stored, as when
    the line is cut. `hold`: the request waits until released, and meanwhile its idempotency key is in use.
    """

    method: str
    path: str
    kind: FaultKind


@dataclass
class Faults:
    """Faults still to be injected. Thread-safe."""

    _planned: list[Fault] = field(default_factory=list)
    _held: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _released: threading.Event = field(default_factory=threading.Event)

    def plan(self, fault: Fault) -> None:
        """Let this happen to the next request it matches."""
        with self._lock:
            if fault.kind == "hold":
                self._released.clear()
            self._planned.append(fault)

    @property
    def planned(self) -> int:
        """How many failures nobody has met yet."""
        with self._lock:
            return len(self._planned)

    @property
    def held(self) -> int:
        """How many requests wait to be released."""
        with self._lock:
            return self._held

    def release(self) -> None:
        """Let held requests go on."""
        self._released.set()

    def before(self, method: str, path: str) -> Fault | None:
        """What is to happen to this request. Waits for `hold`.

        Raises InjectedError for `refuse`, RateLimitedError for `limit`, LockTimeoutError for `lock`.
        """
        with self._lock:
            found = next((f for f in self._planned if (f.method, f.path) == (method, path)), None)
            if found is not None:
                self._planned.remove(found)
        if found is not None and found.kind in _REFUSALS:
            refusal, message, code = _REFUSALS[found.kind]
            raise refusal(message, code=code)
        if found is not None and found.kind == "hold":
            self._hold()
        return found

    def after(self, fault: Fault | None) -> None:
        """Raises InjectedError for `lose_answer`; what was done stays done."""
        if fault is not None and fault.kind == "lose_answer":
            raise InjectedError("The sandbox was asked to lose this answer.")

    def _hold(self) -> None:
        with self._lock:
            self._held += 1
        self._released.wait(_HOLD_SECONDS_MAX)
        with self._lock:
            self._held -= 1
