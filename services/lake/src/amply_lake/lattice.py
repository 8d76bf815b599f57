"""Searches the lattice of full-domain generalisations for the best one: one level for each column, small classes suppressed.

A node is a tuple of levels. The loss is that of ARX (`MetricMDNMLoss`, Prasser and others): for each column the share of
its domain that a released value stands for, and the whole domain for a row that is left out, normalised between the
finest and the coarsest, then the geometric mean of all columns, each plus one.

Two facts make the search short. What a node loses without leaving out anything is a lower bound of what it loses, known
without looking at any row. And where too much would have to be left out at a node, so it would at each finer one.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Node = tuple[int, ...]

_DENSE: Final = 1 << 22  # so many counters are cheaper than sorting


@dataclass(frozen=True, slots=True)
class Dimension:
    """One quasi-identifier over the distinct tuples, with its levels (the last is `*`).

    `codes[level][tuple]` is the label's number at that level, `shares[level][number]` the share of the domain it stands
    for; `domain` is how many values the domain has.
    """

    codes: tuple[Ints, ...]
    shares: tuple[Floats, ...]
    domain: int


@dataclass(frozen=True, slots=True)
class Tuples:
    """Distinct tuples with their row and person counts, and the values of each sensitive column.

    `people` is exact for a tuple; a person with several tuples is counted in each. `values` holds, for a sensitive
    column, pairs of a tuple and a value's number: each pair once.
    """

    rows: Ints
    people: Ints
    dimensions: tuple[Dimension, ...]
    values: tuple[tuple[Ints, Ints], ...] = ()


@dataclass(frozen=True, slots=True)
class Demand:
    """Requirements for a class, and the maximum of suppressed rows."""

    k: int
    l: int  # noqa: E741 -- the field's own name
    may_be_suppressed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A node's result: suppressed rows, and information loss."""

    suppressed: int
    loss: float


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best node, and how many were evaluated: by bounds alone, and exactly."""

    node: Node
    outcome: Outcome


class Lattice:
    """All nodes (combinations of levels) over some tuples."""

    def __init__(self, tuples: Tuples) -> None:
        self.tuples = tuples
        self._total = int(tuples.rows.sum())
        self._by_level = [
            [
                float((tuples.rows * share[code]).sum())
                for code, share in zip(one.codes, one.shares, strict=True)
            ]
            for one in tuples.dimensions
        ]
        self.shape: Node = tuple(len(one.codes) for one in tuples.dimensions)

    @property
    def top(self) -> Node:
        """The node where everything is suppressed."""
        return tuple(size - 1 for size in self.shape)

    def bounds(self) -> Floats:
        """Lower bounds of each node's loss (without suppression), in the order of `numpy.ndindex`."""
        product = np.ones(self.shape)
        for axis, sums in enumerate(self._by_level):
            normal = np.array([self._normalised(axis, each) + 1 for each in sums]) ** (1 / len(self.shape))
            product *= normal.reshape([-1 if at == axis else 1 for at in range(len(self.shape))])
        return np.asarray(product - 1)

    def classes(self, node: Node) -> tuple[Ints, int]:
        """Each tuple's class number at a node, and the range of numbers (some may be unused)."""
        number = np.zeros(len(self.tuples.rows), dtype=np.int64)
        count = 1
        for one, level in zip(self.tuples.dimensions, node, strict=True):
            size = len(one.shares[level])
            if count > 2**62 // size:
                number, count = _renumbered(number)
            number = number * size + one.codes[level]
            count *= size
        return (number, count) if count <= max(_DENSE, 8 * len(number)) else _renumbered(number)

    def optimistic(self, node: Node, demand: Demand) -> Outcome:
        """A node's outcome if no person were in two of its tuples: a lower bound of suppression and loss."""
        number, count = self.classes(node)
        fit = _count(number, self.tuples.people, count) >= demand.k
        fit &= self.is_diverse(number, count, demand.l)
        return self.outcome(node, fit[number])

    def is_diverse(self, number: Ints, count: int, l: int) -> npt.NDArray[np.bool_]:  # noqa: E741 -- the field's own name
        """Whether each class has enough values of each sensitive column; `number` is each tuple's class."""
        diverse = np.ones(count, dtype=bool)
        for tuple_of, value in self.tuples.values:
            diverse &= _distinct(number[tuple_of], value, count) >= l
        return diverse

    def outcome(self, node: Node, kept: npt.NDArray[np.bool_]) -> Outcome:
        """A node's outcome, given the tuples it keeps."""
        rows = self.tuples.rows
        suppressed = int(rows[~kept].sum())
        product = 1.0
        for axis, (one, level) in enumerate(zip(self.tuples.dimensions, node, strict=True)):
            share = one.shares[level][one.codes[level]]
            lost = float((rows * np.where(kept, share, 1.0)).sum())
            product *= (self._normalised(axis, lost) + 1) ** (1 / len(self.shape))
        return Outcome(suppressed, product - 1)

    def _normalised(self, axis: int, lost: float) -> float:
        least = self._total / self.tuples.dimensions[axis].domain
        return max((lost - least) / (self._total - least), 0.0) if self._total > least else 0.0


