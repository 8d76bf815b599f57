"""Builds the dependencies of sign-in by OpenID Connect, for the people, federation and SCIM modules."""

from dataclasses import replace
from functools import partial

from amply.adapters.dns import DnsRecords
from amply.adapters.oidc import OidcClient
from amply.entrypoints import application
from amply.infra.database import Database
from amply.infra.settings import OutsideSettings
from amply.modules import federation, people, scim


def oidc_sign_in_parts(
    database: Database,
    key: people.PeopleKey,
    settings: OutsideSettings,
    *,
    edge_url: str,
    on_laptop: bool,
) -> people.OidcSignIn:
    """Dependencies of sign-in by OpenID provider. On a laptop a provider may be on this machine."""
    secrets = settings.sign_in_secrets
    providers = {
        each.key: people.Provider(
            key=each.key,
            name=each.name,
            issuer=each.issuer,
            client_id=each.client_id,
            client_secret=secrets[each.key].get_secret_value(),
        )
        for each in settings.sign_in_providers
        if each.key in secrets
    }
    client = OidcClient(allows_loopback=on_laptop)
    return people.OidcSignIn(
        client=client,
        redirect=f"{edge_url}/account/",
        providers=providers,
        connection=partial(federation.connection_of, database, key),
        arrived=federated_sign_in(database, key, client).arrived,
    )


def federated_sign_in(
    database: Database, key: people.PeopleKey, client: people.ProviderClient
) -> federation.FederatedSignIn:
    """Dependencies of sign-in through an organisation's provider, with its SCIM directory."""
    return federation.FederatedSignIn(database=database, key=key, client=client, directory=scim.Listing(key))


def with_organizations(
    parts: application.Parts, accounts: people.Dependencies, *, on_laptop: bool
) -> application.Parts:
    """The application's dependencies, with federated sign-in and SCIM added."""
    if accounts.oidc_sign_in is None:
        return parts
    return replace(
        parts,
        organization_sign_in=federation.Dependencies(
            key=accounts.key,
            records=DnsRecords(),
            redirect=accounts.oidc_sign_in.redirect,
            allows_loopback=on_laptop,
        ),
        role_renewal=federated_sign_in(accounts.database, accounts.key, accounts.oidc_sign_in.client),
        scim_directories=scim.Dependencies(
            database=accounts.database,
            key=accounts.key,
            sessions=accounts.sessions,
            clock=parts.clock,
            is_secure=accounts.site.is_secure,
        ),
    )
