"""The keys that a test's processes seal personal data with, and what stands for the service that wraps them."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from amply.infra.database import Database
from amply.infra.vault import Keyring, KeyWrappingAway

HAVE_KEYS = frozenset({"amply_api", "amply_app"})
"""Roles of processes that keep or show what is personal."""
ONLY_OPENS = "amply_operator"
"""The role of staff's commands, which open what organisations said of themselves."""


class Wrapping:
    """Stands for the key service where a test is about something else; `contract/test_key_wrapping.py` holds it to KMS."""

    _KEY = AESGCM(b"w" * 32)

    def __init__(self, *, key_arn: str = "") -> None:
        """As `KmsKeyWrapping`, which it stands in for in commands; there is one key, whatever it is called."""

    def generate(self, *, scope: str, version: int) -> tuple[bytes, bytes]:
        key = secrets.token_bytes(32)
        nonce = secrets.token_bytes(12)
        return key, nonce + self._KEY.encrypt(nonce, key, f"{scope}/{version}".encode())

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        try:
            return self._KEY.decrypt(wrapped[:12], wrapped[12:], f"{scope}/{version}".encode())
        except InvalidTag:
            raise KeyWrappingAway("refused") from None


def keyring_for(user: str, database: Database) -> Keyring | None:
    """The keys that a process of this role has."""
    if user == ONLY_OPENS:
        return Keyring(database.engine, Wrapping(), scopes=(), only_opens=True)
    return keyring(database) if user in HAVE_KEYS else None


def keyring(database: Database) -> Keyring:
    """The keys of a process that has started."""
    made = Keyring(database.engine, Wrapping())
    made.freshen()
    return made
