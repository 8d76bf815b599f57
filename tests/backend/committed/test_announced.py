"""What somebody waits for is written to the outbox in the transaction that asks for it: the worker is told at once."""

import importlib
import pkgutil
from typing import Any

from amply import modules
from amply.entrypoints import scheduler, task_names
from amply.infra import outbox
from amply.infra.database import Database
from amply.modules import applications, onboarding
from amply.modules.applications import ReviewAction
from amply.modules.mail import Language
from tests.backend.application_world import Applicant
from tests.backend.member_world import House


def told(database: Database, *, now: Any) -> list[str]:
    """The tasks that the relay's next turn starts."""
    facts: list[outbox.Fact] = []
    outbox.relay_batch(database, publish=facts.append, now=now)
    return [scheduler.TASKS_OF[fact.topic][0] for fact in facts]


def test_an_application_that_is_handed_in_is_written_about_and_looked_up_at_once(
    ada: Applicant, house: House
) -> None:
    ada.begin()
    assert told(house.database, now=house.clock()) == []
    ada.apply()
    assert told(house.database, now=house.clock()) == [
        task_names.SEND_APPLICATION_LETTERS,
        task_names.ASK_REGISTERS,
    ]


def test_what_staff_decide_is_written_about_at_once(ada: Applicant, house: House, operator: Database) -> None:
    organization_id = ada.apply()
    told(house.database, now=house.clock())
    with operator.transaction() as session:
        applications.by_staff(
            session, organization_id=organization_id, move=ReviewAction.REVIEW, reason=None, now=house.clock()
        )
    assert told(house.database, now=house.clock()) == [task_names.SEND_APPLICATION_LETTERS]


def test_a_document_that_is_removed_is_taken_away_at_once(ada: Applicant, house: House) -> None:
    ada.begin()
    document_id = ada.upload().json()["id"]
    assert ada.ask("DELETE", f"/application/documents/{document_id}").is_success
    assert told(house.database, now=house.clock()) == [task_names.TIDY_DOCUMENTS]
    assert ada.upload(body=b"no such file").status_code == 422
    assert told(house.database, now=house.clock()) == [task_names.TIDY_DOCUMENTS], (
        "not what it was said to be"
    )


def test_who_is_invited_is_written_to_at_once(house: House, operator: Database) -> None:
    body = {"email": "new@example.org", "role": "finance"}
    assert house.ask("POST", "/invitations", by="usr_owner", json=body).is_success
    assert told(house.database, now=house.clock()) == [task_names.SEND_MEMBER_INVITATIONS]
    with operator.transaction() as session:
        onboarding.invite(
            session,
            organization_id=house.organization_id,
            email="t@river.example",
            language=Language.EN,
            confirmed=None,
            now=house.clock(),
        )
    assert told(house.database, now=house.clock()) == [task_names.SEND_INVITATIONS]


def test_every_fact_of_every_module_has_a_task() -> None:
    facts = {
        value
        for found in pkgutil.iter_modules(modules.__path__, f"{modules.__name__}.")
        for name, value in vars(importlib.import_module(found.name)).items()
        if name.startswith("TOPIC_")
    }
    assert len(facts) > 10
    assert facts <= scheduler.TASKS_OF.keys()
    swept = {task for task, _ in scheduler._SENT}
    at_once = {task for task, _ in scheduler.TASKS_OF.values()}
    assert at_once - swept == SWEPT_OTHERWISE, "what is lost on its way is found by a turn of the scheduler"


SWEPT_OTHERWISE = {
    task_names.HANDLE_PROVIDER_EVENT,
    task_names.PAUSE_CONTESTED,
    task_names.RECONCILE_PAYOUT,
}
"""By the sweep of events, by what is asked before a gift of a plan is collected, and by the turn that matches what waits."""
