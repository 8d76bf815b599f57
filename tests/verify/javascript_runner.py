"""Runs the pages' verifier in Node.js."""

import base64
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.verify.ledger_samples import verifier_key

WIDGETS = Path(__file__).parents[2] / "services" / "widgets"
RUN = Path(__file__).parent / "javascript" / "run.mjs"
LOG_KEY = str(verifier_key())

Answer = dict[str, Any]
Ask = Callable[[Sequence[Mapping[str, Any]]], list[Answer]]


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Ask the verifier many questions in one run of Node; a question is named by its `do`."""
    bundle = tmp_path_factory.mktemp("verifier") / "verifier.mjs"
    command = ["node_modules/.bin/esbuild", "src/verify/index.ts", "--bundle", "--format=esm"]
    subprocess.run([*command, f"--outfile={bundle}"], cwd=WIDGETS, check=True, capture_output=True)

    def asking(calls: Sequence[Mapping[str, Any]]) -> list[Answer]:
        question = json.dumps({"bundle": str(bundle), "calls": calls})
        done = subprocess.run(
            ["node", str(RUN)], input=question, capture_output=True, text=True, check=True, encoding="utf-8"
        )
        answers: list[Answer] = json.loads(done.stdout)
        assert [answer["error"] for answer in answers if "error" in answer] == []
        return answers

    return asking


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def receipt_call(raw: bytes, **trust: Any) -> dict[str, Any]:
    return {"do": "receipt", "file": b64(raw), **(trust or {"keys": [LOG_KEY]})}


def kind(answer: Answer) -> str:
    found: str = answer.get("kind", "verified")
    return found
