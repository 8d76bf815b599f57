"""The caller matrix: which callers each route lets in. Written by hand, so that it states the intent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from amply.modules.access import Role

ALL: Final = frozenset(Role)
RUN: Final = frozenset({Role.OWNER, Role.ADMIN})
MONEY: Final = RUN | {Role.FINANCE, Role.VIEWER}


@dataclass(frozen=True)
class Line:
    """Who is let in to a route of an organisation. `confirmed`: not who has not shown for long that it is them."""

    roles: frozenset[Role]
    scopes: tuple[str, ...] = ()
    confirmed: bool = False


@dataclass(frozen=True)
class Open:
    """A route that asks nobody who they are as members or programs: `why`."""

    why: str


@dataclass(frozen=True)
class Personal:
    """A route for whoever is signed in."""


@dataclass(frozen=True)
class Account:
    """A route for whoever is signed in, about themselves; no key is known there. `confirmed`: as of a `Line`."""

    confirmed: bool = False


ANYBODY: Final = Open("anybody may read this")
GIVING: Final = Open("donors give without an account")
DONOR: Final = Open("a donor's signed link")
INVITED: Final = Open("an invitation's signed token")
SIGNING_IN: Final = Open("who is not signed in yet")
DIRECTORY: Final = Open("a directory's token")
PROCESSOR: Final = Open("the processor's signature")

AUTH: Final = "/v1/auth"
OWN: Final = "/v1/organisations/{organization_id}"
MATRIX: Final[Mapping[str, Line | Open | Personal | Account]] = {
    "GET /health/live": ANYBODY,
    "GET /health/ready": ANYBODY,
    "GET /health/deep": ANYBODY,
    "GET /v1/public/organisations": ANYBODY,
    "GET /v1/public/organisations/{organization_id}": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/funds": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/funds/{fund_id}": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/takes-gifts": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/projects": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/projects/{project_id}": ANYBODY,
    "POST /v1/donations": GIVING,
    "GET /v1/donations/quote": ANYBODY,
    "GET /v1/donations/{donation_id}": ANYBODY,
    "POST /v1/recurring": GIVING,
    **{
        f"POST /v1/donor/plans/{{plan_id}}/{what}": DONOR
        for what in (
            *("amount", "options", "gift-aid/cancel", "skip", "pause", "resume", "cancel", "card"),
            *("card/stored", "pay"),
        )
    },
    "GET /v1/donor/plans": DONOR,
    "POST /v1/donor/links": ANYBODY,
    "GET /v1/donor/organisations": DONOR,
    "GET /v1/donor/gifts": DONOR,
    "GET /v1/donor/gifts/{donation_id}": DONOR,
    "POST /v1/donor/gifts/{donation_id}/anonymity": DONOR,
    "POST /v1/donor/gifts/{donation_id}/receipt-letter": DONOR,
    "POST /v1/donor/documents": DONOR,
    "GET /v1/donor/documents/{document_id}": DONOR,
    "GET /v1/donor/documents/{document_id}/content": DONOR,
    "GET /v1/donor/data-sharing": DONOR,
    "POST /v1/donor/data-sharing": DONOR,
    "GET /v1/public/data-sharing": ANYBODY,
    "POST /v1/split-gifts": GIVING,
    "POST /v1/split-gifts/quote": GIVING,
    "POST /v1/split-gifts/{split_id}/payments": GIVING,
    "POST /v1/split-gifts/{split_id}/setups": GIVING,
    "GET /v1/split-gifts/{split_id}": GIVING,
    "GET /v1/onboarding": INVITED,
    "POST /v1/onboarding/links": INVITED,
    "GET /v1/invitation": INVITED,
    "POST /v1/invitation/account": INVITED,
    "POST /v1/invitation/decline": INVITED,
    "GET /v1/public/entries/{entry_id}": ANYBODY,
    "GET /v1/public/log/freshness": ANYBODY,
    "GET /v1/public/log/search": ANYBODY,
    "POST /v1/public/log/search": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/ledger": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/ledger/days": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/ledger/totals": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/ledger/export": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/payouts": ANYBODY,
    "GET /v1/public/organisations/{organization_id}/payouts/{payout_id}": ANYBODY,
    "POST /v1/webhooks/stripe": PROCESSOR,
    f"GET {OWN}": Line(ALL, ("organisation:read",)),
    f"PATCH {OWN}": Line(RUN, ("organisation:write",)),
    f"GET {OWN}/receipt-settings": Line(RUN | {Role.FINANCE}, ("organisation:read",)),
    f"PATCH {OWN}/receipt-settings": Line(RUN | {Role.FINANCE}, ("organisation:write",)),
    f"GET {OWN}/funds": Line(ALL, ("organisation:read",)),
    f"GET {OWN}/funds/{{fund_id}}": Line(ALL, ("organisation:read",)),
    f"POST {OWN}/funds": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"PATCH {OWN}/funds/{{fund_id}}": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"POST {OWN}/funds/{{fund_id}}/close": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"GET {OWN}/projects": Line(ALL, ("organisation:read",)),
    f"GET {OWN}/projects/{{project_id}}": Line(ALL, ("organisation:read",)),
    f"POST {OWN}/projects": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"PATCH {OWN}/projects/{{project_id}}": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"GET {OWN}/images": Line(ALL, ("organisation:read",)),
    f"GET {OWN}/images/{{image_id}}": Line(ALL, ("organisation:read",)),
    f"PATCH {OWN}/images/{{image_id}}": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"POST {OWN}/images": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"POST {OWN}/images/{{image_id}}/received": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"DELETE {OWN}/images/{{image_id}}": Line(RUN | {Role.CONTENT}, ("organisation:write",)),
    f"GET {OWN}/gifts": Line(MONEY, ("donations:read",)),
    f"GET {OWN}/gifts/{{donation_id}}": Line(MONEY, ("donations:read",)),
    f"POST {OWN}/gifts/{{donation_id}}/refunds": Line(RUN | {Role.FINANCE}, confirmed=True),
    f"GET {OWN}/gifts/{{donation_id}}/refunds/{{refund_id}}": Line(MONEY, ("donations:read",)),
    f"GET {OWN}/payouts": Line(MONEY, ("payouts:read",)),
    f"GET {OWN}/payouts/{{payout_id}}/report": Line(MONEY, ("payouts:read",)),
    f"GET {OWN}/application": Line(RUN),
    f"PATCH {OWN}/application": Line(RUN),
    f"POST {OWN}/application/submit": Line(RUN),
    f"GET {OWN}/application/documents": Line(RUN),
    f"POST {OWN}/application/documents": Line(RUN),
    f"DELETE {OWN}/application/documents/{{document_id}}": Line(RUN),
    f"POST {OWN}/application/documents/{{document_id}}/received": Line(RUN),
    f"POST {OWN}/application/documents/{{document_id}}/link": Line(RUN),
    f"GET {OWN}/members": Line(ALL),
    f"GET {OWN}/members/{{person_id}}": Line(ALL),
    f"PATCH {OWN}/members/{{person_id}}": Line(RUN, confirmed=True),
    f"DELETE {OWN}/members/{{person_id}}": Line(RUN, confirmed=True),
    f"DELETE {OWN}/membership": Line(ALL),
    f"GET {OWN}/invitations": Line(RUN, confirmed=True),
    f"POST {OWN}/invitations": Line(RUN, confirmed=True),
    f"DELETE {OWN}/invitations/{{invitation_id}}": Line(RUN, confirmed=True),
    f"GET {OWN}/ownership-offer": Line(ALL),
    f"POST {OWN}/ownership-offer": Line(frozenset({Role.OWNER}), confirmed=True),
    f"DELETE {OWN}/ownership-offer": Line(frozenset({Role.OWNER}), confirmed=True),
    f"POST {OWN}/ownership-offer/accept": Line(ALL - {Role.OWNER}, confirmed=True),
    f"GET {OWN}/webhook-endpoints": Line(RUN),
    f"POST {OWN}/webhook-endpoints": Line(RUN, confirmed=True),
    f"GET {OWN}/webhook-endpoints/{{endpoint_id}}": Line(RUN),
    f"PATCH {OWN}/webhook-endpoints/{{endpoint_id}}": Line(RUN, confirmed=True),
    f"DELETE {OWN}/webhook-endpoints/{{endpoint_id}}": Line(RUN, confirmed=True),
    f"POST {OWN}/webhook-endpoints/{{endpoint_id}}/keys": Line(RUN, confirmed=True),
    f"POST {OWN}/webhook-endpoints/{{endpoint_id}}/test": Line(RUN),
    f"POST {OWN}/webhook-endpoints/{{endpoint_id}}/replays": Line(RUN),
    f"GET {OWN}/webhook-endpoints/{{endpoint_id}}/deliveries": Line(RUN),
    f"GET {OWN}/webhook-endpoints/{{endpoint_id}}/deliveries/{{delivery_id}}": Line(RUN),
    "GET /v1/public/webhook-endpoints/{endpoint_id}/keys": ANYBODY,
    f"GET {OWN}/keys": Line(RUN),
    f"POST {OWN}/keys": Line(RUN, confirmed=True),
    f"DELETE {OWN}/keys/{{key_id}}": Line(RUN, confirmed=True),
    f"GET {OWN}/audit": Line(RUN),
    **{
        f"{method} /scim/v2{path}": DIRECTORY
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for path in ("", "/{path:path}")
    },
    f"GET {OWN}/directory-tokens": Line(RUN),
    f"POST {OWN}/directory-tokens": Line(RUN, confirmed=True),
    f"DELETE {OWN}/directory-tokens/{{token_id}}": Line(RUN, confirmed=True),
    f"GET {OWN}/sign-in": Line(RUN),
    f"POST {OWN}/sign-in": Line(RUN, confirmed=True),
    f"DELETE {OWN}/sign-in": Line(RUN, confirmed=True),
    f"GET {OWN}/sign-in/domains": Line(RUN),
    f"POST {OWN}/sign-in/domains": Line(RUN, confirmed=True),
    f"POST {OWN}/sign-in/domains/{{domain}}/check": Line(RUN, confirmed=True),
    f"DELETE {OWN}/sign-in/domains/{{domain}}": Line(RUN, confirmed=True),
    f"POST {OWN}/exports": Line(MONEY, ("donations:read", "payouts:read")),
    f"GET {OWN}/exports": Line(MONEY, ("donations:read", "payouts:read")),
    f"GET {OWN}/exports/{{export_id}}": Line(MONEY, ("donations:read", "payouts:read")),
    f"POST {OWN}/exports/{{export_id}}/links": Line(MONEY, ("donations:read", "payouts:read")),
    f"GET {OWN}/data/consents": Line(RUN | {Role.FINANCE}),
    f"GET {OWN}/data/datasets": Line(RUN | {Role.FINANCE}),
    f"GET {OWN}/data/datasets/{{dataset_id}}/releases": Line(RUN | {Role.FINANCE}),
    f"GET {OWN}/data/datasets/{{dataset_id}}/releases/{{number}}/certificate": Line(RUN | {Role.FINANCE}),
    f"GET {OWN}/data/datasets/{{dataset_id}}/usage": Line(RUN | {Role.FINANCE}),
    f"GET {OWN}/data/revenue": Line(frozenset({Role.OWNER, Role.FINANCE})),
    **{
        f"GET /v1/{what}": Line(RUN, ("data:read", "data:write"))
        for what in ("sources", "datasets", "datasets/{dataset_id}", "jobs", "jobs/{job_id}")
    },
    **{
        f"{method} /v1/{what}": Line(RUN, ("data:write",))
        for method, what in (
            *(("POST", "sources"), ("POST", "datasets"), ("PATCH", "datasets/{dataset_id}")),
            *(("POST", "ingest/init"), ("POST", "ingest/submit"), ("POST", "jobs/{job_id}/links")),
        )
    },
    "GET /v1/me/organisations": Personal(),
    "POST /v1/me/organisations": Personal(),
    "POST /v1/me/applications": Personal(),
    "POST /v1/me/test-organisations": Personal(),
    **{
        f"POST {AUTH}/{what}": SIGNING_IN
        for what in (
            *("register", "verify-email", "login", "login/factor", "login/passkey/options", "login/passkey"),
            *("logout", "request-password-reset", "reset-password", "confirm-email"),
            *("outside", "outside/find", "outside/finish", "outside/link"),
        )
    },
    f"GET {AUTH}/providers": ANYBODY,
    f"GET {AUTH}/identities": Account(),
    f"POST {AUTH}/identities": Account(confirmed=True),
    f"POST {AUTH}/identities/finish": Account(),
    f"DELETE {AUTH}/identities/{{identity_id}}": Account(confirmed=True),
    f"POST {AUTH}/logout-all": Account(),
    f"GET {AUTH}/me": Account(),
    f"DELETE {AUTH}/me": Account(confirmed=True),
    f"GET {AUTH}/sessions": Account(),
    f"DELETE {AUTH}/sessions/{{session_id}}": Account(),
    f"POST {AUTH}/confirm": Account(),
    f"POST {AUTH}/confirm/passkey/options": Account(),
    f"POST {AUTH}/confirm/passkey": Account(),
    f"POST {AUTH}/password": Account(),
    f"POST {AUTH}/email": Account(confirmed=True),
    f"POST {AUTH}/security-settings": Account(confirmed=True),
    f"POST {AUTH}/factors/totp": Account(confirmed=True),
    f"POST {AUTH}/factors/totp/confirm": Account(confirmed=True),
    f"DELETE {AUTH}/factors/totp": Account(confirmed=True),
    f"POST {AUTH}/factors/recovery-codes": Account(confirmed=True),
    f"GET {AUTH}/factors/passkeys": Account(),
    f"POST {AUTH}/factors/passkeys/options": Account(confirmed=True),
    f"POST {AUTH}/factors/passkeys": Account(confirmed=True),
    f"DELETE {AUTH}/factors/passkeys/{{passkey_id}}": Account(confirmed=True),
}
