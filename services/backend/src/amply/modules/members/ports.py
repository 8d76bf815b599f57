"""Port of members: addresses and accounts of people."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from amply.modules.mail import Language


class People(Protocol):
    """Looks up people's addresses and accounts. May not be called inside a transaction."""

    def verified_address(self, *, person_id: str) -> str | None:
        """The e-mail address that somebody has shown to be theirs; None where they have not."""

    def names(self, *, person_ids: Collection[str]) -> Mapping[str, str]:
        """What these people are called among colleagues, by id; who is not known any more is left out."""

    def is_registered(self, *, address: str) -> bool:
        """Whether an e-mail address has an account; for whoever has shown that they read its letters."""

    def register(
        self, *, address: str, password: str, language: Language, network_address: str, now: datetime
    ) -> bool:
        """Make the account of an address whose letters somebody has shown to read; False where it has one.

        Raises:
            PasswordNotAcceptable, AddressNotAcceptable: It can be no account's.
            TooManyRequests: The caller exceeded a rate limit.
            SignInUnavailable: Sessions cannot be looked up at this moment.
        """
