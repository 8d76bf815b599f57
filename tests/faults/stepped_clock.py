"""`python stepped_clock.py FILE MODULE`: runs a module with its clock offset by the seconds in FILE."""

import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from amply.kernel import clock


def main(told: Path, module: str) -> None:
    """Replace the clock before the service asks for it, then run the service as itself."""
    clock.system_clock = lambda: datetime.now(UTC) + timedelta(seconds=float(told.read_text()))
    sys.argv = [module]
    del sys.path[0]  # this folder, whose names would stand before those of the standard library
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
