"""`/v1/public/organisations/{id}/ledger` and `/v1/public/log/search`: ledger pages, sums, exports, and search.

None of it needs to be believed: every answer can be checked against the log's own files. What no published checkpoint
covers could not be, so it is not shown.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, StringConstraints
from sqlalchemy.orm import Session

from amply.infra.rate_limits import limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, LogUrlOf, responses
from amply.kernel.errors import InvalidRequest, TooManyRequests
from amply.kernel.pagination import PAGE_SIZE_MAX
from amply.modules.ledger import days, exports, pages
from amply.modules.ledger.exports import EXPORT_ENTRIES_MAX, MEDIA_TYPES, Export, ExportFormat
from amply.modules.ledger.pages import EntryFilter, LedgerHead, LoggedEntry, NotInLog, OrganizationHasNoLedger
from amply.modules.ledger.schemas import (
    DaySumOut,
    LedgerDays,
    LedgerEntryOut,
    LedgerPage,
    LedgerTotals,
    LocationOut,
    TotalOut,
    VisibilityOut,
)
from amply.modules.ledger.visibility import (
    LedgerNotShown,
    LedgerShownInSums,
    VisibilityPolicy,
    visibility_of,
)
from ledger_format.errors import FormatError
from ledger_format.merkle import leaf_hash as hash_of_leaf
from ledger_format.receipts import decode_receipt

router = APIRouter(prefix="/v1/public", tags=["Public"])

DAYS_MAX: Final = 366
_YEARS: Final = range(2000, 2200)
"""Range in which date arithmetic cannot overflow."""
_PAGE_SECONDS: Final = 10
_FILE_SECONDS: Final = 60

Kind = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")]
Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]
LeafHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
IfNoneMatch = Annotated[str, Header(max_length=1000, include_in_schema=False)]


class PeriodNotAcceptable(InvalidRequest):
    """The period ends before it begins, or is too long."""

    code = "period_not_acceptable"


class ReceiptNotReadable(InvalidRequest):
    """The uploaded file is not a receipt."""

    code = "receipt_not_readable"


async def _wanted(
    kind: Annotated[Kind | None, Query(description="Such as `donation.succeeded`")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Inclusive")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Exclusive")] = None,
) -> EntryFilter:
    if since is not None and until is not None and until <= since:
        raise PeriodNotAcceptable("Let the period end after it begins.", param="until")
    return EntryFilter(kind=kind, since=since, until=until)


WantedOf = Annotated[EntryFilter, Depends(_wanted)]


@router.get(
    "/organisations/{organization_id}/ledger",
    summary="An organisation's entries, newest first",
    response_model=LedgerPage,
    dependencies=[Depends(limit_by_address("public_ledger"))],
    responses=responses(
        OrganizationHasNoLedger, LedgerNotShown, LedgerShownInSums, PeriodNotAcceptable, TooManyRequests
    ),
)
def list_entries(
    organization_id: Identifier,
    wanted: WantedOf,
    database: DatabaseOf,
    clock: ClockOf,
    log_url: LogUrlOf,
    response: Response,
    cursor: Annotated[Cursor | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
    if_none_match: IfNoneMatch = "",
) -> LedgerPage | Response:
    now = clock()
    with database.transaction() as session:
        head, policy = _of(session, organization_id)
        policy.require_entries()
        tag = _tag(head, policy, now.strftime("%Y-%m-%dT%H:%M") if policy.delay_days else "")
        if if_none_match == tag:
            return _unchanged(tag)
        page = pages.newest_entries(
            session,
            organization_id=organization_id,
            wanted=wanted.within(policy, now=now),
            before=head.entries if cursor is None else min(int(cursor), head.entries),
            limit=limit,
        )
    _cached(response, tag)
    return LedgerPage(
        organization_id=organization_id,
        visibility=VisibilityOut.of(policy),
        published_size=head.published_size,
        log_url=log_url,
        data=[LedgerEntryOut.of(entry) for entry in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.get(
    "/organisations/{organization_id}/ledger/days",
    summary="Sums by day and kind",
    response_model=LedgerDays,
    dependencies=[Depends(limit_by_address("public_ledger"))],
    responses=responses(OrganizationHasNoLedger, LedgerNotShown, PeriodNotAcceptable, TooManyRequests),
)
def list_days(
    organization_id: Identifier,
    database: DatabaseOf,
    clock: ClockOf,
    response: Response,
    since: Annotated[date | None, Query(alias="from", description="First day; a month ago if absent")] = None,
    until: Annotated[date | None, Query(description="Day after the last; tomorrow if absent")] = None,
    if_none_match: IfNoneMatch = "",
) -> LedgerDays | Response:
    now = clock()
    if any(day is not None and day.year not in _YEARS for day in (since, until)):
        raise PeriodNotAcceptable(f"Ask for days from {_YEARS.start} to {_YEARS.stop - 1}.", param="from")
    last = until or now.date() + timedelta(days=1)
    first = since or last - timedelta(days=31)
    if not 0 < (last - first).days <= DAYS_MAX:
        raise PeriodNotAcceptable(f"Ask for 1 to {DAYS_MAX} days.", param="from")
    with database.transaction() as session:
        head, policy = _of(session, organization_id)
        size = days.folded_size(session)
        tag = _tag(head, policy, f"{size}-{now.date()}")
        if if_none_match == tag:
            return _unchanged(tag)
        found = days.days(
            session, organization_id=organization_id, policy=policy, day_from=first, day_until=last, now=now
        )
    _cached(response, tag)
    return LedgerDays(
        organization_id=organization_id,
        visibility=VisibilityOut.of(policy),
        summed_size=size,
        data=[DaySumOut.of(day) for day in found],
    )


@router.get(
    "/organisations/{organization_id}/ledger/totals",
    summary="Totals by kind",
    response_model=LedgerTotals,
    dependencies=[Depends(limit_by_address("public_ledger"))],
    responses=responses(OrganizationHasNoLedger, LedgerNotShown, TooManyRequests),
)
def show_totals(
    organization_id: Identifier,
    database: DatabaseOf,
    clock: ClockOf,
    response: Response,
    if_none_match: IfNoneMatch = "",
) -> LedgerTotals | Response:
    now = clock()
    with database.transaction() as session:
        head, policy = _of(session, organization_id)
        size = days.folded_size(session)
        tag = _tag(head, policy, f"{size}-{now.date()}")
        if if_none_match == tag:
            return _unchanged(tag)
        found = days.totals(session, organization_id=organization_id, policy=policy, now=now)
    _cached(response, tag)
    return LedgerTotals(
        organization_id=organization_id,
        visibility=VisibilityOut.of(policy),
        summed_size=size,
        data=[TotalOut.of(total) for total in found],
    )


@router.get(
    "/organisations/{organization_id}/ledger/export",
    summary="Published entries as a file",
    description=(
        f"At most {EXPORT_ENTRIES_MAX:,} entries a file, oldest first; the `Link` header (`rel=next`) leads to the next "
        "file. CSV and Parquet hold a row a transfer, JSON Lines an object an entry."
    ),
    response_class=StreamingResponse,
    dependencies=[Depends(limit_by_address("public_exports"))],
    responses={
        **responses(
            OrganizationHasNoLedger, LedgerNotShown, LedgerShownInSums, PeriodNotAcceptable, TooManyRequests
        ),
        200: {
            "description": "The file",
            "content": {
                media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
                for media in MEDIA_TYPES.values()
            },
            "headers": {
                "Link": {"description": "The next file, `rel=next`", "schema": {"type": "string"}},
            },
        },
    },
)
def export_entries(
    request: Request,
    organization_id: Identifier,
    wanted: WantedOf,
    database: DatabaseOf,
    clock: ClockOf,
    file_format: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
    cursor: Annotated[Cursor, Query(description="From the `Link` header of the file before")] = "0",
) -> StreamingResponse:
    with database.transaction() as session:
        head, policy = _of(session, organization_id)
        policy.require_entries()
    first = min(int(cursor), head.entries)
    sequences = range(first, min(first + EXPORT_ENTRIES_MAX, head.entries))
    export = Export(
        organization_id=organization_id, wanted=wanted.within(policy, now=clock()), sequences=sequences
    )
    headers = {
        "Cache-Control": f"public, max-age={_FILE_SECONDS}",
        "Content-Disposition": (
            f'attachment; filename="{organization_id}-ledger-{sequences.start}.{file_format.value}"'
        ),
    }
    if sequences.stop < head.entries:
        following = request.url.include_query_params(cursor=str(sequences.stop))
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    content = _written(file_format, exports.batches(database, export))
    return StreamingResponse(content, media_type=MEDIA_TYPES[file_format], headers=headers)


@router.get(
    "/log/search",
    summary="Find an entry by its leaf hash",
    description="Who has the entry's id asks `/v1/public/entries/{entry_id}`.",
    dependencies=[Depends(limit_by_address("public_ledger"))],
    responses=responses(NotInLog, TooManyRequests),
)
def search(
    database: DatabaseOf,
    log_url: LogUrlOf,
    leaf_hash: Annotated[LeafHash, Query(description="As `amply-verify receipt --json` prints it")],
) -> LocationOut:
    with database.transaction() as session:
        found = pages.locate(session, leaf_hash=bytes.fromhex(leaf_hash))
    return LocationOut.of(found, log_url=log_url)


@router.post(
    "/log/search",
    summary="Find the entry of a receipt",
    description=(
        "Send the `.tlog-proof` file as the body. It is read and forgotten: nothing of it is stored or logged. It may "
        "hold your name: `leaf_hash` finds the same without it, and the ledger page checks the file without sending it."
    ),
    dependencies=[Depends(limit_by_address("public_ledger"))],
    responses=responses(NotInLog, ReceiptNotReadable, TooManyRequests),
)
def search_by_receipt(
    receipt: Annotated[bytes, Body(media_type="application/octet-stream")],
    database: DatabaseOf,
    log_url: LogUrlOf,
) -> LocationOut:
    try:
        leaf = decode_receipt(receipt).leaf
    except FormatError as error:
        raise ReceiptNotReadable(f"Send a .tlog-proof file as it was given to you: {error}.") from error
    with database.transaction() as session:
        found = pages.locate(session, leaf_hash=hash_of_leaf(leaf))
    return LocationOut.of(found, log_url=log_url)


def _written(file_format: ExportFormat, pieces: Iterator[Sequence[LoggedEntry]]) -> Iterator[bytes]:
    match file_format:
        case ExportFormat.CSV:
            yield from exports.csv_file(pieces)
        case ExportFormat.PARQUET:
            yield from exports.parquet_file(pieces)
        case ExportFormat.JSON_LINES:
            for piece in pieces:
                yield "".join(f"{LedgerEntryOut.of(entry).model_dump_json()}\n" for entry in piece).encode()


def _of(session: Session, organization_id: str) -> tuple[LedgerHead, VisibilityPolicy]:
    policy = visibility_of(session, organization_id=organization_id)
    policy.require_sums()
    return pages.ledger_head(session, organization_id=organization_id), policy


def _tag(head: LedgerHead, policy: VisibilityPolicy, more: str) -> str:
    """Differs whenever the answer could: by what is published, and what is shown of it."""
    shown = f"{policy.visibility}-{policy.delay_days or policy.minimum or 0}"
    return f'W/"{head.entries}-{head.published_size}-{shown}-{more}"'


def _cached(response: Response, tag: str) -> None:
    response.headers["Cache-Control"] = f"public, max-age={_PAGE_SECONDS}"
    response.headers["ETag"] = tag


def _unchanged(tag: str) -> Response:
    unchanged = Response(status_code=304)
    _cached(unchanged, tag)
    return unchanged
