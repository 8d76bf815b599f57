"""`python -m amply.entrypoints.sequencer`: assigns committed entries their index in the log, five times a second."""

from typing import Final

import structlog

from amply.entrypoints.error_reporting import report_errors
from amply.entrypoints.leader import Turn, lead
from amply.entrypoints.shutdown_signals import stop_on_signals
from amply.infra import logging
from amply.infra.database import Database, connect
from amply.infra.settings import DatabaseSettings, LogSettings, ServiceSettings
from amply.kernel.clock import Clock, system_clock
from amply.modules import ledger

EVERY_SECONDS: Final = 0.2

_log = structlog.get_logger()


def turns(
    database: Database, *, origin: str, clock: Clock, batch_max: int = ledger.SEQUENCER_BATCH_MAX
) -> Turn:
    """Sequence one batch in each turn; the next turn follows at once while a batch was full.

    Not before the publisher says that this database extends what the public has seen, nor while it says otherwise.
    """
    sequencer = ledger.Sequencer(origin=origin, batch_max=batch_max)
    clearance = ledger.Clearance.ask(database, now=clock())
    said = False

    def turn() -> float:
        nonlocal said
        taken = sequencer.step(database, now=clock(), clearance=clearance)
        if taken is None and not said:
            _log.warning("waiting_for_clearance", runbook="docs/runbooks/ledger-fork.md")
        said = taken is None
        return 0.0 if taken == sequencer.batch_max else EVERY_SECONDS

    return turn


def main() -> None:
    service, log = ServiceSettings(), LogSettings()
    logging.configure(service=service.service)
    report_errors(service)
    stopping = stop_on_signals()
    database = connect(DatabaseSettings(), application=service.service, pool_size=2)
    lead(
        database,
        lock=ledger.SEQUENCER_LOCK,
        start=lambda: turns(database, origin=log.log_origin, clock=system_clock),
        heartbeat_path=service.heartbeat_path,
        stopping=stopping,
    )
    database.close()


if __name__ == "__main__":
    main()
