"""`/v1/public/entries`: where an entry is in the public log. Everything else about it is read from the log itself."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from amply.infra.web import DatabaseOf, Identifier, LogUrlOf, responses
from amply.modules.ledger import queries
from amply.modules.ledger.queries import EntryNotFound

router = APIRouter(prefix="/v1/public/entries", tags=["Public"])


class EntryOut(BaseModel):
    """An entry's place in the log. What it says is in the log's bundles; this answer alone proves nothing."""

    id: str
    index: int = Field(description="Position in the log, from 0")
    leaf_hash: str = Field(description="SHA-256 leaf hash (RFC 6962), hexadecimal")
    log_url: str = Field(description="Where checkpoint, tiles and bundles are (C2SP tlog-tiles)")


@router.get("/{entry_id}", summary="Find an entry in the log", responses=responses(EntryNotFound))
def show_entry(entry_id: Identifier, database: DatabaseOf, log_url: LogUrlOf) -> EntryOut:
    with database.transaction() as session:
        location = queries.entry_location(session, entry_id=entry_id)
    if location is None:
        raise EntryNotFound(entry_id=entry_id)
    return EntryOut(id=entry_id, index=location.index, leaf_hash=location.leaf_hash.hex(), log_url=log_url)
