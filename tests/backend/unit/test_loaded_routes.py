"""Who answers nobody loads no routes: to make them takes as long as everything else of a module."""

import os
import subprocess
import sys
from pathlib import Path

import amply.modules

MODULES = Path(amply.modules.__path__[0])
OTHERS = ("admin", "worker", "scheduler", "sequencer", "publisher")
LOAD = f"""
import sys
from amply.entrypoints import {", ".join(OTHERS)}
print("\\n".join(sys.modules))
"""


def with_routes() -> set[str]:
    """Modules that make routes, by their sources."""
    files = (file for file in MODULES.rglob("*.py") if "APIRouter(" in file.read_text())
    return {".".join(("amply.modules", *file.relative_to(MODULES).with_suffix("").parts)) for file in files}


def test_the_worker_the_scheduler_and_commands_load_no_routes() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "amply.modules.recurring" in loaded
    assert len(with_routes()) > 20
    assert with_routes() & set(loaded) == set()
    assert "amply.modules.scim" in loaded
    assert "scim2_models" not in loaded, "the protocol's models take a third of a worker's start"
