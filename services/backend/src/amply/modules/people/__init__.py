"""People's accounts: passwords, second factors, sessions. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.people.addresses import Address, AddressNotAcceptable, address_of
from amply.modules.people.breaches import BreachList, CommonPasswords, Several
from amply.modules.people.callers import SessionCallers
from amply.modules.people.credential_changes import forget
from amply.modules.people.dependencies import Dependencies, Site
from amply.modules.people.domain import (
    TOPIC_ERASED,
    TOPIC_LETTER_ASKED,
    PeopleNotOffered,
    Person,
    SignInElsewhere,
)
from amply.modules.people.erasure_list import count_unnoted, note_erased, still_there
from amply.modules.people.links import LetterLinks
from amply.modules.people.passwords import Cost, Hashing, PasswordNotAcceptable
from amply.modules.people.persons import addresses, find, move_stamp
from amply.modules.people.providers import (
    GROUP_LENGTH_MAX,
    GROUPS_MAX,
    SUBJECT_LENGTH_MAX,
    AuthorizationRequest,
    NoRoleHere,
    OidcSignIn,
    Proof,
    Provider,
    ProviderAway,
    ProviderClient,
    ProviderForgot,
    ProviderNotFound,
    ProviderRefused,
)
from amply.modules.people.registering import is_registered, register_invited
from amply.modules.people.resealing import SealedColumn, sealed_columns_of
from amply.modules.people.sealing import PeopleKey
from amply.modules.people.sessions import SessionStore
from amply.modules.people.tasks import (
    PeopleTaskDependencies,
    count_exhausted_letters,
    sealed_rows,
    send_letters,
)
from amply.modules.people.web import FROM_ANYBODY, OwnPagesOnly

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "FROM_ANYBODY",
    "GROUPS_MAX",
    "GROUP_LENGTH_MAX",
    "SUBJECT_LENGTH_MAX",
    "TOPIC_ERASED",
    "TOPIC_LETTER_ASKED",
    "Address",
    "AddressNotAcceptable",
    "AuthorizationRequest",
    "BreachList",
    "CommonPasswords",
    "Cost",
    "Dependencies",
    "Hashing",
    "LetterLinks",
    "NoRoleHere",
    "OidcSignIn",
    "OwnPagesOnly",
    "PasswordNotAcceptable",
    "PeopleKey",
    "PeopleNotOffered",
    "PeopleTaskDependencies",
    "Person",
    "Proof",
    "Provider",
    "ProviderAway",
    "ProviderClient",
    "ProviderForgot",
    "ProviderNotFound",
    "ProviderRefused",
    "SealedColumn",
    "SessionCallers",
    "SessionStore",
    "Several",
    "SignInElsewhere",
    "Site",
    "address_of",
    "addresses",
    "count_exhausted_letters",
    "count_unnoted",
    "find",
    "forget",
    "is_registered",
    "move_stamp",
    "note_erased",
    "register_invited",
    "routers",
    "sealed_columns_of",
    "sealed_rows",
    "send_letters",
    "still_there",
]


def routers() -> "tuple[APIRouter, APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.people import factor_router, oidc_router, router  # noqa: PLC0415 -- see above

    return router.router, factor_router.factor_router, oidc_router.oidc_router
