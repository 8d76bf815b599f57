"""pycanon, which others wrote, judges what is released: k over people, l and t."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lake.lake_world import World, people, policy, rows_of
from tests.verify.conftest import ROOT


def judge(rows: list[dict[str, Any]], quasi: list[str], sensitive: list[str]) -> dict[str, Any]:
    command = [str(ROOT / ".venv-peers" / "bin" / "python"), str(Path(__file__).with_name("judge.py"))]
    question = json.dumps({"rows": rows, "quasi": quasi, "sensitive": sensitive})
    done = subprocess.run(command, input=question, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_pycanon_finds_the_k_l_and_t_that_the_certificate_says(tmp_path: Path) -> None:
    world = World(tmp_path, policy())
    gifts = [
        {**row, "event": f"{row['event']}-{turn}", "amount": (number * 37 + turn * 91) % 160}
        for turn in range(3)
        for number, row in enumerate(
            row for age in (21, 44, 63) for row in people(range(age * 100, age * 100 + 4 + age // 9), age=age)
        )
    ]
    done = world.released(world.source(gifts))
    each_once = {(row["donor"], row["age"], row["zip"], row["amount"]): row for row in rows_of(done)}
    people_once = {(row["donor"], row["age"], row["zip"]): row for row in rows_of(done)}
    assert len(people_once) < len(each_once) < len(rows_of(done))
    pairs = judge(list(each_once.values()), ["age", "zip"], ["amount"])
    assert judge(list(people_once.values()), ["age", "zip"], ["amount"])["k"] == done.certificate.k
    assert pairs["l"] == done.certificate.l
    assert done.certificate.t is not None
    assert pairs["t"] == pytest.approx(float(done.certificate.t), abs=1e-9)
