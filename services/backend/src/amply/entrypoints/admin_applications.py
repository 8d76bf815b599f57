"""`admin organization applications | application | document | review | ask | verify | refuse | suspend | restore`."""

import json
from typing import Any

import click

from amply.adapters.s3.documents import S3Documents
from amply.entrypoints.admin_database import also_concerns, opened_session
from amply.infra.settings import DocumentSettings
from amply.kernel.clock import iso, iso_or_none, system_clock
from amply.modules import applications, organizations
from amply.modules.applications import REVIEW_ACTIONS, TIERS, ReviewAction, Tier
from amply.modules.organizations import OrganizationState

_ID = click.option("--id", "organization_id", required=True, help="the organisation, org_…")
_REASON = click.option(
    "--reason", required=True, help="why, in words that the organisation is told, in the language it reads"
)


@click.command("applications")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([each.value for each in OrganizationState]),
    default=("submitted", "in_review"),
    show_default=True,
)
def list_applications(*, states: tuple[str, ...]) -> None:
    """Print the applications that wait, whoever has waited longest first, one JSON object a line."""
    with opened_session() as session:
        found = applications.waiting(
            session, states=[OrganizationState(state) for state in states], now=system_clock()
        )
    for each in found:
        told = {"id": each.organization_id, "legal_name": each.legal_name, "state": each.state}
        click.echo(json.dumps({**told, "since": iso(each.since), "late": each.is_late}, ensure_ascii=False))


@click.command("application")
@_ID
def show_application(*, organization_id: str) -> None:
    """Print what an organisation says of itself, what a register says, its documents, and what its tier has staff check."""
    with opened_session(about=organization_id) as session:
        row = applications.application_for_staff(session, organization_id=organization_id)
        organization = organizations.get(session, organization_id=organization_id)
        lookup = applications.last_lookup(session, organization_id=organization_id)
        documents = applications.documents_for_staff(session, organization_id=organization_id)
    rule = TIERS[Tier(row.tier)]
    told: dict[str, Any] = {
        "id": organization_id,
        "state": organization.state,
        **{name: getattr(row, name) for name in _SAID},
        "country": organization.country,
        "register": None if lookup is None else _answer(lookup),
        "documents": [
            # No program examines the contents.
            {"id": each.id, "kind": each.kind, "media_type": each.media_type, "scanned": False}
            for each in documents
        ],
        "asked_for": list(rule.documents),
        "to_check": list(rule.checks),
    }
    click.echo(json.dumps(told, ensure_ascii=False))


@click.command("document")
@click.option("--id", "document_id", required=True, help="the document, odoc_…")
def read_document(*, document_id: str) -> None:
    """Print a link to one document, good for five minutes. Nobody has scanned it: open it where nothing can happen."""
    shelf = S3Documents(bucket=DocumentSettings().documents_bucket)
    with opened_session() as session:
        row = applications.document_for_staff(session, document_id=document_id)
        also_concerns(document_id, organization_id=row.organization_id)
    url = shelf.link(
        row.object_key,
        version=row.object_version,
        media_type=row.media_type,
        lifetime=applications.READ_WITHIN,
    )
    click.echo(json.dumps({"id": document_id, "url": url}))


@click.command("review")
@_ID
def review(*, organization_id: str) -> None:
    """Begin to look at an application: what it says stays as it is from now on."""
    _move(organization_id, ReviewAction.REVIEW, reason=None)


@click.command("ask")
@_ID
@_REASON
def ask(*, organization_id: str, reason: str) -> None:
    """Ask for something more; the organisation adds it and hands the application in again."""
    _move(organization_id, ReviewAction.ASK, reason=reason)


@click.command("verify")
@_ID
@click.option("--slug", help="the name in addresses, where the one it asked for is taken or unfit")
def verify(*, organization_id: str, slug: str | None) -> None:
    """Verify an organisation: it takes gifts as soon as its account at Stripe is open."""
    with opened_session(about=organization_id) as session:
        named = applications.verify(session, organization_id=organization_id, slug=slug, now=system_clock())
    click.echo(
        json.dumps({"id": organization_id, "state": REVIEW_ACTIONS[ReviewAction.VERIFY].to, "slug": named})
    )


@click.command("outgrown")
def list_outgrown() -> None:
    """Print the organisations whose tier is (nearly) too small for a year's gifts, one JSON object a line."""
    with opened_session() as session:
        found = applications.outgrowing(session, now=system_clock())
    for each in found:
        told = {"id": each.organization_id, "tier": each.tier, "growth": each.growth}
        volume = {"minor_units": str(each.volume.minor_units), "currency": each.volume.currency}
        since = {"noticed_at": iso(each.noticed_at), "overdue": each.is_overdue}
        click.echo(json.dumps({**told, "volume": volume, **since}))


@click.command("tier")
@_ID
@click.option("--tier", required=True, type=click.Choice([each.value for each in Tier]))
def set_tier(*, organization_id: str, tier: str) -> None:
    """Verify an organisation for another tier, once its documents are there and hold; gifts go on meanwhile."""
    with opened_session() as session:
        applications.verify_for(session, organization_id=organization_id, tier=Tier(tier))
    click.echo(json.dumps({"id": organization_id, "tier": tier}))


@click.command("refuse")
@_ID
@_REASON
def refuse(*, organization_id: str, reason: str) -> None:
    """Refuse an application for good; whoever applied may apply anew."""
    _move(organization_id, ReviewAction.REFUSE, reason=reason)


@click.command("suspend")
@_ID
@_REASON
def suspend(*, organization_id: str, reason: str) -> None:
    """Take no new gifts for an organisation for now. What is under way arrives; recurring gifts wait."""
    _move(organization_id, ReviewAction.SUSPEND, reason=reason)


@click.command("restore")
@_ID
@_REASON
def restore(*, organization_id: str, reason: str) -> None:
    """End a suspension."""
    _move(organization_id, ReviewAction.RESTORE, reason=reason)


COMMANDS = (
    *(list_applications, show_application, read_document),
    *(review, ask, verify, refuse, suspend, restore),
    *(list_outgrown, set_tier),
)

_SAID = (
    *("legal_name", "slug", "kind", "tier", "tax_id", "street", "postal_code", "city", "website"),
    *("purpose", "sdgs"),
)


def _move(organization_id: str, move: ReviewAction, *, reason: str | None) -> None:
    with opened_session() as session:
        state = applications.by_staff(
            session, organization_id=organization_id, move=move, reason=reason, now=system_clock()
        )
    click.echo(json.dumps({"id": organization_id, "state": state}))


def _answer(found: applications.Lookup) -> dict[str, Any]:
    return {
        "asked_at": iso(found.asked_at),
        "answered_at": iso_or_none(found.answered_at),
        "outcome": found.outcome or "waiting",
        "register": found.register,
        "name": found.name,
        "status": found.status,
    }
