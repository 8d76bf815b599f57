"""`admin organization invite | invite-owner | account`: invitations, and whether an organisation's account may take gifts."""

import json
from dataclasses import asdict

import click

from amply.entrypoints.admin_database import opened_session
from amply.kernel.clock import system_clock
from amply.modules import members, onboarding, organizations, payments
from amply.modules.receipts import Language

CONFIRM = click.option(
    "--confirm",
    type=click.Choice([each.value for each in payments.Confirmation]),
    help="what was looked up about the organisation, where its country asks for it",
)


def confirmed_by(word: str | None) -> payments.Confirmation | None:
    """What `--confirm` says."""
    return None if word is None else payments.Confirmation(word)


@click.command("invite")
@click.option("--id", "organization_id", required=True, help="the organisation, org_…")
@click.option(
    "--email", required=True, help="one person of its staff; the payment processor writes there too"
)
@click.option(
    "--language", type=click.Choice([each.value for each in Language]), default="en", show_default=True
)
@CONFIRM
def invite_organization(*, organization_id: str, email: str, language: str, confirm: str | None) -> None:
    """Let the worker write to an organisation's staff: by the letter's link they answer what Stripe asks, for a week.

    The worker opens the organisation's account where it has none, and another one where it has left the one it had. No link
    is printed: what commands print stands in a log.
    """
    with opened_session() as session:
        onboarding.invite(
            session,
            organization_id=organization_id,
            email=email,
            language=Language(language),
            confirmed=confirmed_by(confirm),
            now=system_clock(),
        )
    click.echo(json.dumps({"id": organization_id, "invited": True}))


@click.command("invite-owner")
@click.option("--id", "organization_id", required=True, help="the organisation, org_…")
@click.option("--email", required=True, help="who is to own it; they accept by the letter's link, signed in")
@click.option(
    "--language", type=click.Choice([each.value for each in Language]), default="en", show_default=True
)
def invite_owner(*, organization_id: str, email: str, language: str) -> None:
    """Let the worker invite somebody as an owner: the first one, or one for an organisation that lost those it had.

    Whoever owns an organisation here invites everybody else. Check who they are as you would check a bank account.
    """
    with opened_session() as session:
        members.invite_owner(
            session,
            organization_id=organization_id,
            email=email,
            language=Language(language),
            now=system_clock(),
        )
    click.echo(json.dumps({"id": organization_id, "invited": True}))


@click.command("account")
@click.option("--id", "organization_id", required=True, help="the organisation, org_…")
def organization_account(*, organization_id: str) -> None:
    """Print whether an organisation takes gifts, and otherwise why not: for its staff, and as donors read it."""
    with opened_session() as session:
        organizations.get(session, organization_id=organization_id)
        found = payments.readiness_of(session, organization_id=organization_id)
        account_id = payments.account_of(session, organization_id=organization_id)
    told = {"id": organization_id, "stripe_account": account_id, "takes_gifts": found.takes_gifts}
    click.echo(json.dumps({**told, **asdict(found)}, ensure_ascii=False))
