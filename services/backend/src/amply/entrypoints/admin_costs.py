"""`admin organization fee-cover`: compares what donors added for processing fees with the fees that were charged."""

import json

import click

from amply.entrypoints.admin_database import opened_session
from amply.modules import donations, organizations


@click.command("fee-cover")
@click.option("--id", "organization_id", required=True, help="the organisation, org_…")
def fee_cover(*, organization_id: str) -> None:
    """Print, by currency and way to pay, what donors added for fees and what these really were. Needs the worker's database user.

    `difference` is over the gifts whose fee is known; below zero, the fees were higher than what was added.
    """
    with opened_session() as session:
        organizations.get(session, organization_id=organization_id)
        found = donations.covered_fees(session, organization_id=organization_id)
    click.echo(
        json.dumps(
            {
                "id": organization_id,
                "covered": [
                    {
                        "method": each.method,
                        "currency": each.fee_cover.currency,
                        "gifts": each.gifts,
                        "fee_cover": str(each.fee_cover.minor_units),
                        "fees_known": each.known,
                        "processor_fee": str(each.processor_fee.minor_units),
                        "difference": str(each.difference.minor_units),
                    }
                    for each in found
                ],
            }
        )
    )
