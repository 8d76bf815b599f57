"""The Adult data set with ARX's hierarchies, as distinct tuples."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from amply_lake.lattice import Tuples, dimension


def optima(folder: Path) -> Any:
    """What ARX found on it, measured outside this repository."""
    return json.loads((folder / "arx_loss_optima.json").read_text(encoding="utf-8"))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "adult.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def hierarchy(folder: Path, column: str) -> list[list[str]]:
    with (folder / f"adult_hierarchy_{column}.csv").open(encoding="utf-8", newline="") as file:
        return [row[:-1] for row in csv.reader(file, delimiter=";")]  # without the last level, `*`


def tuples(folder: Path, columns: list[str]) -> Tuples:
    counted = Counter(tuple(row[column] for column in columns) for row in rows(folder))
    found = sorted(counted)
    dimensions = []
    for at, column in enumerate(columns):
        table = hierarchy(folder, column)
        number = {row[0]: index for index, row in enumerate(table)}
        labels = np.array([number[each[at]] for each in found], dtype=np.int64)
        dimensions.append(dimension(labels, list(zip(*table, strict=True))))
    counts = np.array([counted[each] for each in found], dtype=np.int64)
    return Tuples(rows=counts, people=counts, dimensions=tuple(dimensions))
