"""Implements `members.People` with the people module, so that members and people need not import each other."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from amply.modules import federation, members, people
from amply.modules.mail import Language


@dataclass(frozen=True)
class MemberDirectory:
    """Implements `members.People`. Account holders have verified addresses, by which colleagues know them."""

    parts: people.Dependencies

    def verified_address(self, *, person_id: str) -> str | None:
        """A person's verified e-mail address; None if they were erased."""
        return self.names(person_ids=[person_id]).get(person_id)

    def names(self, *, person_ids: Collection[str]) -> Mapping[str, str]:
        """These people's addresses by id, without erased ones."""
        with self.parts.database.transaction() as session:
            return people.addresses(session, person_ids=person_ids, key=self.parts.key)

    def is_registered(self, *, address: str) -> bool:
        """Whether an address has an account."""
        return people.is_registered(self.parts, email=address)

    def register(
        self, *, address: str, password: str, language: Language, network_address: str, now: datetime
    ) -> bool:
        """Register an account; False if the address has one."""
        made = people.register_invited(
            self.parts,
            email=address,
            password=password,
            language=language,
            network_address=network_address,
            now=now,
        )
        return made is not None


def people_leaving(session: Session, person_id: str, now: datetime) -> None:
    """What other modules require before a person is erased.

    Raises:
        LastOwner: An organisation would be left to nobody.
    """
    members.leave_everywhere(session, person_id=person_id, now=now)
    federation.forget(session, person_id=person_id)
