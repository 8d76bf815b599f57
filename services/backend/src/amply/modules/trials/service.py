"""Creates a test organisation: the organisation, its owner, an API key, and the request for a processor test account."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from amply.infra.database import bind
from amply.kernel import ids
from amply.modules import audit, keys, onboarding, payments
from amply.modules.access import Access, Permission, PersonAccess, Role, SessionNotValid
from amply.modules.audit import Action
from amply.modules.keys import KeyMade
from amply.modules.members import People
from amply.modules.receipts import Language
from amply.modules.trials.domain import (
    KEY_NAME,
    OF_A_PERSON_A_DAY,
    OF_ALL_A_DAY,
    SCOPES,
    TooManyTrials,
)

_REFUSED: Final = {
    "person": f"You have made {OF_A_PERSON_A_DAY} test organisations within a day: use one of them, or wait until tomorrow.",
    "all": f"All together made {OF_ALL_A_DAY} test organisations within a day: try again tomorrow.",
}


@dataclass(frozen=True, kw_only=True)
class CreatedTestOrganization:
    """A test organisation with its first key."""

    organization_id: str
    key: KeyMade


def found(
    people: People, own: PersonAccess, *, name: str, country: str, language: Language
) -> CreatedTestOrganization:
    """Create a test organisation in one transaction; the worker opens its processor test account and sends the letter.

    Raises:
        CountryNotAdmitted: The processor takes no gifts for organisations of its country.
        TooManyTrials: Today no more.
        SessionNotValid: Whoever asks was forgotten meanwhile.
    """
    payments.require_admitted(country=country, confirmed=None)
    address = people.verified_address(person_id=own.person_id)
    if address is None:
        raise SessionNotValid("Sign in again.")
    organization_id = ids.new_id("org")
    slug = f"test-{organization_id.removeprefix('org_')}"
    invitation_id = ids.new_id("inv")
    with own.transaction() as session:
        held = onboarding.address_at_rest(session, invitation_id=invitation_id, email=address)
        outcome = session.scalar(
            select(
                func.found_test_organization(
                    organization_id,
                    slug,
                    name,
                    country,
                    invitation_id,
                    held["plain_email"],
                    held["sealed"],
                    language,
                    own.now,
                )
            )
        )
        if outcome != "made":
            raise TooManyTrials(_REFUSED[str(outcome)])
        audit.record_by(
            session, own, Action.ORGANIZATION_CREATED, organization_id, organization_id=organization_id
        )
        owner = Access(
            caller=own.caller,
            organization_id=organization_id,
            permission=Permission.KEYS_CHANGE,
            role=Role.OWNER,
            now=own.now,
            database=own.database,
        )
        bind(session, organization_id=organization_id, person_id=own.person_id)
        key, secret = keys.make(
            session, owner, name=KEY_NAME, scopes=SCOPES, lifetime_days=None, is_live=False
        )
    return CreatedTestOrganization(organization_id=organization_id, key=KeyMade.with_secret(key, secret))
