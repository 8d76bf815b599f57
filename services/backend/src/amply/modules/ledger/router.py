"""`/v1/public`: an entry's index in the public log, and the log's size. Everything else is read from the log itself."""

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from amply.infra.rate_limits import limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, LogUrlOf, responses
from amply.kernel.errors import TooManyRequests
from amply.modules.ledger import booking_gate, queries
from amply.modules.ledger.queries import EntryNotFound

router = APIRouter(
    prefix="/v1/public",
    tags=["Public"],
    dependencies=[Depends(limit_by_address("public"))],
    responses=responses(TooManyRequests),
)


class EntryOut(BaseModel):
    """An entry's place in the log. What it says is in the log's bundles; this answer alone proves nothing."""

    id: str
    index: int = Field(description="Position in the log, from 0")
    leaf_hash: str = Field(description="SHA-256 leaf hash (RFC 6962), hexadecimal")
    log_url: str = Field(description="Where checkpoint, tiles and bundles are (C2SP tlog-tiles)")


class FreshnessOut(BaseModel):
    """How far the public log is behind the books. A watcher compares it with the log itself."""

    published_size: int = Field(description="Entries covered by the newest published checkpoint")
    oldest_unpublished_seconds: float = Field(
        description="Age of the oldest booked entry outside it; 0 when there is none. Healthy is below 60"
    )
    takes_entries: bool = Field(
        description="False while the books are compared with this log: gifts are taken, and entered afterwards"
    )
    log_url: str = Field(description="Where checkpoint, tiles and bundles are (C2SP tlog-tiles)")


@router.get("/entries/{entry_id}", summary="Find an entry in the log", responses=responses(EntryNotFound))
def show_entry(entry_id: Identifier, database: DatabaseOf, log_url: LogUrlOf) -> EntryOut:
    with database.transaction() as session:
        location = queries.entry_location(session, entry_id=entry_id)
    if location is None:
        raise EntryNotFound(entry_id=entry_id)
    return EntryOut(id=entry_id, index=location.index, leaf_hash=location.leaf_hash.hex(), log_url=log_url)


@router.get("/log/freshness", summary="How far the log is behind the books")
def show_freshness(
    database: DatabaseOf, clock: ClockOf, log_url: LogUrlOf, response: Response
) -> FreshnessOut:
    # Of this moment alone: another digest each time, and not to be kept by anybody.
    response.headers["Cache-Control"] = "no-store"
    with database.transaction() as session:
        # Read the age first, so that a concurrent publication cannot make it too small.
        age = queries.oldest_unpublished_age(session, now=clock())
        size = queries.published_size(session)
        takes_entries = booking_gate.takes_entries(session)
    return FreshnessOut(
        published_size=size,
        oldest_unpublished_seconds=age.total_seconds(),
        takes_entries=takes_entries,
        log_url=log_url,
    )
