"""Some schedules of the ledger's processes; the same every time; and each planted bug is found.

`make simulate SEEDS=n` runs more. A failing seed tells its schedule and the command that replays it.
"""

from collections.abc import Iterator

import pytest

from tests.simulation.cluster import running_cluster
from tests.simulation.planted import BUGS, Bug
from tests.simulation.seeds import SeedFailed, Simulation

SEEDS = 4
LOSES_ITS_DATABASE = 5_049
"""Between a publisher's decision on a tree and its signature."""

PLANTED_SEEDS_MAX = 60
"""How many may pass before a planted bug is found; a few do."""


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with running_cluster() as cluster:
        yield Simulation(cluster)


def test_a_seed_is_the_same_schedule_every_time(simulation: Simulation) -> None:
    """Also when it is the first in its process: nothing of those before it, and no race of the server's, decides."""
    assert simulation.run(LOSES_ITS_DATABASE).trace == simulation.run(LOSES_ITS_DATABASE).trace


def test_every_schedule_keeps_every_promise(simulation: Simulation) -> None:
    for seed in range(SEEDS):
        simulation.run(seed)


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, simulation: Simulation) -> None:
    bug = BUGS[name]
    with bug.plant(), pytest.raises(SeedFailed, match="make simulate SEED="):
        run_until_it_fails(simulation, bug)


def run_until_it_fails(simulation: Simulation, bug: Bug) -> None:
    for seed in range(bug.first, bug.first + PLANTED_SEEDS_MAX):
        simulation.run(seed, plans=bug.plans)
