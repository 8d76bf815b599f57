"""Terms of a plan's gifts: receipt details, dedication, and the fee cover that the donor agreed to.

Whatever concerns the receipt (address, company, Gift Aid) and for whom the gifts are is read from the first gift, where
the donor said it. The rest stands in the plan, where the donor may change it. Why so: ADR 0096.
"""

from dataclasses import replace

from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules import donations, payments, receipts
from amply.modules.donations import Anonymity, GiftOptions, GiftOptionsNotAcceptable
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import FIRST, has_gift_aid


def gift_of(session: Session, row: PlanRow) -> donations.Gift:
    """The next gift to collect, with its fee cover. Personal.

    Somebody was told by letter of the first gift, and of none after it.
    """
    first = session.get_one(PlanChargeRow, (row.id, FIRST)).donation_id or ""
    told, _ = receipts.told_of(session, donation_id=first)
    declared = told.gift_aid if has_gift_aid(row) else None
    return donations.Gift(
        organization_id=row.organization_id,
        amount=amount_of(row),
        donor=donations.Donor(name=row.donor_name or "", email=row.donor_email or ""),
        message=row.message,
        for_receipt=replace(told, gift_aid=declared and replace(declared, declared_at=row.gift_aid_since)),
        options=_options(row, dedication=donations.dedication_of(session, donation_id=first)),
        fee_cover=cover_of(session, row),
    )


def amount_of(row: PlanRow) -> Money:
    """The gift's amount."""
    return Money(minor_units=row.minor_units, currency=row.currency)


def cover_of(session: Session, row: PlanRow) -> payments.FeeCover | None:
    """Today's fee cover for the payment method, limited by the donor's agreement and the sent notice.

    None where the donor covers nothing, and where nobody publishes the fee of what pays.
    """
    most = row.fee_cover_minor_units
    if row.announced_minor_units is not None:
        most = min(most, row.announced_minor_units - row.minor_units)
    if most <= 0:
        return None
    for quoted in donations.quotes(session, organization_id=row.organization_id, gift=amount_of(row)):
        if quoted.method == row.method_kind:
            added = min(quoted.amount.minor_units, most)
            return replace(quoted, amount=Money(minor_units=added, currency=row.currency))
    return None


def check_options(session: Session, row: PlanRow) -> None:
    """Refuse options that the organisation does not accept (any more). Reads nothing personal.

    Raises:
        FundNotAcceptable: The fund is closed.
        GiftOptionsNotAcceptable: The organisation takes no anonymous gifts, or the donor declares Gift Aid.
    """
    if row.anonymity == Anonymity.ORGANIZATION and has_gift_aid(row):
        raise GiftOptionsNotAcceptable(
            "A Gift Aid declaration tells the organisation who gives: cancel it first to stay anonymous.",
            param="anonymity",
        )
    nobody = donations.Donor(name="", email="")
    donations.check_options(
        session,
        donations.Gift(
            organization_id=row.organization_id,
            amount=amount_of(row),
            donor=nobody,
            message=None,
            options=_options(row, dedication=None),
        ),
    )


def _options(row: PlanRow, *, dedication: donations.Dedication | None) -> GiftOptions:
    return GiftOptions(fund_id=row.fund_id, anonymity=Anonymity(row.anonymity), dedication=dedication)
