"""`admin organization receipts …`, `admin donation …`, `admin donor …`: receipts and statements, for operators."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from amply.entrypoints.admin_database import opened_database, opened_session
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import donations, organizations, receipts

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_LANGUAGE = click.Choice([language.value for language in receipts.Language])


@click.command("receipts")
@click.option("--id", "organization_id", required=True, help="the organisation, org_…")
@click.option("--jurisdiction", type=click.Choice([each.value for each in receipts.Jurisdiction]))
@click.option("--legal-name", help="as verified; asked for with the first --registration-number")
@click.option("--registration-number", help="EIN, CRA number, charity or HMRC number, ABN")
@click.option("--address", multiple=True, help="a line; once for each")
@click.option("--place", help="where receipts are issued (Canada)")
@click.option("--signatory", help="who signs, with the office held")
@click.option("--language", type=_LANGUAGE)
@click.option("--time-zone", help="IANA name, such as America/Toronto")
@click.option("--fiscal-year-starts", type=int, help="month, 1 to 12")
@click.option("--brand-colour", help="#rrggbb, dark enough to be read on white")
@click.option(
    "--logo", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PNG, 64 KiB at most"
)
def organization_receipts(*, organization_id: str, logo: Path | None, **said: object) -> None:
    """Say how an organisation issues receipts; what is not named stays as it is. Prints what is now.

    Without any of it, gifts are acknowledged and nothing is said about taxes; so they are as long as something is `missing`.
    `--jurisdiction none` binds the organisation too, until a law is named here again.
    Receipts that were issued do not change.
    """
    given = {name: value for name, value in said.items() if value not in (None, ())}
    with opened_session() as session:
        # Read-only commands use a read-only connection, without locks.
        found = organizations.locked if given or logo else organizations.get
        organization = found(session, organization_id=organization_id)
        standing = receipts.settings_of(session, organization_id=organization_id) or receipts.ReceiptSettings(
            organization_id=organization_id,
            jurisdiction=receipts.Jurisdiction.NONE,
            legal_name=organization.name,
        )
        _require_verified_name(standing, given)
        if given or logo:
            changed = _changed(standing, given, logo)
            standing = receipts.save_settings(session, settings=changed, now=system_clock())
    click.echo(json.dumps(_shown(standing)))


@click.command("receipt-problems")
@click.option("--id", "organization_id", required=True, help="the organisation, org_…")
def receipt_problems(*, organization_id: str) -> None:
    """Count the gifts that were acknowledged because a receipt could not be made lawful, by reason."""
    with opened_session() as session:
        organizations.get(session, organization_id=organization_id)
        found = receipts.problems(session, organization_id=organization_id)
    click.echo(json.dumps({"id": organization_id, "reasons": dict(found)}))


@click.command("gift-aid-schedule")
@click.option("--id", "organization_id", required=True, help="the organisation, org_…")
@click.option("--from", "first", type=_DAY, required=True, help="first day, in the organisation's time zone")
@click.option("--until", "last", type=_DAY, required=True, help="last day")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def gift_aid_schedule(*, organization_id: str, first: datetime, last: datetime, out: Path) -> None:
    """Write HMRC's schedule (.ods) of the gifts that Gift Aid can be claimed on. Needs the worker's database user.

    Nothing records what was claimed: choose periods that do not overlap.
    """
    with opened_database() as database:
        claimed = donations.gift_aid_claim(
            database, organization_id=organization_id, first=first.date(), last=last.date()
        )
    _write(out, receipts.schedule(claimed))
    total = sum(gift.amount.minor_units for gift in claimed)
    click.echo(
        json.dumps({"file": str(out), "gifts": len(claimed), "minor_units": str(total), "currency": "GBP"})
    )


@click.command("resend-receipt")
@click.argument("donation_id")
def resend_receipt(*, donation_id: str) -> None:
    """Send the receipt of DONATION_ID once more, to the address the gift has: the same receipt, the same number."""
    with opened_session() as session:
        donations.resend_receipt(session, donation_id=donation_id, now=system_clock())
    click.echo(json.dumps({"id": donation_id, "sent": "with the next run, within half a minute"}))


@click.command()
@click.argument("donation_id")
@click.option("--description", required=True, help="what the donor got")
@click.option("--minor-units", type=int, help="its estimated value with taxes, in minor units of --currency")
@click.option("--currency", help="the gift's")
@click.option("--religious", is_flag=True, help="intangible religious benefits (US), which have no value")
def advantage(
    *, donation_id: str, description: str, minor_units: int | None, currency: str | None, religious: bool
) -> None:
    """Say what the donor of DONATION_ID got in return; an issued receipt is replaced. Needs the worker's database user."""
    if (minor_units is None) != (currency is None):
        raise click.UsageError("Give --minor-units and --currency together.")
    kind = (
        receipts.AdvantageKind.INTANGIBLE_RELIGIOUS if religious else receipts.AdvantageKind.GOODS_OR_SERVICES
    )
    value = (
        Money(minor_units=minor_units, currency=currency) if minor_units is not None and currency else None
    )
    with opened_session() as session:
        receipt = donations.state_advantage(
            session,
            donation_id=donation_id,
            advantage=receipts.Advantage(kind=kind, description=description, value=value),
            now=system_clock(),
        )
    click.echo(json.dumps({"id": donation_id, "receipt": receipt.number if receipt else None}))


