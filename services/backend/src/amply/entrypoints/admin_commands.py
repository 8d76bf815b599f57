"""The tree of operators' commands, except those that must run before anything else works (see `admin`)."""

import json
from dataclasses import asdict

import click

from amply.adapters.kms import KmsSigner
from amply.adapters.stripe import StripeProcessor
from amply.entrypoints.admin_applications import COMMANDS as ABOUT_APPLICATIONS
from amply.entrypoints.admin_audit import audit
from amply.entrypoints.admin_books import books
from amply.entrypoints.admin_costs import fee_cover
from amply.entrypoints.admin_data import data
from amply.entrypoints.admin_data_money import COMMANDS as ABOUT_DATA_MONEY
from amply.entrypoints.admin_database import also_concerns, opened_database, opened_session
from amply.entrypoints.admin_defence import LANGUAGE, organization_contact
from amply.entrypoints.admin_defence import defence as closings
from amply.entrypoints.admin_erase import erase
from amply.entrypoints.admin_funds import anonymous_gifts, fund, organization_gifts, return_to
from amply.entrypoints.admin_keys import keys
from amply.entrypoints.admin_offline import offline
from amply.entrypoints.admin_onboarding import (
    CONFIRM,
    confirmed_by,
    invite_organization,
    invite_owner,
    organization_account,
)
from amply.entrypoints.admin_payouts import payouts
from amply.entrypoints.admin_people import people_commands
from amply.entrypoints.admin_receipts import (
    advantage,
    gift_aid_schedule,
    organization_receipts,
    receipt_problems,
    resend_receipt,
)
from amply.entrypoints.admin_receipts import donor as donors
from amply.entrypoints.admin_recorded import hold
from amply.entrypoints.admin_recurring import recurring as plans
from amply.entrypoints.admin_returns import disputes, donation
from amply.entrypoints.admin_webhooks import webhooks
from amply.entrypoints.former_keys import former_keys, published_list
from amply.entrypoints.restoration import restore_log
from amply.infra.settings import LogSettings, StripeSettings
from amply.kernel.clock import iso, system_clock
from amply.modules import defence, ledger, organizations, payments
from ledger_format.notes import VerifierKey


@click.group()
def commands() -> None:
    """All of them."""


@commands.command()
@click.option("--origin", required=True, help="the log's name, first line of its checkpoints")
@click.option("--signing-key", required=True, help="ARN of the KMS key that signs them")
def verifier_key(*, origin: str, signing_key: str) -> None:
    """Print the text that people pin, made from the key itself: origin, key id, public key."""
    click.echo(VerifierKey.from_ed25519(origin, KmsSigner(key_arn=signing_key).public_key()))


@commands.command()
def verifier_keys() -> None:
    """Print every key of the log for people to pin: the present one and the former ones, marked as such.

    In the publisher's environment. The lines are a file for `amply-verify --key`.
    """
    log = LogSettings()
    present = VerifierKey.from_ed25519(log.log_origin, KmsSigner(key_arn=log.signing_key_arn).public_key())
    click.echo(published_list(present, former_keys(log), origin=log.log_origin))


commands.add_command(restore_log)
commands.add_command(keys)


@commands.group()
def organization() -> None:
    """Organisations that receive gifts."""


@organization.command()
@click.option("--name", required=True)
@click.option("--slug", required=True, help="lower-case letters, digits and hyphens")
@click.option("--country", required=True, help="two-letter ISO code")
@click.option("--email", default="", help="whom the payment processor and we write to; needed to onboard")
@LANGUAGE
@click.option("--onboard", is_flag=True, help="open its account at the payment processor")
@CONFIRM
def create(
    *,
    name: str,
    slug: str,
    country: str,
    email: str,
    language: str,
    onboard: bool,
    confirm: str | None,
) -> None:
    """Create an organisation and print it as JSON; running it again changes nothing."""
    if onboard and not email:
        raise click.UsageError("Give --email with --onboard: the payment processor writes to that address.")
    now, confirmed = system_clock(), confirmed_by(confirm)
    account = None
    with opened_database() as database:
        with database.transaction() as session:
            made = organizations.create(session, name=name, slug=slug, country=country, now=now)
            also_concerns(made.id, organization_id=made.id)
            if email:
                contact = organizations.Contact(email=email, language=language)
                organizations.keep_contact(
                    session, organization_id=made.id, contact=contact, now=now, replaces=False
                )
            if onboard and payments.account_of(session, organization_id=made.id) is None:
                # Checked first: an organisation that cannot be onboarded is not created.
                payments.require_admitted(country=country, confirmed=confirmed)
        if onboard:
            processor = StripeProcessor(StripeSettings())
            account = payments.connect_organization(
                database, processor, organization=made, email=email, confirmed=confirmed, now=now
            )
    click.echo(
        json.dumps(
            {
                "id": made.id,
                "stripe_account": account.id if account else None,
                "status": account.status if account else None,
            }
        )
    )


@organization.command()
@click.option("--id", "organization_id", required=True, help="the organisation, org_…")
@click.option("--policy", required=True, type=click.Choice([choice.value for choice in ledger.Visibility]))
@click.option("--days", type=int, help="with delayed: nothing younger is shown")
@click.option("--minimum", type=int, help="with aggregated: sums over fewer entries are not shown")
def visibility(*, organization_id: str, policy: str, days: int | None, minimum: int | None) -> None:
    """Choose what the organisation's ledger pages and exports show. The log itself is public whatever is chosen."""
    chosen = ledger.VisibilityPolicy(visibility=ledger.Visibility(policy), delay_days=days, minimum=minimum)
    with opened_session() as session:
        organizations.get(session, organization_id=organization_id)
        ledger.set_visibility(session, organization_id=organization_id, policy=chosen, now=system_clock())
    click.echo(json.dumps({"id": organization_id, "policy": policy, "days": days, "minimum": minimum}))


@organization.command()
def attacks() -> None:
    """Print the organisations whose forms are used to test stolen cards just now, one JSON object a line."""
    with opened_session() as session:
        found = defence.attacks(session, now=system_clock())
    for attack in found:
        click.echo(
            json.dumps({**asdict(attack), "began_at": iso(attack.began_at), "until": iso(attack.until)})
        )


commands.add_command(erase)
commands.add_command(audit)
commands.add_command(books)
commands.add_command(data)
for command in ABOUT_DATA_MONEY:
    data.add_command(command)
commands.add_command(payouts)
commands.add_command(disputes)
commands.add_command(plans)
commands.add_command(donation)
commands.add_command(webhooks)
commands.add_command(closings)
commands.add_command(donors, "donor")
commands.add_command(people_commands)
organization.add_command(fund)
organization.add_command(return_to)
for command in (
    organization_receipts,
    receipt_problems,
    gift_aid_schedule,
    fee_cover,
    anonymous_gifts,
    organization_gifts,
    invite_organization,
    invite_owner,
    organization_account,
    organization_contact,
    *ABOUT_APPLICATIONS,
):
    organization.add_command(command)
donation.add_command(offline)
for command in (resend_receipt, advantage):
    donation.add_command(command)
hold(commands)
