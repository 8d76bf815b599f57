"""The defence's promise, on a small scene; `benchmarks/card_testing.py` plays ten thousand attempts."""

from dataclasses import replace

import pytest

from amply.infra.database import Database
from tests.backend.card_testing import Scene, Simulation

HASTY = Scene(attempts=200, donors=40, networks=6, addresses=5, rate=2.0, is_patient=False)


def test_a_hasty_tester_gets_few_answers_and_no_donor_is_lost(database: Database) -> None:
    told = Simulation(database, HASTY).play()

    assert (told.attempts, told.donors, told.lost) == (200, 40, 0)
    assert told.reached <= 30, "one who solves nothing is stopped by the first challenges"


def test_a_patient_tester_pays_for_each_answer_and_donors_elsewhere_notice_nothing(
    database: Database,
) -> None:
    told = Simulation(database, replace(HASTY, is_patient=True)).play()

    addresses = HASTY.networks * HASTY.addresses
    assert told.reached <= 5 * addresses, "what he has decides, not how many cards he bought"
    assert told.attacked_after is not None
    assert told.attacked_after <= 40, "an attack is noticed while it is small"
    assert told.digests >= 50_000 * (told.reached - told.attacked_after)
    assert told.lost_apart == 0, "whoever shares no network with him gives"
    assert told.lost <= told.beside
    assert told.elsewhere_challenged <= told.beside


@pytest.mark.nightly
def test_a_tester_who_enters_cards_for_gifts_to_several_organisations_gets_no_more_answers(
    database: Database,
) -> None:
    patient = replace(HASTY, attempts=120, donors=10, is_patient=True, shares=True)
    told = Simulation(database, patient).play()

    assert told.reached <= 5 * HASTY.networks * HASTY.addresses
    assert told.attacked_after is not None
    assert told.attacked_after <= 40, "what setups do not take is evidence, too"
    assert told.digests >= 50_000 * (told.reached - told.attacked_after)
    assert told.lost_apart == 0


def test_a_form_that_the_challenge_does_not_hold_is_closed_and_donors_give_when_it_opens(
    database: Database,
) -> None:
    """He has more networks than cards for them, and solves all: only the closing stops him."""
    rich = replace(HASTY, attempts=220, networks=400, rate=0.15, is_patient=True)
    told = Simulation(database, rich).play()

    assert told.closed_after is not None
    assert told.closed_after <= told.reached <= told.closed_after + 2, "what was open already"
    assert told.came_back > 0
    assert (told.lost, told.elsewhere_closed) == (0, 0)
