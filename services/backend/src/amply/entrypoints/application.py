"""The HTTP application: routers, error handlers, documentation. Dependencies are passed in, so that tests pass their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline
from sqlalchemy import text

from amply.entrypoints import api_document, problems
from amply.entrypoints.bodies import Bodies
from amply.entrypoints.conditional_reads import ConditionalReads
from amply.entrypoints.cross_origin import CrossOrigin
from amply.entrypoints.deep_health import DeepHealth, DeepHealthOut, HealthStatus, Part
from amply.entrypoints.gift_concurrency import GiftConcurrencyLimit
from amply.entrypoints.middleware import ASKED_ALL_THE_TIME, RequestFrame
from amply.infra import tracing
from amply.infra.database import Database
from amply.infra.rate_limits import Limiter
from amply.infra.web import DatabaseOf
from amply.kernel.clock import Clock
from amply.modules import (
    access,
    applications,
    audit,
    defence,
    donations,
    exports,
    federation,
    giving,
    images,
    ingestion,
    keys,
    ledger,
    members,
    onboarding,
    organizations,
    payments,
    payouts,
    people,
    receipts,
    recurring,
    scim,
    seller_portal,
    sharing,
    trials,
    webhook_endpoints,
    webhooks,
)

_DESCRIPTION: Final = """
Take donations whose books anyone can check. Amounts are strings of minor units; every error is a problem document
(RFC 9457) with a stable `code`; requests that move money take an `Idempotency-Key`. Answers may gain fields, and
enumerations values: expect both.
"""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The application's dependencies. `verifier` is None where no webhook secret is configured.

    `plans` is None where nothing signs donors' links, `invitations` and `membership` where nothing signs those, `accounts`
    where nobody can sign in, `organization_applications` where nobody can apply, and `test_organizations` where nobody may make test organisations.

    `organization_sign_in` and `scim_directories` are None where organisations have no sign-in of their own, and `role_renewal` where no role is given by one.

    `allowed_origins` are our own pages alone: they may ask from another address than the API's, with people's cookies.

    `consents` keeps what donors let be shared; None where no data is shared. `intake` is where outside sources hand theirs in;
    None where none is taken in. `seller_data` is what sellers see of their data; None where nothing is sold.

    `export_store` is where files that organisations asked for are; without it none is made. `image_uploads` is where their logos
    and banners are uploaded to; without it none is taken.

    `allows_loopback_webhooks`: whether webhook endpoints may be on this machine, as on a laptop.

    `callers` are the ways to be known, in the order they are asked in.

    `site_url` is where people's pages are; without it a problem's `type` is a reference without a host.

    `deep_health` asks the parts that `/health/deep` tells of; without it the database alone.

    `client_address_header` is the header our gateway writes the client's address to; empty where none stands in front.
    """

    database: Database
    processor: payments.Processor
    method_cloning: payments.PaymentMethodCloning
    verifier: webhooks.EventVerifier | None
    limiter: Limiter
    gate: defence.Gate
    clock: Clock
    livemode: bool
    log_url: str
    allowed_origins: tuple[str, ...]
    client_address_header: str
    site_url: str = ""
    deep_health: DeepHealth | None = None
    plans: recurring.Dependencies | None = None
    invitations: onboarding.Dependencies | None = None
    membership: members.Dependencies | None = None
    callers: tuple[access.CallerSource, ...] = ()
    accounts: people.Dependencies | None = None
    test_organizations: trials.Dependencies | None = None
    organization_sign_in: federation.Dependencies | None = None
    role_renewal: access.RoleRenewal | None = None
    scim_directories: scim.Dependencies | None = None
    organization_applications: applications.Dependencies | None = None
    export_store: exports.ExportStore | None = None
    consents: donations.ConsentKeeping | None = None
    seller_data: seller_portal.Dependencies | None = None
    intake: ingestion.Intake | None = None
    image_uploads: images.ImageUploadStore | None = None
    allows_loopback_webhooks: bool = False


health = APIRouter(prefix="/health", tags=["Health"])
_AWAY: Final = 503


@health.get("/live", summary="The process answers")
def live() -> dict[str, str]:
    return {"status": "ok"}


