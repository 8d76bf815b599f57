"""Reads an organisation's public ledger."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2

from local_cloud.demo.waiting import until
from local_cloud.settings import Settings

_PUBLISHED_SECONDS_MAX = 60.0
_PLACES = 2
"""Of the demo's currency."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A published entry: its place in the log, what it is of, and each of its transfers in words."""

    index: int
    kind: str
    transfers: tuple[str, ...]


class PublicBooks:
    """Reads an organisation's published entries, each of them once."""

    def __init__(self, settings: Settings, *, organization_id: str) -> None:
        self._http = httpx2.Client(timeout=30.0, base_url=settings.api_url)
        self._pages = f"/v1/public/organisations/{organization_id}"
        self._seen = max((entry.index for entry in self._newest()), default=-1)

    def wait_for(self, kinds: Collection[str]) -> tuple[Entry, ...]:
        """What was published since the last time, oldest first, once an entry of each of these kinds is among it."""

        def look() -> tuple[Entry, ...] | None:
            new = tuple(entry for entry in self._newest() if entry.index > self._seen)
            return new[::-1] if {entry.kind for entry in new} >= set(kinds) else None

        found = until(
            look,
            seconds=_PUBLISHED_SECONDS_MAX,
            otherwise=f"The public ledger does not show {', '.join(kinds)}; 'make logs PART=worker' says more.",
        )
        self._seen = found[-1].index
        return found

    def wait_for_statement(self, payout_id: str) -> dict[str, Any]:
        """What a payout consists of, once that is known."""

        def look() -> dict[str, Any] | None:
            answer = self._http.get(f"{self._pages}/payouts/{payout_id}")
            statement: dict[str, Any] = answer.json() if answer.is_success else {}
            return statement if statement and statement["payout"]["reconciled"] else None

        return until(
            look,
            seconds=_PUBLISHED_SECONDS_MAX,
            otherwise=f"The payout {payout_id} is not reconciled; 'make logs PART=worker' says more.",
        )

    def _newest(self) -> Iterator[Entry]:
        page = self._http.get(f"{self._pages}/ledger", params={"limit": 100})
        # No gift yet: no ledger yet.
        data = page.raise_for_status().json()["data"] if page.status_code != httpx2.codes.NOT_FOUND else []
        return (_entry(each) for each in data)


def amount(minor_units: str | int) -> str:
    """An amount of the demo's currency, to read."""
    return str(Decimal(minor_units).scaleb(-_PLACES))


def _entry(shown: dict[str, Any]) -> Entry:
    return Entry(
        index=shown["index"],
        kind=shown["kind"],
        transfers=tuple(
            f"{_account(each['credit'])} -> {_account(each['debit'])} {amount(each['amount'])} {each['currency']}"
            + (f" ({each['phase']})" if each["phase"] else "")
            for each in shown["transfers"]
        ),
    )


def _account(name: str) -> str:
    """Without its owner, who is the same in all of them."""
    return name.rpartition("/")[2]
