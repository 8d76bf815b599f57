"""What membership needs to know of people, which whoever lets them in tells."""

from collections.abc import Collection, Mapping
from typing import Protocol


class People(Protocol):
    """People as far as others may know them. May not be called inside a transaction."""

    def verified_address(self, *, person_id: str) -> str | None:
        """The e-mail address that somebody has shown to be theirs; None where they have not."""

    def names(self, *, person_ids: Collection[str]) -> Mapping[str, str]:
        """What these people are called among colleagues, by id; who is not known any more is left out."""