@health.get(
    "/ready",
    summary="The process and its database answer",
    responses={_AWAY: {"model": dict[str, str], "description": "The database does not answer"}},
)
def ready(database: DatabaseOf, response: Response) -> dict[str, str]:
    try:
        _ask_database(database)
    except Exception:  # noqa: BLE001 -- whatever is wrong, the answer is the same: not ready
        response.status_code = _AWAY
        return {"status": "unavailable", "database": "does not answer"}
    return {"status": "ok", "database": "ok"}


@health.get(
    "/deep",
    summary="Each part that the platform needs answers, and how fast",
    responses={_AWAY: {"model": DeepHealthOut, "description": "Gifts cannot be taken"}},
)
def deep(request: Request, response: Response) -> DeepHealthOut:
    found: DeepHealthOut = request.app.state.deep_health.look()
    if found.status is HealthStatus.UNAVAILABLE:
        response.status_code = _AWAY
    return found


def database_part(database: Database) -> Part:
    """Health check of the database, through the requests' connection pool."""
    return Part(name="database", ask=lambda: _ask_database(database), is_needed=True)


def _ask_database(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("SELECT 1"))


def create(parts: Parts) -> FastAPI:
    """Create the application with its dependencies.

    What it is made of for each route is the same whatever its parts are, costs a third of a second, and is made with the first
    requests: all applications of a process share it.
    """
    app = without_parts()
    app.router.routes[:] = _first(tracing.provider()).router.routes
    for name, part in vars(parts).items():
        setattr(app.state, name, part)
    app.state.keeps_event = donations.keeps_event
    app.state.deep_health = parts.deep_health or DeepHealth([database_part(parts.database)])
    app.add_middleware(GiftConcurrencyLimit)
    app.add_middleware(Bodies)
    app.add_middleware(ConditionalReads)
    if parts.accounts is not None:
        app.add_middleware(people.OwnPagesOnly, site=parts.accounts.site, refused=problems.known)
    app.add_middleware(CrossOrigin, own_origins=parts.allowed_origins)
    app.add_middleware(RequestFrame)
    return app


@cache
def _first(_recording: object | None) -> FastAPI:
    """The one whose routes the others answer by, for each way of recording spans."""
    return without_parts()


def without_parts() -> FastAPI:
    """All routes with documentation, without dependencies."""
    app: FastAPI = FastAPIOffline(
        title="Amply",
        version="1",
        description=_DESCRIPTION,
        docs_url="/docs",
        redoc_url=None,
        # A redirect would lead to the address as the load balancer sees it, without TLS, and some clients drop the body.
        redirect_slashes=False,
        telemetry=_recorded(),
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    for router in _routers():
        app.include_router(router)
    app.openapi = _documented(app)  # type: ignore[method-assign] # the way that FastAPI documents
    return app


def _routers() -> Iterator[APIRouter]:
    """In the order they are documented in, and where two match in the order they are asked in."""
    gifts, split_gifts, gifts_of_one, refunds_of_one = donations.routers()
    profiles, projects, public_projects, own_profile = organizations.routers()
    payouts_of_all, payouts_of_one = payouts.routers()
    yield from (gifts, split_gifts, *recurring.routers(), *giving.routers())
    yield from (profiles, *onboarding.routers(), *ledger.routers(), *people.routers())
    yield from (payouts_of_all, *webhooks.routers(), health, projects, public_projects, *images.routers())
    yield from (own_profile, *receipts.routers(), gifts_of_one, refunds_of_one, payouts_of_one)
    yield from (*applications.routers(), *members.routers())
    yield from (*keys.routers(), *audit.routers(), *exports.routers(), *trials.routers(), *sharing.routers())
    yield from webhook_endpoints.routers()
    yield from (*ingestion.routers(), *seller_portal.routers(), *federation.routers(), *scim.routers())


def _documented(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What `/openapi.json` serves, made once and when it is asked for."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = api_document.document(app)
        return app.openapi_schema

    return openapi


def _recorded() -> TelemetryConfig:
    """One span a request, while spans are recorded at all; of the framework's own steps none, and no other signal."""
    provider = tracing.provider()
    return {
        "tracing": provider is not None,
        "tracer_provider": provider,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "exclude": lambda scope: scope["path"].startswith(ASKED_ALL_THE_TIME),
    }
