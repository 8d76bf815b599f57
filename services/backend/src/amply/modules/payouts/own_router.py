"""`/v1/organisations/{organization_id}/payouts`: an organisation's payouts, for its members and API keys."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AwareDatetime

from amply.infra.keyset import CursorOf
from amply.infra.web import LogUrlOf, ParameterNotKnown, known_parameters, responses
from amply.kernel.errors import Conflict, NotFound
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules import ledger
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.payouts import queries
from amply.modules.payouts.domain import PayoutNotFound, PayoutStatus
from amply.modules.payouts.journal_reader import PayoutNotInLog
from amply.modules.payouts.queries import PayoutFilter, PayoutSort
from amply.modules.payouts.reports import PayoutTotalsDiffer, ReportFormat, report
from amply.modules.payouts.router import PayoutId
from amply.modules.payouts.schemas import PayoutOut, PayoutPage

own_router = APIRouter(prefix="/v1/organisations/{organization_id}/payouts", tags=["Payouts"])


class OwnPayoutNotFound(NotFound):
    """The organisation has no such payout."""

    code = "payout_not_found"


class ReportNotReady(Conflict):
    """What a payout consists of is not known yet."""

    code = "payout_report_not_ready"


Reading = Annotated[Access, allowed(Permission.PAYOUTS_READ)]


async def _filter(
    status: PayoutStatus | None = None,
    currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Made then or later, with its offset.")] = None,
    before: Annotated[AwareDatetime | None, Query(description="Made before then, with its offset.")] = None,
) -> PayoutFilter:
    return PayoutFilter(status=status, currency=currency, since=since, before=before)


@own_router.get(
    "",
    summary="List one's own payouts, newest first",
    dependencies=[Depends(known_parameters)],
    responses=responses(*PROBLEMS, CursorNotAcceptable, ParameterNotKnown),
)
def list_own_payouts(
    access: Reading,
    log_url: LogUrlOf,
    wanted: Annotated[PayoutFilter, Depends(_filter)],
    sort: PayoutSort = PayoutSort.NEWEST,
    cursor: CursorOf = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
) -> PayoutPage:
    with access.transaction() as session:
        page = queries.own_page(session, access, wanted=wanted, sort=sort, cursor=cursor, limit=limit)
        places = ledger.published_log_indexes(
            session, entry_ids=[entry for payout in page.items for _, entry in payout.entries]
        )
        size = ledger.published_size(session)
    return PayoutPage(
        organization_id=access.organization_id,
        published_size=size,
        log_url=log_url,
        data=[PayoutOut.of(payout, places) for payout in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@own_router.get(
    "/{payout_id}/report",
    summary="Fetch a payout as a file for whoever keeps accounts",
    response_class=Response,
    responses=responses(*PROBLEMS, OwnPayoutNotFound, ReportNotReady, PayoutNotInLog, PayoutTotalsDiffer),
)
def fetch_report(
    payout_id: Annotated[PayoutId, Path()],
    access: Reading,
    file_format: Annotated[ReportFormat, Query(alias="format")] = ReportFormat.CSV,
) -> Response:
    """CSV. `journal` is for Xero. Refused where its items do not come to the payout."""
    with access.transaction() as session:
        try:
            payout = queries.find_own(session, access, payout_id=payout_id)
        except PayoutNotFound:
            raise OwnPayoutNotFound(
                "This organisation has no such payout; ask for the list of its payouts."
            ) from None
        if payout.reconciled_at is None:
            raise ReportNotReady(
                "What this payout consists of is not known yet: Stripe tells it hours after it was made; ask again then."
            )
        written = report(
            session,
            payout_id=payout.id,
            file_format=file_format,
            reference_of=queries.own_bank_reference,
        )
    return Response(
        written,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{payout.id}-{file_format}.csv"'},
    )
