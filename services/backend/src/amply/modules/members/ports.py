"""Port of members: addresses and accounts of people."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from amply.modules.mail import Language


class People(Protocol):
    """Looks up people's addresses and accounts. May not be called inside a transaction."""

    def verified_address(self, *, person_id: str) -> str | None:
        """A person's verified e-mail address, or None."""

    def names(self, *, person_ids: Collection[str]) -> Mapping[str, str]:
        """Addresses of these people by id, without erased ones."""

    def is_registered(self, *, address: str) -> bool:
        """Whether an address has an account. Only for callers who have proven the address."""

    def register(
        self, *, address: str, password: str, language: Language, network_address: str, now: datetime
    ) -> bool:
        """Register an account for a proven address; False if it has one.

        Raises:
            PasswordNotAcceptable, AddressNotAcceptable: It can be no account's.
            TooManyRequests: The caller exceeded a rate limit.
            SignInUnavailable: Sessions cannot be looked up at this moment.
        """
