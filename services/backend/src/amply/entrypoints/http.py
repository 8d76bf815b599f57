"""`python -m amply.entrypoints.http`: runs the API server."""

from functools import partial

import uvicorn

from amply.adapters.breaches import HttpBreachList
from amply.adapters.s3.documents import S3Documents
from amply.adapters.s3.exports import S3Exports
from amply.adapters.s3.handed_in import S3HandedIn
from amply.adapters.s3.uploads import S3Uploads
from amply.adapters.stripe import (
    StripeAccountLinks,
    StripeEventVerifier,
    StripeMethodCloning,
    StripeProcessor,
    StripeSavedMethods,
)
from amply.entrypoints import application, oidc
from amply.entrypoints.error_reporting import report_errors
from amply.entrypoints.gift_concurrency import CONCURRENT_GIFTS_MAX
from amply.entrypoints.health_checks import deep_health
from amply.entrypoints.keyring_setup import with_keys
from amply.entrypoints.member_directory import MemberDirectory, people_leaving
from amply.entrypoints.self_signed_tls import self_signed_context
from amply.entrypoints.seller_portal import seller_portal_dependencies
from amply.entrypoints.shutdown_signals import exit_on_sigterm
from amply.entrypoints.slow_request_limits import SlowRequestLimits
from amply.entrypoints.traces import traced
from amply.infra import logging
from amply.infra.cache import cache_client
from amply.infra.counters import CacheCounters, FallingBack
from amply.infra.database import Database, connect
from amply.infra.rate_limits import CacheLimiter
from amply.infra.settings import (
    ApiSettings,
    CacheSettings,
    DatabaseSettings,
    DocumentSettings,
    ExportSettings,
    LakeSettings,
    LinkSettings,
    OutsideSettings,
    PeopleSettings,
    ServiceSettings,
    SoldDataSettings,
    StripeSettings,
    TraceSettings,
    VaultSettings,
)
from amply.kernel.clock import system_clock
from amply.modules import (
    applications,
    defence,
    federation,
    keys,
    members,
    onboarding,
    people,
    recurring,
    sharing,
    trials,
)


def main() -> None:
    service = ServiceSettings()
    logging.configure(service=service.service)
    report_errors(service)
    # Uvicorn stops at the signal and then sends it again, to whoever handled it before.
    exit_on_sigterm()
    with traced(service, TraceSettings()):
        serve(service)


def serve(service: ServiceSettings) -> None:
    """Serve until shutdown."""
    api = ApiSettings()
    cache = CacheSettings()
    database = with_keys(
        connect(DatabaseSettings(), application=service.service, pool_size=CONCURRENT_GIFTS_MAX),
        VaultSettings(),
        keeps_trees=False,
    )
    on_laptop = service.environment == "local"
    accounts = people_parts(database, cache, edge_url=api.edge_url, on_laptop=on_laptop)
    parts = parts_from_environment(service, api, cache, accounts)
    app = application.create(oidc.with_organizations(parts, accounts, on_laptop=on_laptop))
    # The load balancer keeps connections for 60 s; closing first would lose requests in flight.
    uvicorn.run(
        app,
        host=api.api_host,
        port=api.api_port,
        http=SlowRequestLimits.of_site(api.edge_url),
        timeout_keep_alive=75,
        ssl_context_factory=(lambda *_: self_signed_context(now=system_clock())) if api.api_tls else None,
        log_config=None,
        server_header=False,
    )


def parts_from_environment(
    service: ServiceSettings, api: ApiSettings, cache: CacheSettings, accounts: people.Dependencies
) -> application.Parts:
    """The application's dependencies from this process's settings."""
    database, stripe, opened = accounts.database, StripeSettings(), cache_client(cache)
    webhook_secret = stripe.webhook_secret.get_secret_value()
    documents, lake = DocumentSettings().documents_bucket, LakeSettings()
    return application.Parts(
        database=database,
        processor=StripeProcessor(stripe),
        method_cloning=StripeMethodCloning(stripe),
        verifier=StripeEventVerifier(webhook_secret) if webhook_secret else None,
        limiter=CacheLimiter(opened),
        gate=defence.gate(database, FallingBack(CacheCounters(cache))),
        clock=system_clock,
        livemode=service.livemode,
        log_url=api.log_url,
        allowed_origins=accounts.site.origins,
        client_address_header=api.client_address_header,
        site_url=api.edge_url,
        deep_health=deep_health(database, opened, stripe),
        plans=recurring.Dependencies(
            saved=StripeSavedMethods(stripe), links=recurring.LinkKey.from_settings(LinkSettings())
        ),
        invitations=onboarding.Dependencies(
            links=StripeAccountLinks(stripe),
            key=onboarding.InvitationKey.from_settings(LinkSettings()),
            page=f"{api.edge_url}/onboarding/",
        ),
        membership=members.Dependencies(
            key=members.JoinKey.from_settings(LinkSettings()), people=MemberDirectory(accounts)
        ),
        callers=(
            keys.KeyCallers(database=database, livemode=service.livemode),
            people.SessionCallers(accounts),
        ),
        accounts=accounts,
        test_organizations=trial_dependencies(service, accounts, stripe),
        organization_applications=applications.Dependencies(
            people=MemberDirectory(accounts), shelf=S3Documents(bucket=documents)
        ),
        image_uploads=S3Uploads(bucket=documents),
        export_store=S3Exports(bucket=ExportSettings().exports_bucket),
        consents=sharing.Ticks() if lake.consent_table else None,
        intake=S3HandedIn(bucket=lake.raw_bucket) if lake.raw_bucket else None,
        seller_data=seller_portal_dependencies(SoldDataSettings()),
        allows_loopback_webhooks=service.environment == "local",
    )


def trial_dependencies(
    service: ServiceSettings, accounts: people.Dependencies, stripe: StripeSettings
) -> trials.Dependencies | None:
    """Dependencies of test organisations; None where they are not allowed."""
    if not trials.are_offered(environment=service.environment, livemode=service.livemode):
        return None
    return trials.Dependencies(people=MemberDirectory(accounts), processor_url=stripe.api_url)


def people_parts(
    database: Database, cache: CacheSettings, *, edge_url: str, on_laptop: bool
) -> people.Dependencies:
    """Dependencies of sign-in. Attempts are counted in the cache alone: without it nobody can sign in."""
    settings = PeopleSettings()
    url, key = settings.breach_list_url, people.PeopleKey.from_settings(settings, keyring=database.keyring)
    return people.Dependencies(
        database=database,
        key=key,
        links=people.LetterLinks.from_settings(LinkSettings()),
        sessions=people.SessionStore.from_settings(cache),
        counters=CacheCounters(cache),
        hashing=people.Hashing(),
        breaches=people.Several(people.CommonPasswords(), *([HttpBreachList(url=url)] if url else [])),
        site=people.Site.of(edge_url),
        before_leaving=people_leaving,
        before_session=partial(federation.require_provider, key),
        oidc_sign_in=oidc.oidc_sign_in_parts(
            database, key, OutsideSettings(), edge_url=edge_url, on_laptop=on_laptop
        ),
    )


if __name__ == "__main__":
    main()
