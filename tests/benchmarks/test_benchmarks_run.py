"""Each benchmark still runs and ends as promised. Its figures are not looked at: nothing here is timed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_benchmark_ends_with_its_ratio(script: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(script), "--quick"], capture_output=True, text=True, timeout=240, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["benchmark"] == script.stem
    assert told["ratio"] > 0
    assert told["baseline"]
    assert told.get("missing", 0) == told.get("gaps", 0) == told.get("out_of_order", 0) == 0
    if script.stem in {"ledger_append", "ledger_soak"}:
        assert {"missing", "out_of_order"} <= told.keys()
