"""Pseudonyms of donors and gifts in the lake, under a key of its own: neither store leads to the other.

A person's name is made of their span, which is random, and not of their address: whoever has the key and a list of addresses
can look nobody up. The key is the first version of its scope for good: another one would count everybody twice.
"""

from typing import Final

from amply.infra.database import Database
from amply.infra.vault import Keyring, NoKeysHere
from amply.infra.vault.format import PREFIX_BYTES

LAKE: Final = "lake"


class LakeNames:
    """Pseudonyms as hexadecimal strings."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @classmethod
    def at_hand(cls, database: Database) -> "LakeNames":
        """Load the key of pseudonyms if necessary. Outside transactions.

        Raises:
            KeyNotAtHand: The key service is away.
            NoKeysHere: This process has no keys.
        """
        if database.keyring is None:
            raise NoKeysHere
        database.keyring.hold(LAKE)
        return cls(database.keyring)

    def person(self, span_id: str) -> str:
        """Pseudonym of a donor, for the duration of one consent."""
        return self._name("person", span_id)

    def gift(self, span_id: str, donation_id: str) -> str:
        """Pseudonym of a gift."""
        return self._name("gift", f"{span_id}/{donation_id}")

    def event(self, span_id: str, donation_id: str, number: int) -> str:
        """Pseudonym of one fact about a gift."""
        return self._name("event", f"{span_id}/{donation_id}/{number}")

    def _name(self, kind: str, what: str) -> str:
        return self._keyring.indexes(f"{kind}:{what}", scope=LAKE)[0][PREFIX_BYTES:].hex()