Exact = Callable[[Node], Outcome]


def search(lattice: Lattice, demand: Demand, exact: Exact | None = None) -> Optimum | None:
    """The node with the smallest loss whose suppression is within the limit; None if even the coarsest exceeds it.

    `exact` looks at the rows themselves; without it the optimistic outcome is exact, as it is where everybody has one
    tuple. Nodes wait in a heap by what is known of their loss: the bound, then the optimistic outcome, then the exact
    one. Each is at most the next, so the first that comes out exactly known is the best; of equals, the finest.
    """
    bounds = lattice.bounds()
    impossible = np.zeros(lattice.shape, dtype=bool)
    waiting: list[tuple[float, int, Node]] = [
        (float(bound), _BOUND, node) for node, bound in np.ndenumerate(bounds)
    ]
    heapq.heapify(waiting)
    known: dict[Node, Outcome] = {}
    look = _remembering(lattice, demand)
    while waiting:
        _, stage, node = heapq.heappop(waiting)
        if impossible[node]:
            continue
        if stage == _EXACT:
            return Optimum(node, known[node])
        outcome = exact(node) if stage == _OPTIMISTIC and exact is not None else look(node)
        if outcome.suppressed > demand.may_be_suppressed:
            _mark(
                impossible,
                node if stage else _highest_impossible(node, lattice.top, impossible, look, demand),
            )
            impossible[node] = True
            continue
        known[node] = outcome
        heapq.heappush(waiting, (outcome.loss, _EXACT if exact is None or stage else _OPTIMISTIC, node))
    return None


_BOUND, _OPTIMISTIC, _EXACT = range(3)


def _remembering(lattice: Lattice, demand: Demand) -> Callable[[Node], Outcome]:
    seen: dict[Node, Outcome] = {}

    def look(node: Node) -> Outcome:
        if node not in seen:
            seen[node] = lattice.optimistic(node, demand)
        return seen[node]

    return look


def _highest_impossible(
    node: Node,
    top: Node,
    impossible: npt.NDArray[np.bool_],
    look: Callable[[Node], Outcome],
    demand: Demand,
) -> Node:
    """On a way from an impossible node to the top, the last that is impossible: all that is finer is so as well."""
    way = list(_way_up(node, top))
    low, high = 0, len(way) - 1  # way[low] is impossible
    while low < high:
        middle = (low + high + 1) // 2
        if impossible[way[middle]] or look(way[middle]).suppressed > demand.may_be_suppressed:
            low = middle
        else:
            high = middle - 1
    return way[low]


def _way_up(node: Node, top: Node) -> Iterator[Node]:
    """From a node to the top, a level at a time, in the column that is farthest from its own."""
    yield node
    while node != top:
        axis = max(range(len(top)), key=lambda at: (top[at] - node[at], at))
        node = (*node[:axis], node[axis] + 1, *node[axis + 1 :])
        yield node


def _mark(impossible: npt.NDArray[np.bool_], node: Node) -> None:
    """Mark a node and all finer ones."""
    impossible[tuple(slice(None, level + 1) for level in node)] = True


def _count(number: Ints, weights: Ints, count: int) -> Ints:
    return np.bincount(number, weights=weights, minlength=count).astype(np.int64)


def _distinct(number: Ints, value: Ints, count: int) -> Ints:
    """How many different values each class has."""
    size = int(value.max(initial=0)) + 1
    return np.bincount(np.unique(number * size + value) // size, minlength=count)


def _renumbered(number: Ints) -> tuple[Ints, int]:
    found, again = np.unique(number, return_inverse=True)
    return again.astype(np.int64), len(found)


def dimension(
    label: Ints, levels: Sequence[Sequence[str]], domain: Sequence[Sequence[str]] | None = None
) -> Dimension:
    """Make a dimension from the number of each tuple's label, and these labels level by level, `*` left out.

    `domain` are all labels there could be, level by level, where more are known than there are. A label that it lacks
    stands for one value.
    """
    of_domain = domain or levels
    size = len(of_domain[0])
    codes: list[Ints] = []
    shares: list[Floats] = []
    for labels, others in zip(levels, of_domain, strict=True):
        names = {name: at for at, name in enumerate(dict.fromkeys(labels))}
        stands_for = Counter(others)
        codes.append(np.array([names[name] for name in labels], dtype=np.int64)[label])
        shares.append(np.array([max(stands_for[name], 1) / size for name in names]))
    codes.append(np.zeros(len(label), dtype=np.int64))
    shares.append(np.ones(1))
    return Dimension(tuple(codes), tuple(shares), size)
