"""Who somebody is: accounts, passwords, second factors, and the sessions by which people are known. Import from here only."""

from amply.modules.people.addresses import Address, AddressNotAcceptable, address_of
from amply.modules.people.breaches import BreachList, CommonPasswords, Several
from amply.modules.people.callers import SessionCallers
from amply.modules.people.domain import FACT_LETTER_ASKED, PeopleNotConfigured, Person
from amply.modules.people.factor_router import factor_router
from amply.modules.people.links import LetterLinks
from amply.modules.people.parts import Parts, Site
from amply.modules.people.passwords import Cost, Hashing
from amply.modules.people.persons import addresses, find
from amply.modules.people.router import router
from amply.modules.people.sealing import PeopleKey
from amply.modules.people.sessions import SessionStore
from amply.modules.people.tasks import Writing, count_exhausted_letters, send_letters, tended
from amply.modules.people.web import OwnPagesOnly, recently_confirmed, require_recent

__all__ = [
    "FACT_LETTER_ASKED",
    "Address",
    "AddressNotAcceptable",
    "BreachList",
    "CommonPasswords",
    "Cost",
    "Hashing",
    "LetterLinks",
    "OwnPagesOnly",
    "Parts",
    "PeopleKey",
    "PeopleNotConfigured",
    "Person",
    "SessionCallers",
    "SessionStore",
    "Several",
    "Site",
    "Writing",
    "address_of",
    "addresses",
    "count_exhausted_letters",
    "factor_router",
    "find",
    "recently_confirmed",
    "require_recent",
    "router",
    "send_letters",
    "tended",
]
