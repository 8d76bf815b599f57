"""Lambda handlers. A failed message is returned alone, and goes to the dead-letter queue after its last attempt."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import get_session

from amply_terminals.control_plane import SourceItems
from amply_terminals.errors import Reason
from amply_terminals.gathering import gather
from amply_terminals.handed import Handed
from amply_terminals.keeping import Outcome, keep
from amply_terminals.store import RawBucket, Store

_LIMITS = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})


def keep_messages(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    return handle(event, store=_raw())


def handle(event: Mapping[str, Any], *, store: Store) -> dict[str, Any]:
    """Answers which messages failed (`ReportBatchItemFailures`); one of them does not take the others along."""
    failed = [record["messageId"] for record in event["Records"] if not _handled(record, store)]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}


def gather_days(_event: Mapping[str, Any], _context: object) -> dict[str, int]:
    """Called by the clock; what fails is tried again by its next call."""
    written = 0
    for file in gather(store=_raw(), sources=_sources(), now=datetime.now(UTC)):
        _say("terminal_day_gathered", dataset=file.dataset, day=file.day.isoformat(), rows=str(file.rows))
        written += 1
    return {"written": written}


def _handled(record: Mapping[str, Any], store: Store) -> bool:
    try:
        outcome = keep(Handed.of(str(record["body"])), store=store)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the message must come again and then be set aside
        _say("terminal_message_failed", message=str(record.get("messageId")), why=type(error).__name__)
        return False
    _tell(outcome)
    return True


def _tell(outcome: Outcome) -> None:
    """What alarms count. What was refused before and comes again is not told again."""
    of = {"terminal": outcome.terminal, "kind": outcome.kind}
    if outcome.refused is None:
        _say("terminal_message_kept" if outcome.is_new else "terminal_message_repeated", **of)
    elif not outcome.is_new:
        _say("terminal_message_repeated", **of, refused=outcome.refused)
    elif outcome.refused is Reason.CONTRADICTS:
        _say("terminal_message_contradicts", **of)
    else:
        _say("terminal_message_refused", **of, refused=outcome.refused)


def _say(event: str, **more: str) -> None:
    print(json.dumps({"event": event, **more}))  # noqa: T201 -- how a function writes to its log


@cache
def _raw() -> RawBucket:
    return RawBucket(get_session().create_client("s3", config=_LIMITS), bucket=os.environ["AMPLY_RAW_BUCKET"])


@cache
def _sources() -> SourceItems:
    return SourceItems(
        get_session().create_client("dynamodb", config=_LIMITS), table=os.environ["AMPLY_DATASETS_TABLE"]
    )
