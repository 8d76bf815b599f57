"""Lookup in public registers of charities: implements `applications.Register`.

`MadeUpRegisters` answers from a file of charities that do not exist, for environments without live money. No register of a
country is asked for live money yet: each has its own terms and keys (ADR 0119), and staff look there themselves.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from amply.infra.database import forbid_transaction
from amply.modules.applications import Register, RegisterEntry, RegisterUnavailable

_AWAY: Final = "away"
"""The file's value for a number whose register does not respond."""


class MadeUpRegisters:
    """Charities of the file `made_up.json`, by country and number."""

    def __init__(self) -> None:
        text = (files("amply.adapters.registers") / "made_up.json").read_text(encoding="utf-8")
        self._known: Mapping[str, Mapping[str, dict[str, str]]] = json.loads(text)

    def name_for(self, *, country: str) -> str | None:
        """Of countries that the file has."""
        return f"made-up register of {country}" if country in self._known else None

    def look_up(self, *, country: str, tax_id: str) -> RegisterEntry | None:
        """What the file has.

        Raises:
            RegisterUnavailable: The file says that this one does not answer.
        """
        forbid_transaction("look up a register")
        entry = self._known.get(country, {}).get(tax_id)
        if entry is None:
            return None
        if entry["status"] == _AWAY:
            raise RegisterUnavailable(country)
        return RegisterEntry(name=entry["name"], status=entry["status"])


class NoRegisters:
    """No register is available."""

    def name_for(self, *, country: str) -> str | None:  # noqa: ARG002 -- the same for all
        """None."""
        return None

    def look_up(self, *, country: str, tax_id: str) -> RegisterEntry | None:  # noqa: ARG002 -- never called
        """Nothing."""
        return None


def registers(*, livemode: bool) -> Register:
    """The registers of an environment."""
    return NoRegisters() if livemode else MadeUpRegisters()
