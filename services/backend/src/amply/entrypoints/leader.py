"""Main loop of a process that runs as a single leader: acquire leadership, take turns, back off on errors."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from amply.infra.database import Database
from amply.infra.heartbeat import beat
from amply.modules import ledger

Turn = Callable[[], float]
"""Does due work, and returns the seconds until the next turn."""

IDLE_SECONDS: Final = 1.0
_BACK_OFF_SECONDS_MIN: Final = 0.25
_BACK_OFF_SECONDS_MAX: Final = 30.0

_log = structlog.get_logger()


def lead(
    database: Database,
    *,
    lock: int,
    start: Callable[[], Turn],
    heartbeat_path: str,
    stopping: threading.Event,
) -> None:
    """Run until shutdown.

    `start` is called each time this process becomes the leader. Whatever fails, the lead is given away, the next try
    comes after a wait that doubles up to 30 seconds, and the state of the lead before is forgotten.
    """
    back_off = _BACK_OFF_SECONDS_MIN
    while not stopping.is_set():
        turned = False
        try:
            with ledger.leadership(database, lock=lock) as leadership:
                if not _wait_for_the_lead(leadership, heartbeat_path, stopping):
                    return
                turn = start()
                while leadership.held() and not stopping.is_set():
                    wait = turn()
                    turned = True
                    beat(heartbeat_path)
                    stopping.wait(wait)
        except Exception as error:  # noqa: BLE001 -- a database that restarts or a store that is away must not end the process
            back_off = _BACK_OFF_SECONDS_MIN if turned else min(back_off * 2, _BACK_OFF_SECONDS_MAX)
            _log.error("turn_failed", error=str(error), retry_seconds=back_off, exc_info=True)
            beat(heartbeat_path)
            stopping.wait(back_off)


def _wait_for_the_lead(leadership: ledger.Leadership, heartbeat_path: str, stopping: threading.Event) -> bool:
    """Stay idle while another process leads; False when told to stop meanwhile."""
    is_idle = False
    while not stopping.is_set():
        beat(heartbeat_path)
        if leadership.held():
            _log.info("leading")
            return True
        if not is_idle:
            _log.info("waiting_idle", reason="another process leads")
            is_idle = True
        stopping.wait(IDLE_SECONDS)
    return False
