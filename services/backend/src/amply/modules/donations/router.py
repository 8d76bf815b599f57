"""`/v1/donations`: take a gift, see how it stands."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from amply.infra import idempotency
from amply.infra.rate_limits import client_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, responses
from amply.kernel.errors import TooManyRequests
from amply.kernel.money import AmountNotAcceptable, CurrencyNotSupported
from amply.modules import defence, ledger, payments, receipts
from amply.modules.donations import queries, service
from amply.modules.donations.domain import DonationNotFound
from amply.modules.donations.schemas import DonationCreated, DonationIn, DonationOut

router = APIRouter(prefix="/v1/donations", tags=["Donations"])


def _processor(request: Request) -> payments.Processor:
    processor: payments.Processor = request.app.state.processor
    return processor


def _gate(request: Request) -> defence.Gate:
    gate: defence.Gate = request.app.state.gate
    return gate


def _client(request: Request) -> defence.Client:
    said = (request.headers.get(name, "") for name in _OF_A_DEVICE)
    return defence.Client(address=client_address(request), device="\n".join(said))


_OF_A_DEVICE: Final = ("user-agent", "accept-language", "sec-ch-ua", "sec-ch-ua-platform")


@router.post(
    "",
    status_code=201,
    summary="Give to an organisation",
    response_model=DonationCreated,
    responses=responses(
        AmountNotAcceptable,
        CurrencyNotSupported,
        defence.ChallengeRequired,
        idempotency.IdempotencyKeyMissing,
        idempotency.IdempotencyKeyReused,
        payments.OrganizationNotReady,
        payments.ProcessorRefused,
        payments.ProcessorUnavailable,
        receipts.DonorFactsNotAcceptable,
        TooManyRequests,
    ),
)
def create_donation(
    body: DonationIn,
    database: DatabaseOf,
    clock: ClockOf,
    processor: Annotated[payments.Processor, Depends(_processor)],
    gate: Annotated[defence.Gate, Depends(_gate)],
    client: Annotated[defence.Client, Depends(_client)],
    idempotency_key: Annotated[
        str | None, Header(description="Fresh for each gift; 1 to 255 visible ASCII")
    ] = None,
    amply_challenge: Annotated[
        str | None,
        Header(description="The solution of the challenge that this request was answered with before"),
    ] = None,
) -> JSONResponse:
    key = idempotency.check_key(idempotency_key)
    gift = body.gift()
    marks = gate.admit(
        defence.Attempt(
            client=client,
            organization_id=gift.organization_id,
            mail=gift.donor.email,
            amount=gift.amount,
            idempotency_key=key,
        ),
        solution=amply_challenge,
        now=clock(),
    )
    answer = service.donate(
        database,
        processor,
        gift=gift,
        key=key,
        request=body.model_dump(mode="json"),
        clock=clock,
        marks=marks,
    )
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return JSONResponse(dict(answer.body), status_code=answer.status, headers=headers)


@router.get("/{donation_id}", summary="See how a donation stands", responses=responses(DonationNotFound))
def show_donation(donation_id: Identifier, database: DatabaseOf) -> DonationOut:
    with database.transaction() as session:
        donation = queries.get(session, donation_id=donation_id)
        inclusion = ledger.inclusion(session, entry_id=donation.entry_id) if donation.entry_id else None
        waits = donation.is_open and not ledger.takes_entries(session)
    return DonationOut.of(donation, inclusion, waits_for_books=waits)