@click.group()
def donor() -> None:
    """Donors, named by the digest of their address (docs/runbooks/erase-a-donor.md makes it)."""


@donor.command()
@click.option("--organization", "organization_id", required=True, help="the organisation, org_…")
@click.option("--email-sha256", required=True, help="SHA-256, in hex, of the donor's address in lower case")
@click.option("--year", type=int, required=True, help="the calendar year in which the fiscal year begins")
@click.option("--language", type=_LANGUAGE, help="else the donor's, else the organisation's")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), show_default=True)
def statement(*, organization_id: str, email_sha256: str, year: int, language: str | None, out: Path) -> None:
    """Write what a donor gave to an organisation in its fiscal year as PDF and HTML. Needs the worker's database user."""
    with opened_database() as database:
        made = donations.statement_of_donor(
            database,
            organization_id=organization_id,
            email_sha256=email_sha256,
            year=year,
            language=receipts.Language(language) if language else None,
        )
    stem = f"statement-{organization_id}-{year}-{email_sha256[:12]}"
    pdf, html = out / f"{stem}.pdf", out / f"{stem}.html"
    _write(pdf, receipts.as_pdf(made, now=system_clock()))
    _write(html, receipts.as_html(made).encode())
    click.echo(json.dumps({"files": [str(pdf), str(html)], "gifts": len(made.gifts)}))


def _require_verified_name(standing: receipts.ReceiptSettings, given: dict[str, object]) -> None:
    """A number makes receipts official under the name beside it, which may be what the organisation called itself."""
    is_first = given.get("registration_number") and not standing.registration_number
    if is_first and "legal_name" not in given:
        raise click.UsageError(
            f"Give --legal-name too, as the register has it: {standing.legal_name!r} may be what the organisation called itself."
        )


def _changed(
    standing: receipts.ReceiptSettings, given: dict[str, object], logo: Path | None
) -> receipts.ReceiptSettings:
    """The settings with what was said, as the types they have."""
    typed = dict(given)
    if "jurisdiction" in typed:
        law = receipts.Jurisdiction(str(typed["jurisdiction"]))
        # Removing the jurisdiction also removes the organisation's choice, until staff set one again.
        typed |= {"jurisdiction": law, "is_law_withheld": law is receipts.Jurisdiction.NONE}
    if "language" in typed:
        typed["language"] = receipts.Language(str(typed["language"]))
    if logo is not None:
        typed["logo"] = logo.read_bytes()
    return replace(standing, **typed)  # type: ignore[arg-type] # click's options are named and typed as the fields


def _shown(settings: receipts.ReceiptSettings) -> dict[str, object]:
    shown = {name: value for name, value in vars(settings).items() if name != "logo"}
    logo_bytes = len(settings.logo) if settings.logo is not None else None
    return {**shown, "logo_bytes": logo_bytes, "missing": settings.missing}


def _write(path: Path, content: bytes) -> None:
    """What names a donor is for whoever runs the command."""
    path.touch(mode=0o600)
    path.write_bytes(content)
