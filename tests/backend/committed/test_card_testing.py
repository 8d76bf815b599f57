"""The defence's promise, on a small scene; `benchmarks/card_testing.py` plays ten thousand attempts."""

import pytest

from amply.infra.database import Database
from tests.backend.card_testing import Scene, Simulation

HASTY = Scene(attempts=300, donors=40, networks=8, addresses=5, rate=2.0, is_patient=False)
PATIENT = Scene(attempts=300, donors=40, networks=8, addresses=5, rate=2.0, is_patient=True)


@pytest.mark.parametrize("scene", [HASTY, PATIENT], ids=["hasty", "patient"])
def test_few_stolen_cards_get_an_answer_and_donors_can_give(database: Database, scene: Scene) -> None:
    told = Simulation(database, scene).play()

    assert (told.attempts, told.donors) == (300, 40)
    addresses = scene.networks * scene.addresses
    assert told.reached <= (5 * addresses if scene.is_patient else addresses)
    assert told.lost_apart == 0, "whoever shares no network with him gives"
    assert told.lost <= told.beside
    assert told.elsewhere_challenged <= told.beside, "the other organisation's donors hardly notice"


def test_an_attack_is_noticed_while_it_is_small_and_each_answer_costs_work(database: Database) -> None:
    told = Simulation(database, PATIENT).play()

    assert told.attacked_after is not None
    assert told.attacked_after <= 40
    assert told.digests >= 150_000 * (told.reached - told.attacked_after)
