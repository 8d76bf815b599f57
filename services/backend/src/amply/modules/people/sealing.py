"""Encryption of people's addresses and factors at rest, with blind indexes to find them.

What is written is sealed by the envelope key of people (ADR 0121). What the secret of the environment sealed before that is
still read, until the worker has sealed it anew.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from amply.infra.settings import PeopleSettings
from amply.infra.vault import PEOPLE, CellLocation, Keyring, prefix
from amply.kernel.errors import invariant
from amply.modules.people.addresses import Address

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SECRET_BYTES_MIN: Final = 43
_FOUND_BYTES: Final = 16
_SEALED_V1: Final = b"\1"
"""Format byte of values encrypted by the secret itself; the vault's formats begin differently."""


@dataclass(frozen=True)
class PeopleKey:
    """The people secret of this environment. Each use has its own key, derived by HKDF (RFC 5869).

    `keyring` seals what is sealed from now on; without one the secret does.
    """

    secret: bytes = field(repr=False)
    keyring: Keyring | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        invariant(
            len(self.secret) >= _SECRET_BYTES_MIN, "the people's secret is long enough to be unguessable"
        )

    @classmethod
    def from_settings(cls, settings: PeopleSettings, *, keyring: Keyring | None = None) -> Self:
        """The secret from settings."""
        return cls(settings.people_key.get_secret_value().encode(), keyring)

    def seal(self, content: str, *, of: str) -> bytes:
        """Encrypt by AES-256-GCM, bound to `of`: version, nonce, ciphertext, tag.

        Raises:
            KeyNotAtHand: The key service was away when this process began.
        """
        if self.keyring is not None and self.keyring.seals(PEOPLE):
            return self.keyring.seal(content.encode(), scope=PEOPLE, at=_place(of))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _SEALED_V1 + nonce + self._cipher.encrypt(nonce, content.encode(), of.encode())

    def unseal(self, sealed: bytes, *, of: str) -> str:
        """Decrypt a value.

        Raises:
            cryptography.exceptions.InvalidTag: Another secret, of something else, or changed bytes.
            SealedBytesUnreadable: The same, of what an envelope key sealed.
            KeyNotAtHand: The key service was away when this process began.
        """
        if sealed[:1] != _SEALED_V1 and self.keyring is not None:
            return self.keyring.open(sealed, scope=PEOPLE, at=_place(of)).decode()
        version, nonce, ciphertext = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        invariant(version == _SEALED_V1, "what is sealed has a version this code knows")
        return self._cipher.decrypt(nonce, ciphertext, of.encode()).decode()

    def newest_prefix(self) -> bytes | None:
        """Prefix of newly encrypted values; None while the secret encrypts directly.

        Raises:
            KeyNotAtHand: The key service was away when this process began.
        """
        if self.keyring is None or not self.keyring.seals(PEOPLE):
            return None
        return prefix(self.keyring.newest(PEOPLE))

    def seal_address(self, address: Address, *, of: str) -> bytes:
        """Encrypt both forms of an address, so that it is never validated anew."""
        return self.seal(f"{address.written}\n{address.folded}", of=of)

    def unseal_address(self, sealed: bytes, *, of: str) -> Address:
        """Decrypt an address.

        Raises:
            cryptography.exceptions.InvalidTag, SealedBytesUnreadable, KeyNotAtHand: As `unseal` says.
        """
        written, _, folded = self.unseal(sealed, of=of).partition("\n")
        return Address(written=written, folded=folded)

    def index_of(self, address: Address) -> bytes:
        """Blind index of an address."""
        return self._mac("blind-index", address.folded)

    def mark_of(self, device: str) -> bytes:
        """Keyed digest of a device cookie."""
        return self._mac("device", device)

    def place_of(self, network: str) -> str:
        """Keyed digest of an IP address in a session (hex)."""
        return self._mac("place", network).hex()

    def code_digest(self, code: str, *, person_id: str) -> bytes:
        """Keyed digest of a person's recovery code."""
        return self._mac("recovery-code", f"{person_id}\0{code}")

    def identity_of(self, *, provider: str, issuer: str, subject: str) -> bytes:
        """Keyed digest of an identity."""
        return self._mac("identity", f"{provider}\0{issuer}\0{subject}")

    def value_of(self, organization_id: str, attribute: str, value: str) -> bytes:
        """Blind index of an attribute's value, distinct for each organisation."""
        return self._mac("directory-value", f"{organization_id}\0{attribute}\0{value}")[:_FOUND_BYTES]

    def _mac(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._derived(purpose), text.encode(), "sha256")

    @cached_property
    def _keys(self) -> dict[str, bytes]:
        return {}

    def _derived(self, purpose: str) -> bytes:
        if purpose not in self._keys:
            info = f"amply/people/{purpose}/v1".encode()
            made = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(self.secret)
            self._keys[purpose] = made
        return self._keys[purpose]

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self._derived("seal"))


def _place(of: str) -> CellLocation:
    """What it is of names table and column by itself: ids of each table have a prefix of their own, factors say what they are."""
    return CellLocation(table="people", column="sealed", row=of)
