"""A public data set about people: the American National Election Study of 1996, in the public domain.

`statsmodels` carries 944 of its answers in a file; it is installed in `.venv-peers`, so that nothing is downloaded and nothing
is copied into this project.
"""

import csv
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

TITLE: Final = "Election study of 1996"
COLUMNS: Final[Sequence[Mapping[str, Any]]] = (
    {"name": "answer", "type": "text", "role": "row_key", "required": True},
    {"name": "person", "type": "text", "role": "person", "required": True, "publish_as": "respondent"},
    {
        "name": "age",
        "type": "integer",
        "role": "quasi",
        "least": 0,
        "most": 120,
        "generalise": {"kind": "ranges", "widths": [10, 20], "from": 0, "to": 100},
    },
    {
        "name": "education",
        "type": "integer",
        "role": "quasi",
        "generalise": {"kind": "ranges", "widths": [1, 2, 4], "from": 0, "to": 8},
    },
    {
        "name": "income",
        "type": "integer",
        "role": "quasi",
        "generalise": {"kind": "ranges", "widths": [4, 8], "from": 0, "to": 24},
    },
    {"name": "party", "type": "integer", "role": "sensitive", "least": 0, "most": 6},
    {"name": "vote", "type": "integer", "role": "sensitive", "least": 0, "most": 1},
    {"name": "news_days", "type": "integer", "role": "insensitive", "least": 0, "most": 7},
)
"""In the words of `POST /v1/datasets`. A party or a vote is what nobody shall learn of somebody."""
BAD: Final[Sequence[Mapping[str, Any]]] = (
    {"answer": "bad-1", "age": "old"},
    {"answer": "bad-2", "news_days": 99},
    {"answer": "bad-3", "person": None},
)
"""What is wrong with three rows that are put in on purpose."""
_FILE: Final = "anes96"
_WHERE: Final = (
    "import importlib.resources as r; print(r.files('statsmodels') / 'datasets' / '{file}' / '{file}.csv')"
)
_NAMES: Final = {"age": "age", "educ": "education", "income": "income", "PID": "party", "vote": "vote"}


def rows(settings: Settings, *, mark: str) -> list[dict[str, Any]]:
    """The answers, each of somebody else; `mark` keeps one run's apart from another's.

    Raises:
        LocalCloudError: The file is not there.
    """
    python = settings.root / ".venv-peers" / "bin" / "python"
    done = subprocess.run(
        [str(python), "-c", _WHERE.format(file=_FILE)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LocalCloudError("The public data set is not installed; type 'make setup' once more.")
    with Path(done.stdout.strip()).open(newline="", encoding="utf-8") as file:
        answers = list(csv.DictReader(file, delimiter="\t", quotechar="'"))
    return [_row(f"{mark}-{number}", answer) for number, answer in enumerate(answers, start=1)]


def bad_rows(good: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Three rows that are like a good one but for what is wrong with them."""
    return [{**good, **wrong} for wrong in BAD]


def _row(name: str, answer: Mapping[str, str]) -> dict[str, Any]:
    numbers = {ours: int(float(answer[theirs])) for theirs, ours in _NAMES.items()}
    return {
        "answer": f"answer-{name}",
        "person": f"person-{name}",
        **numbers,
        "news_days": int(float(answer["TVnews"])),
    }
