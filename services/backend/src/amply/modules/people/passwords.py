"""Password rules, hashing (argon2id, RFC 9106), and verification whose timing reveals nothing."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Final

import argon2

from amply.infra.database import forbid_transaction
from amply.kernel.errors import InvalidRequest
from amply.modules.access import SignInUnavailable
from amply.modules.people.breaches import BreachList, is_known

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 128
"""NIST SP 800-63B asks for at least 64; what is longer is work for us and no safer."""
_WAIT_SECONDS_MAX: Final = 5


class PasswordNotAcceptable(InvalidRequest):
    """The password is too short or long, or stands in lists that attackers try."""

    code = "password_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Argon2id parameters: memory in KiB, iterations, lanes. Other hashes are renewed at sign-in."""

    memory_kib: int
    passes: int
    lanes: int


PRESENT: Final = Cost(memory_kib=19 * 1024, passes=2, lanes=1)
"""OWASP's Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane. Four at once are 76 MiB of a task's memory."""
AT_ONCE_MAX: Final = 4


class Hashing:
    """Hashes and verifies with bounded concurrency, which bounds the memory."""

    def __init__(self, cost: Cost = PRESENT, *, at_once: int = AT_ONCE_MAX) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, type=argon2.Type.ID
        )
        self._turns = BoundedSemaphore(at_once)
        self._dummy = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Hash a prepared password.

        Raises:
            SignInUnavailable: Too many wait for theirs.
        """
        with self._turn():
            return self._hasher.hash(password)

    def is_right(self, password: str, *, hashed: str | None) -> bool:
        """Verify a password. Without a hash the same work is done, so that timing reveals nothing.

        Raises:
            SignInUnavailable: Too many wait for theirs.
        """
        with self._turn():
            try:
                self._hasher.verify(hashed or self._dummy, password)
            except argon2.exceptions.VerifyMismatchError:
                return False
            return hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash has other parameters than ours."""
        return self._hasher.check_needs_rehash(hashed)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        forbid_transaction("hashing a password")
        if not self._turns.acquire(timeout=_WAIT_SECONDS_MAX):
            raise SignInUnavailable("Many people sign in just now: try again in a moment.")
        try:
            yield
        finally:
            self._turns.release()


def prepared(password: str) -> str:
    """Normalise for hashing: NFKC, so that other keyboards give the same password (RFC 8265 §4.2 uses NFC)."""
    return unicodedata.normalize("NFKC", password)


def accepted(password: str, *, address: str, breaches: BreachList) -> str:
    """Validate a new password. No composition rules, as NIST SP 800-63B recommends.

    Raises:
        PasswordNotAcceptable: It is too short or long, is the address, or is in a list that attackers try.
    """
    password = prepared(password)
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise PasswordNotAcceptable(
            f"Choose a password of {LENGTH_MIN} to {LENGTH_MAX} characters.", param="password"
        )
    if password.casefold() in (address, address.partition("@")[0]):
        raise PasswordNotAcceptable("Choose a password that is not your e-mail address.", param="password")
    if is_known(breaches, password):
        raise PasswordNotAcceptable(
            "Choose another password: this one stands in lists that attackers try.", param="password"
        )
    return password
