"""`make simulate SEEDS=n`: schedules of the ledger's processes, each drawn from a seed. See docs/adr/0052-simulated-schedules.md."""

import json
import sys
import time
from contextlib import nullcontext
from typing import Final

import click

from tests.simulation.cluster import running_cluster
from tests.simulation.planted import BUGS
from tests.simulation.seeds import SeedFailed, Simulation

_TOLD_EVERY: Final = 100


@click.command()
@click.option("--seeds", default=1_000, show_default=True, help="how many, beginning with --first")
@click.option("--first", default=0, show_default=True)
@click.option("--seed", type=int, help="this one alone; prints its schedule")
@click.option("--plant", type=click.Choice(sorted(BUGS)), help="with a known bug in the code")
def main(*, seeds: int, first: int, seed: int | None, plant: str | None) -> None:
    """Run schedules; the first that fails is told with the command that replays it. The last line is JSON."""
    asked = range(first, first + seeds) if seed is None else range(seed, seed + 1)
    began, steps = time.monotonic(), 0
    with running_cluster() as cluster:
        simulation = Simulation(cluster)
        bug = BUGS[plant] if plant else None
        with bug.plant() if bug else nullcontext():
            for number, current in enumerate(asked, start=1):
                try:
                    outcome = simulation.run(current, plans=bug.plans if bug else lambda plan: plan)
                except SeedFailed as failure:
                    click.echo(str(failure))
                    click.echo(json.dumps({"simulation": "ledger", "failed": current, "seeds": number}))
                    sys.exit(1)
                steps += len(outcome.trace)
                if seed is not None:
                    click.echo("\n".join((str(outcome.plan), *outcome.trace)))
                elif number % _TOLD_EVERY == 0:
                    click.echo(
                        f"{number} schedules, {steps} steps, {time.monotonic() - began:.0f} s", err=True
                    )
    line = {
        "simulation": "ledger",
        "failed": None,
        "seeds": len(asked),
        "steps": steps,
        "seconds": round(time.monotonic() - began, 1),
    }
    click.echo(json.dumps(line))


if __name__ == "__main__":
    main()
