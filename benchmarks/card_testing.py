"""How many of ten thousand stolen cards get an answer, and what donors notice of it meanwhile.

Baseline: without a gate the processor sees every attempt. Ours: the real gate, gifts, events and database, in a scene that is
drawn from a seed (`tests/backend/card_testing.py`): one tester who solves no challenge, one who solves all, one who does so to enter
cards for gifts to several organisations, and one who also has a network for every card, so that the form is closed. `--quick` plays a small scene, to see that it runs.
"""

import json
import logging
import sys
from dataclasses import asdict, replace
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply.infra.database import connect
from benchmarks.apparatus.postgresql import server
from tests.backend.card_testing import Scene, Simulation, Told
from tests.backend.key_service import keyring

IS_QUICK = "--quick" in sys.argv
SCENE = Scene(
    attempts=200 if IS_QUICK else 10_000,
    donors=20 if IS_QUICK else 500,
    networks=8 if IS_QUICK else 100,
    addresses=5,
    rate=5.0,
    is_patient=False,
)


def play(scene: Scene) -> Told:
    """One scene on a PostgreSQL of its own."""
    with server() as pg:
        database = connect(pg.settings("amply_app"), application="benchmark", pool_size=5)
        # Each database has trees of its own: those of another scene are sealed under keys that this one has not.
        database.keyring = keyring(database, bucket=repr(scene))
        try:
            return Simulation(database, scene).play()
        finally:
            database.close()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    told = {
        "hasty": play(SCENE),
        "patient": play(replace(SCENE, is_patient=True)),
        "sharing": play(replace(SCENE, is_patient=True, shares=True)),
        "rich": play(replace(SCENE, is_patient=True, networks=SCENE.attempts)),
    }
    for name, scene in told.items():
        print(f"{name} tester")
        for what, number in asdict(scene).items():
            print(f"  {what:24} {number}")
    worst = max(scene.reached / scene.attempts for scene in told.values())
    print(
        json.dumps(
            {
                "benchmark": "card_testing",
                "baseline": f"{SCENE.attempts} of {SCENE.attempts} attempts reach the processor",
                "ratio": round(worst, 4),
                **{name: asdict(scene) for name, scene in told.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
