"""Watchdog: when the supervisor ends for any reason, ends the remaining processes of its run."""

import signal
import sys
from pathlib import Path

from local_cloud.supervisor import leftovers


def main(run: Path) -> None:
    for polite in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(polite, signal.SIG_IGN)
    # The supervisor holds the other end and never writes: the read returns when it is gone.
    sys.stdin.buffer.read()
    leftovers.kill(run)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
