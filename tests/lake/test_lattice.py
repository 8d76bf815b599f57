"""The search for the best levels: ARX's optima, a brute-force lattice, and what must hold on any data."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply_lake.lattice import Demand, Lattice, Node, Optimum, Outcome, Tuples, dimension, search
from tests.lake import adult


@pytest.fixture(scope="module")
def folder(vectors: Path) -> Path:
    return vectors / "adult"


@pytest.fixture(scope="module")
def lattice(folder: Path) -> Lattice:
    return Lattice(adult.tuples(folder, adult.optima(folder)["qi"]))


def test_the_nine_optima_that_arx_found_on_adult_are_found(folder: Path, lattice: Lattice) -> None:
    cases: list[dict[str, Any]] = adult.optima(folder)["cases"]
    assert len(cases) == 9
    total = int(lattice.tuples.rows.sum())
    for case in cases:
        demand = Demand(case["k"], 1, int(case["suppression_limit"] * total))
        found = search(lattice, demand)
        assert found is not None
        assert list(found.node) == case["optimum"], case
        assert found.outcome.loss == pytest.approx(case["loss"], abs=1e-9), case


class Counting(Lattice):
    """Counts the nodes that are looked at."""

    looked_at = 0

    def optimistic(self, node: Node, demand: Demand) -> Outcome:
        self.looked_at += 1
        return super().optimistic(node, demand)


def test_the_search_looks_at_a_small_part_of_the_lattice(lattice: Lattice) -> None:
    counting = Counting(lattice.tuples)
    assert search(counting, Demand(20, 1, 0)) is not None
    assert 0 < counting.looked_at < lattice.bounds().size / 10


SHAPES = st.lists(st.integers(1, 3), min_size=1, max_size=3)


@st.composite
def small_tuples(draw: st.DrawFn) -> Tuples:
    """Tuples of one to three columns, each column's labels merging two by two; with one sensitive column."""
    steps = draw(SHAPES)
    count = draw(st.integers(1, 12))
    dimensions = []
    for of_column in steps:
        size = draw(st.integers(1, 6))
        labels = np.array(
            draw(st.lists(st.integers(0, size - 1), min_size=count, max_size=count)), dtype=np.int64
        )
        levels = [[str(label >> level) for label in range(size)] for level in range(of_column)]
        dimensions.append(dimension(labels, levels))
    rows = np.array(draw(st.lists(st.integers(1, 5), min_size=count, max_size=count)), dtype=np.int64)
    pairs = draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, 2)), min_size=1))
    of, value = (np.array(each, dtype=np.int64) for each in zip(*sorted(pairs), strict=True))
    return Tuples(rows=rows, people=rows, dimensions=tuple(dimensions), values=((of, value),))


def brute_force(lattice: Lattice, demand: Demand) -> float | None:
    """The smallest loss of all nodes."""
    outcomes = [lattice.optimistic(node, demand) for node in np.ndindex(lattice.shape)]
    return min((each.loss for each in outcomes if each.suppressed <= demand.may_be_suppressed), default=None)


@given(small_tuples(), st.integers(1, 8), st.integers(1, 3), st.integers(0, 20))
def test_the_search_finds_what_a_brute_force_lattice_finds(
    tuples: Tuples, k: int, values: int, limit: int
) -> None:
    lattice, demand = Lattice(tuples), Demand(k, values, limit)
    found, best = search(lattice, demand), brute_force(lattice, demand)
    assert (found is None) == (best is None)
    if found is not None and best is not None:
        assert found.outcome.loss == pytest.approx(best, abs=1e-12)
        assert found.outcome.suppressed <= limit


@given(small_tuples(), st.integers(1, 8), st.integers(1, 3))
def test_a_coarser_node_never_leaves_out_more_and_never_has_a_smaller_bound(
    tuples: Tuples, k: int, values: int
) -> None:
    lattice, demand = Lattice(tuples), Demand(k, values, 0)
    bounds = lattice.bounds()
    for node in np.ndindex(lattice.shape):
        outcome = lattice.optimistic(node, demand)
        assert bounds[node] <= outcome.loss + 1e-12
        for axis, level in enumerate(node):
            if level + 1 < lattice.shape[axis]:
                coarser = (*node[:axis], level + 1, *node[axis + 1 :])
                assert lattice.optimistic(coarser, demand).suppressed <= outcome.suppressed
                assert bounds[coarser] >= bounds[node] - 1e-12


@given(small_tuples(), st.integers(1, 8), st.integers(0, 20), st.data())
def test_what_is_counted_exactly_decides(tuples: Tuples, k: int, limit: int, data: st.DataObject) -> None:
    """Some people are in several tuples: then the exact count is smaller, and the best by it is found."""
    lattice, demand = Lattice(dataclasses.replace(tuples, values=())), Demand(k, 1, limit)
    doubled = [data.draw(st.booleans()) for _ in tuples.rows]

    def exact(node: tuple[int, ...]) -> Any:
        number, count = lattice.classes(node)
        people = np.bincount(number, weights=tuples.people, minlength=count)
        also = np.bincount(number, weights=doubled, minlength=count)  # one who is in each of these
        return lattice.outcome(node, (people - np.maximum(also - 1, 0) >= k)[number])

    found: Optimum | None = search(lattice, demand, exact)
    outcomes = [exact(node) for node in np.ndindex(lattice.shape)]
    best = min((each.loss for each in outcomes if each.suppressed <= limit), default=None)
    assert (found.outcome.loss if found else None) == (
        best if best is None else pytest.approx(best, abs=1e-12)
    )
