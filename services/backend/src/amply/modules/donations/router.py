"""`/v1/donations`: opens gifts and shows their state."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from amply.infra.rate_limits import limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, responses
from amply.kernel.errors import TooManyRequests
from amply.kernel.money import AmountNotAcceptable, CurrencyNotSupported, Money
from amply.modules import access, defence, ledger, organizations, payments
from amply.modules.donations import queries, service
from amply.modules.donations.admission import OPENING_PROBLEMS, AdmissionOf, answered
from amply.modules.donations.domain import DonationNotFound
from amply.modules.donations.schemas import DonationCreated, DonationIn, DonationOut, QuoteOut

router = APIRouter(prefix="/v1/donations", tags=["Donations"])


async def _processor(request: Request) -> payments.Processor:
    processor: payments.Processor = request.app.state.processor
    return processor


@router.post(
    "",
    status_code=201,
    summary="Give to an organisation",
    response_model=DonationCreated,
    responses=responses(
        *OPENING_PROBLEMS,
        access.CredentialNotValid,
        access.NotAllowed,
        access.OrganizationHidden,
    ),
)
def create_donation(
    request: Request,
    body: DonationIn,
    database: DatabaseOf,
    clock: ClockOf,
    processor: Annotated[payments.Processor, Depends(_processor)],
    admission: AdmissionOf,
    key: access.KeyOf,
) -> JSONResponse:
    """For donors, who need nothing to say who they are; and for an organisation's own programs, by a key that may."""
    gift = body.gift()
    if key is not None:
        organization_id = gift.organization_id
        access.require_own(request, key, organization_id=organization_id, permission=access.Permission.GIVE)
    answer = service.donate(
        database,
        processor,
        gift=gift,
        key=admission.key if key is None else admission.key_of(key.organization_id),
        # As before this field was there, so that a request that is repeated over a deployment is the same one.
        request=body.model_dump(mode="json", exclude={"data_sharing"} if body.data_sharing is None else None),
        clock=clock,
        # A key speaks for many donors from one address: what bounds it is its own limit, and how each payment ends.
        marks=admission.admit(gift) if key is None else defence.Fingerprints.of_program(gift.amount),
        consents=request.app.state.consents,
    )
    return answered(answer)


@router.get(
    "/quote",
    summary="See what covers the processor's fee",
    dependencies=[Depends(limit_by_address("quotes"))],
    responses=responses(
        AmountNotAcceptable, CurrencyNotSupported, organizations.OrganizationNotFound, TooManyRequests
    ),
)
def quote(
    organization_id: Identifier,
    minor_units: Annotated[str, Query(max_length=20, description="The gift, without what would be added.")],
    currency: Annotated[str, Query(min_length=3, max_length=3)],
    database: DatabaseOf,
) -> QuoteOut:
    gift = Money.parse_gift(minor_units=minor_units, currency=currency)
    with database.transaction() as session:
        covers = service.quotes(session, organization_id=organization_id, gift=gift)
    return QuoteOut.of(gift, covers)


@router.get(
    "/{donation_id}",
    summary="See how a donation stands",
    dependencies=[Depends(limit_by_address("gift_standing"))],
    responses=responses(DonationNotFound, TooManyRequests),
)
def show_donation(donation_id: Identifier, database: DatabaseOf) -> DonationOut:
    with database.transaction() as session:
        donation = queries.get(session, donation_id=donation_id)
        inclusion = ledger.inclusion(session, entry_id=donation.entry_id) if donation.entry_id else None
        waits = donation.is_open and not ledger.takes_entries(session)
    return DonationOut.of(donation, inclusion, waits_for_books=waits)
