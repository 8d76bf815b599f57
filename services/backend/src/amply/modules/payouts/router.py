"""`/v1/public/organisations/{id}/payouts`: public payouts, with their items and log entries.

None of it needs to be believed: the log has an entry for every step and every item, and the bank has the amount.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import StringConstraints
from sqlalchemy.orm import Session

from amply.infra.keyset import CursorOf
from amply.infra.rate_limits import limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, LogUrlOf, responses
from amply.kernel.errors import NotFound, TooManyRequests
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules import ledger
from amply.modules.payouts import queries
from amply.modules.payouts.domain import PayoutNotFound
from amply.modules.payouts.queries import KnownPayout
from amply.modules.payouts.schemas import ItemOut, ItemSumOut, PayoutOut, PayoutPage, PayoutStatement

router = APIRouter(prefix="/v1/public", tags=["Public"])

ITEMS_MAX: Final = 500
"""Items of a page."""

_SECONDS: Final = 60

PayoutId = Annotated[str, StringConstraints(pattern=r"^po_[0-9A-Za-z_]{1,97}$")]
MovementId = Annotated[str, StringConstraints(pattern=r"^mov_[0-9a-z]{26}$")]


class PayoutNotShown(NotFound):
    """No such payout is shown."""

    code = "payout_not_shown"

    def __init__(self) -> None:
        super().__init__(
            "This organisation has no such payout, or none of it is in the published log yet; "
            "ask for the list of its payouts."
        )


@router.get(
    "/organisations/{organization_id}/payouts",
    summary="An organisation's payouts, newest first",
    dependencies=[Depends(limit_by_address("public_ledger"))],
    responses=responses(
        ledger.LedgerNotShown, ledger.LedgerShownInSums, CursorNotAcceptable, TooManyRequests
    ),
)
def list_payouts(
    organization_id: Identifier,
    database: DatabaseOf,
    clock: ClockOf,
    log_url: LogUrlOf,
    response: Response,
    cursor: CursorOf = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
) -> PayoutPage:
    with database.transaction() as session:
        policy = ledger.visibility_of(session, organization_id=organization_id)
        policy.require_entries()
        page = queries.newest(
            session, owner=organization_id, until=policy.entries_until(clock()), cursor=cursor, limit=limit
        )
        places = ledger.published_log_indexes(
            session, entry_ids=[entry for payout in page.items for _, entry in payout.entries]
        )
        size = ledger.published_size(session)
    response.headers["Cache-Control"] = f"public, max-age={_SECONDS}"
    return PayoutPage(
        organization_id=organization_id,
        published_size=size,
        log_url=log_url,
        data=[PayoutOut.of(payout, places) for payout in page.items if _is_public(payout, places)],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.get(
    "/organisations/{organization_id}/payouts/{payout_id}",
    summary="What a payout consists of",
    dependencies=[Depends(limit_by_address("public_ledger"))],
    responses=responses(PayoutNotShown, ledger.LedgerNotShown, ledger.LedgerShownInSums, TooManyRequests),
)
def show_payout(
    organization_id: Identifier,
    payout_id: Annotated[PayoutId, Path()],
    database: DatabaseOf,
    clock: ClockOf,
    log_url: LogUrlOf,
    response: Response,
    cursor: Annotated[MovementId | None, Query(description="`next_cursor` of the page before")] = None,
) -> PayoutStatement:
    with database.transaction() as session:
        policy = ledger.visibility_of(session, organization_id=organization_id)
        policy.require_entries()
        payout = _shown(session, organization_id, payout_id)
        latest = policy.entries_until(clock())
        if latest is not None and payout.created_at >= latest:
            raise PayoutNotShown
        is_known = payout.reconciled_at is not None
        found = (
            queries.items_of(session, payout_id=payout_id, after=cursor or "", limit=ITEMS_MAX + 1)
            if is_known
            else []
        )
        page = found[:ITEMS_MAX]
        named = [item.entry_id for item in page if item.entry_id is not None]
        places = ledger.published_log_indexes(
            session, entry_ids=[*named, *(entry for _, entry in payout.entries)]
        )
        if not _is_public(payout, places):
            raise PayoutNotShown
        sums = queries.item_sums(session, payout_id=payout_id) if is_known else []
        size = ledger.published_size(session)
    response.headers["Cache-Control"] = f"public, max-age={_SECONDS}"
    has_more = len(found) > ITEMS_MAX
    return PayoutStatement(
        organization_id=organization_id,
        payout=PayoutOut.of(payout, places),
        sums=[ItemSumOut(item=each.name, items=each.items, amount=str(each.minor_units)) for each in sums],
        total=str(sum(each.minor_units for each in sums)),
        published_size=size,
        log_url=log_url,
        data=[ItemOut.of(item, places) for item in page],
        has_more=has_more,
        next_cursor=page[-1].id if has_more else None,
    )


def _shown(session: Session, organization_id: str, payout_id: str) -> KnownPayout:
    try:
        payout = queries.find(session, payout_id=payout_id)
    except PayoutNotFound:
        raise PayoutNotShown from None
    if payout.owner != organization_id:
        raise PayoutNotShown
    return payout


def _is_public(payout: KnownPayout, places: dict[str, int]) -> bool:
    """Whether the log says anything of it that a stranger could check."""
    return any(entry in places for _, entry in payout.entries)
