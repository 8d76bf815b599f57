"""Proof-of-work challenge: sixteen small puzzles, solved by brute force. No third party, no cookies.

Hashcash's idea (http://www.hashcash.org/papers/hashcash.pdf), split into puzzles so that luck evens out: with one large one,
every twentieth donor would wait three times as long. Puzzle i is solved by the number n when
SHA-256(token ":" i ":" n), all ASCII and decimal, begins with `bits` zero bits.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from amply.kernel.clock import iso
from amply.modules.defence.domain import BITS_MAX
from amply.modules.defence.ports import About

KIND: Final = "proof-of-work-1"
PUZZLES: Final = 16
LIFETIME: Final = timedelta(minutes=10)

_TOKEN: Final = re.compile(r"1\.([0-9]{1,2})\.([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")
_SOLUTION: Final = re.compile(r"(1[0-9a-f.]{50,120});([0-9]{1,12}(?:,[0-9]{1,12}){15})")

KeyOfDay = Callable[[date], bytes]
"""Returns a day's secret; for a day whose key was deleted, a different one than before."""


class ProofOfWork:
    """Stateless puzzles, whose tokens are signed with the day's key."""

    def __init__(self, key_of: KeyOfDay) -> None:
        self._key_of = key_of

    def pose(self, about: About, *, bits: int, now: datetime) -> Mapping[str, Any]:
        expires = int((now + LIFETIME).timestamp())
        head = f"1.{bits}.{expires}.{secrets.token_hex(16)}"
        return {
            "kind": KIND,
            "token": f"{head}.{self._signed(head, about, expires)}",
            "bits": bits,
            "puzzles": PUZZLES,
            "expires_at": iso(datetime.fromtimestamp(expires, UTC)),
        }

    def is_solved(self, about: About, *, solution: str, now: datetime) -> bool:
        found = _SOLUTION.fullmatch(solution)
        token = _TOKEN.fullmatch(found[1]) if found else None
        if found is None or token is None:
            return False
        bits, expires = int(token[1]), int(token[2])
        if not now.timestamp() < expires <= (now + LIFETIME).timestamp() or not 0 < bits <= BITS_MAX:
            return False
        head = found[1].rpartition(".")[0]
        if not hmac.compare_digest(self._signed(head, about, expires), token[4]):
            return False
        return all(
            solves(found[1], number=at, answer=answer, bits=bits)
            for at, answer in enumerate(found[2].split(","))
        )

    def _signed(self, head: str, about: About, expires: int) -> str:
        day = (datetime.fromtimestamp(expires, UTC) - LIFETIME).date()
        said = f"challenge\n{head}\n{about.organization_id}\n{about.idempotency_key}"
        return hmac.new(self._key_of(day), said.encode(), hashlib.sha256).hexdigest()


def solves(token: str, *, number: int, answer: str, bits: int) -> bool:
    """Whether an answer's digest begins with so many zero bits."""
    digest = hashlib.sha256(f"{token}:{number}:{answer}".encode()).digest()
    return int.from_bytes(digest[:4]) >> (32 - bits) == 0


def solve(challenge: Mapping[str, Any]) -> str:
    """Solve a puzzle by brute force, for our clients and tests."""
    token, bits = str(challenge["token"]), int(challenge["bits"])
    answers = (_try(token, number=number, bits=bits) for number in range(int(challenge["puzzles"])))
    return f"{token};{','.join(answers)}"


def _try(token: str, *, number: int, bits: int) -> str:
    answer = 0
    while not solves(token, number=number, answer=str(answer), bits=bits):
        answer += 1
    return str(answer)
