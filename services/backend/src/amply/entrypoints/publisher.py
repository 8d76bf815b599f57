"""`python -m amply.entrypoints.publisher`: signs and shows what was sequenced, soon after it was, at most every 10 s."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from amply.adapters.kms import KmsSigner
from amply.adapters.s3 import S3Archive, S3PublicLog
from amply.entrypoints.errors import report_errors
from amply.entrypoints.leader import Turn, lead
from amply.entrypoints.stopping import stop_on_signals
from amply.infra import logging
from amply.infra.database import Database, connect
from amply.infra.settings import DatabaseSettings, LogSettings, ServiceSettings
from amply.kernel.clock import Clock, system_clock
from amply.modules import ledger

BETWEEN_CHECKPOINTS_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.5
PUBLISHED: Final = "checkpoint_measured"
"""What the line of one publication is called; its seconds stand on the dashboard."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Where checkpoints are signed, shown and kept."""

    signer: ledger.Signer
    public_log: ledger.PublicLog
    archive: ledger.Archive


def turns(
    database: Database,
    *,
    origin: str,
    outside: Outside,
    clock: Clock,
    elapsed: Callable[[], float] = time.monotonic,
) -> Turn:
    """Publish when there is something new. `elapsed` gives seconds that no step of a wall clock touches.

    Raises:
        ForkRefused: This database does not extend what the public has seen.
    """

    def clear() -> None:
        ledger.clear_sequencer(
            database, origin=origin, signer=outside.signer, public_log=outside.public_log, now=clock()
        )

    def answer_the_sequencer() -> None:
        if ledger.sequencer_waits(database):
            clear()

    def publish() -> float:
        began = time.monotonic()
        published = ledger.publish_checkpoint(
            database,
            origin=origin,
            signer=outside.signer,
            public_log=outside.public_log,
            archive=outside.archive,
            now=clock(),
        )
        if published is None:
            return LOOK_SECONDS
        _log.info(PUBLISHED, size=published.size, publishing_seconds=round(time.monotonic() - began, 3))
        return BETWEEN_CHECKPOINTS_SECONDS

    clear()
    return attentive(publish, meanwhile=answer_the_sequencer, elapsed=elapsed)


def attentive(act: Turn, *, meanwhile: Callable[[], None], elapsed: Callable[[], float]) -> Turn:
    """Do `act` when its wait, counted from its beginning, is over, and `meanwhile` every half second.

    So a new sequencer waits no longer than that.
    """
    due = elapsed()

    def turn() -> float:
        nonlocal due
        meanwhile()
        began = elapsed()
        if began >= due:
            due = began + act()
        return min(LOOK_SECONDS, max(0.0, due - elapsed()))

    return turn


def main() -> None:
    service, log = ServiceSettings(), LogSettings()
    logging.configure(service=service.service)
    report_errors(service)
    stopping = stop_on_signals()
    database = connect(DatabaseSettings(), application=service.service, pool_size=2)
    outside = Outside(
        signer=KmsSigner(key_arn=log.signing_key_arn),
        public_log=S3PublicLog(bucket=log.public_bucket),
        archive=S3Archive(bucket=log.archive_bucket),
    )
    lead(
        database,
        lock=ledger.PUBLISHER_LOCK,
        start=lambda: turns(database, origin=log.log_origin, outside=outside, clock=system_clock),
        heartbeat_path=service.heartbeat_path,
        stopping=stopping,
    )
    database.close()


if __name__ == "__main__":
    main()
