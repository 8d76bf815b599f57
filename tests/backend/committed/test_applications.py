"""Somebody applies for an organisation, staff decide, and it takes gifts: over HTTP and by command, with letters about it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from amply.infra.database import Database
from amply.infra.vault.organization_keys import hold_key_of
from amply.modules import applications
from amply.modules.applications import REVIEW_ACTIONS, ApplicationNotFound, ReviewAction, tasks
from amply.modules.organizations import MoveNotPossible, OrganizationState
from tests.backend.api_world import assert_problem
from tests.backend.application_world import BEGUN, COMPLETE, PDF, Applicant, applying_work
from tests.backend.member_world import House


def staff(operator: Database, house: House, organization_id: str, move: ReviewAction, **said: Any) -> Any:
    hold_key_of(operator, organization_id)
    with operator.transaction() as session:
        if move is ReviewAction.VERIFY:
            return applications.verify(
                session, organization_id=organization_id, slug=said.get("slug"), now=house.clock()
            )
        return applications.by_staff(
            session,
            organization_id=organization_id,
            move=move,
            reason=said.get("reason"),
            now=house.clock(),
        )


def letters(house: House) -> list[str]:
    applications.write_letters(applying_work(house.database, mailer=house.mailer), now=house.clock())
    sent, house.mailer.sent = house.mailer.sent, []
    return [letter.subject for letter in sent]


def test_an_organisation_applies_is_asked_for_more_and_is_verified(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = ada.apply()
    public = f"/v1/public/organisations/{organization_id}"
    assert_problem(
        house.client.get(public), status=404, code="organization_not_found", param="organization_id"
    )
    takes = house.client.get(f"{public}/takes-gifts").json()
    assert (takes["takes_gifts"], "not verified yet" in takes["reason"]) == (False, True)
    assert letters(house) == ["We have your application for River Trust of the Vale"]

    assert staff(operator, house, organization_id, ReviewAction.REVIEW) == "in_review"
    assert_problem(ada.say(purpose="Something else"), status=409, code="application_not_open")
    assert (
        staff(operator, house, organization_id, ReviewAction.ASK, reason="Which river?\nAnd whose?")
        == "more_asked"
    )
    house.clock.advance(seconds=60)
    subjects = letters(house)
    assert subjects == [
        "We are looking at your application for River Trust of the Vale",
        "We need more about River Trust of the Vale",
    ]
    shown = ada.ask("GET", "/application").json()
    assert [step["state"] for step in shown["steps"]] == ["submitted", "in_review", "more_asked"]
    assert shown["steps"][-1]["said"] == "Which river?\nAnd whose?"

    assert ada.say(purpose="The Vale, from its spring to the sea.").is_success
    assert ada.ask("POST", "/application/submit").json()["state"] == "submitted"
    staff(operator, house, organization_id, ReviewAction.REVIEW)
    assert staff(operator, house, organization_id, ReviewAction.VERIFY) == BEGUN["slug"]
    found = house.client.get(public).json()
    assert (found["slug"], found["state"]) == (BEGUN["slug"], "verified")
    assert (found["website"], found["sdgs"]) == (COMPLETE["website"], [6, 14]), "to begin with"
    assert ada.ask("GET", "").json()["name"] == BEGUN["legal_name"]
    takes = house.client.get(f"{public}/takes-gifts").json()
    assert "onboarding" in takes["reason"], "its account is what is missing now"


def test_who_applied_owns_it_and_nobody_else_sees_it(ada: Applicant, house: House) -> None:
    organization_id = ada.apply()
    members = ada.ask("GET", "/members").json()["data"]
    assert [(each["person_id"], each["role"]) for each in members] == [("usr_new", "owner")]
    for other in ("usr_owner", "usr_stranger"):
        hidden = house.ask("GET", "/application", by=other, of=organization_id)
        assert_problem(hidden, status=404, code="organization_not_found", param="organization_id")
    listed = house.client.get("/v1/public/organisations").json()["data"]
    assert organization_id not in [each["id"] for each in listed]


def test_before_it_is_verified_nobody_is_written_to_in_a_name_of_its_choice(ada: Applicant) -> None:
    ada.apply()
    invited = ada.ask("POST", "/invitations", json={"email": "x@x.example", "role": "viewer"})
    assert_problem(invited, status=422, code="member_not_acceptable", param="email")
    seen = {"If-Match": ada.ask("GET", "").headers["ETag"]}
    renamed = ada.ask("PATCH", "", json={"name": "Another Trust"}, headers=seen)
    assert_problem(renamed, status=422, code="organization_not_acceptable", param="name")


def test_who_leaves_what_was_refused_leaves_nothing_behind(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = ada.apply()
    assert_problem(ada.ask("DELETE", "/membership"), status=409, code="last_owner")
    staff(operator, house, organization_id, ReviewAction.REVIEW)
    staff(operator, house, organization_id, ReviewAction.REFUSE, reason="We do not know you.")
    assert ada.ask("DELETE", "/membership").status_code == 204
    assert (
        house.rows("SELECT email FROM organization_contact WHERE organization_id = :id", id=organization_id)
        == []
    )
    assert ada.begin().status_code == 201, "and they may apply anew"


def test_a_draft_is_begun_once_and_three_may_be_undecided(ada: Applicant) -> None:
    first = ada.begin().json()["organization_id"]
    assert ada.begin().json()["organization_id"] == first, "again, and nothing is made twice"
    for number in (2, 3):
        assert ada.begin(slug=f"another-{number}").status_code == 201
    assert_problem(ada.begin(slug="another-4"), status=409, code="too_many_applications")


def test_without_a_proven_address_nobody_applies(ada: Applicant, house: House) -> None:
    del house.people.addresses["usr_new"]
    assert_problem(ada.begin(), status=409, code="address_not_proven")


def test_nothing_is_handed_in_before_all_is_said(ada: Applicant) -> None:
    ada.begin()
    refused = ada.ask("POST", "/application/submit")
    assert_problem(refused, status=409, code="application_incomplete")
    assert "document 'registration'" in refused.json()["detail"]
    ada.say(**COMPLETE)
    assert ada.ask("GET", "/application").json()["missing"] == ["document 'registration'"]
    ada.upload()
    ada.say(tier="enhanced")
    missing = ada.ask("GET", "/application").json()["missing"]
    assert missing == ["document 'statutes'", "document 'representative'"]
    assert ada.ask("GET", "/application").json()["state"] == "draft"


@pytest.mark.parametrize(
    ("said", "code", "param"),
    [
        ({"tax_id": "12345"}, "tax_id_not_acceptable", "tax_id"),
        ({"website": "javascript:alert(1)"}, "organization_not_acceptable", "website"),
        ({"purpose": "a\u202eb"}, "organization_not_acceptable", "purpose"),
        ({"legal_name": " "}, "organization_not_acceptable", "legal_name"),
    ],
)
def test_what_cannot_be_so_is_refused(ada: Applicant, said: dict[str, str], code: str, param: str) -> None:
    ada.begin()
    assert_problem(ada.say(**said), status=422, code=code, param=param)


def test_what_somebody_else_changed_is_not_overwritten(ada: Applicant) -> None:
    ada.begin()
    seen = {"If-Match": ada.ask("GET", "/application").headers["ETag"]}
    assert ada.ask("PATCH", "/application", json={"purpose": "One"}, headers=seen).is_success
    second = ada.ask("PATCH", "/application", json={"purpose": "Two"}, headers=seen)
    assert_problem(second, status=412, code="changed_meanwhile")


def test_who_is_refused_may_apply_anew_under_the_same_slug(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = ada.apply()
    staff(operator, house, organization_id, ReviewAction.REVIEW)
    staff(operator, house, organization_id, ReviewAction.REFUSE, reason="The register does not know you.")
    house.clock.advance(seconds=600)
    assert letters(house)[-1] == "We cannot take River Trust of the Vale"
    takes = house.client.get(f"/v1/public/organisations/{organization_id}/takes-gifts").json()
    assert "cannot take gifts here" in takes["reason"]
    again = ada.begin()
    assert (again.status_code, ada.organization_id != organization_id) == (201, True)


def test_a_suspended_organisation_takes_no_gifts_and_comes_back(house: House, operator: Database) -> None:
    def gift(key: str) -> Any:
        body = {
            "organization_id": house.organization_id,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": {"name": "Dora", "email": "dora@example.org"},
        }
        return house.client.post("/v1/donations", json=body, headers={"Idempotency-Key": key})

    assert gift("1").status_code == 201
    staff(operator, house, house.organization_id, ReviewAction.SUSPEND, reason="We have questions.")
    assert_problem(gift("2"), status=409, code="organization_not_ready", param="organization_id")
    public = house.client.get(f"/v1/public/organisations/{house.organization_id}").json()
    assert public["state"] == "suspended", "its past stays public"
    staff(operator, house, house.organization_id, ReviewAction.RESTORE, reason="They are answered.")
    assert gift("3").status_code == 201


def test_every_move_is_made_from_where_the_table_says_and_from_nowhere_else(
    ada: Applicant, house: House, operator: Database
) -> None:
    """The code and the database each refuse by themselves: here the database is asked without the code."""
    organization_id = ada.apply()
    legal = {(state, rule.to, rule.by_staff) for rule in REVIEW_ACTIONS.values() for state in rule.of}
    for by_staff, role in ((True, operator), (False, house.own)):
        for before in OrganizationState:
            for after in OrganizationState:
                if before is after:
                    continue
                with house.master.transaction() as session:
                    session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
                    session.connection().exec_driver_sql(
                        "UPDATE organization SET state = %s WHERE id = %s", (before.value, organization_id)
                    )
                moved = _moves(role, organization_id, after)
                assert moved == ((before, after, by_staff) in legal), (before, after, by_staff)


def _moves(role: Database, organization_id: str, to: OrganizationState) -> bool:
    try:
        with role.transaction(organization_id=organization_id, person_id="usr_new") as session:
            done = session.connection().exec_driver_sql(
                "UPDATE organization SET state = %s WHERE id = %s", (to.value, organization_id)
            )
            return done.rowcount == 1
    except IntegrityError as refused:
        cause = refused.orig
        return not (isinstance(cause, psycopg.Error) and cause.diag.constraint_name == "ck_organization_move")


def test_staff_do_one_thing_after_the_other(ada: Applicant, house: House, operator: Database) -> None:
    organization_id = ada.apply()
    with pytest.raises(MoveNotPossible, match="it is 'submitted'"):
        staff(operator, house, organization_id, ReviewAction.VERIFY)
    staff(operator, house, organization_id, ReviewAction.REVIEW)
    with pytest.raises(MoveNotPossible, match="it is 'in_review'"):
        staff(operator, house, organization_id, ReviewAction.REVIEW)
    with pytest.raises(ApplicationNotFound):
        staff(operator, house, house.organization_id, ReviewAction.VERIFY)


def test_of_two_who_decide_at_once_one_is_told_that_it_is_decided(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = ada.apply()
    staff(operator, house, organization_id, ReviewAction.REVIEW)
    together = Barrier(2, timeout=30)

    def decide(move: ReviewAction) -> str:
        together.wait()
        try:
            staff(operator, house, organization_id, move, reason="We do not know you.")
        except MoveNotPossible as late:
            return late.code
        return move

    with ThreadPoolExecutor(2) as pool:
        done = set(pool.map(decide, (ReviewAction.VERIFY, ReviewAction.REFUSE)))
    assert len(done & {ReviewAction.VERIFY, ReviewAction.REFUSE}) == 1
    assert "move_not_possible" in done
    rows = house.rows(
        "SELECT to_state FROM organization_step WHERE organization_id = :id AND from_state = 'in_review'",
        id=organization_id,
    )
    assert len(rows) == 1, "one letter"


def test_who_waits_for_longer_than_is_promised_is_counted(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = ada.apply()

    def late() -> tuple[int, list[bool]]:
        with operator.transaction() as session:
            listed = applications.waiting(
                session, states=[OrganizationState.SUBMITTED, OrganizationState.IN_REVIEW], now=house.clock()
            )
            return applications.count_late(session, now=house.clock()), [each.is_late for each in listed]

    assert late() == (0, [False])
    house.clock.advance(seconds=int(timedelta(days=7, seconds=1).total_seconds()))
    assert late() == (1, [True])
    staff(operator, house, organization_id, ReviewAction.REVIEW)
    staff(operator, house, organization_id, ReviewAction.ASK, reason="More, please.")
    assert late() == (0, [])


def test_a_letter_that_fails_is_sent_later_and_nobody_is_told_twice(ada: Applicant, house: House) -> None:
    ada.apply()
    house.mailer.refuses = True
    assert letters(house) == []
    house.mailer.refuses = False
    assert letters(house) == [], "not at once"
    house.clock.advance(seconds=61)
    assert len(letters(house)) == 1
    house.clock.advance(seconds=3600)
    assert letters(house) == []


def test_a_register_is_asked_and_one_that_is_away_loses_nothing(ada: Applicant, house: House) -> None:
    ada.apply()
    work = applying_work(house.database)
    assert applications.ask_registers(work, now=house.clock()) == 1
    hold_key_of(house.database, ada.organization_id)
    with house.database.transaction() as session:
        found = applications.last_lookup(session, organization_id=ada.organization_id)
    assert found is not None
    assert (found.outcome, found.name, found.status) == ("found", "River Trust of the Vale", "registered")
    assert applications.ask_registers(work, now=house.clock()) == 0


def test_a_question_waits_for_a_register_that_does_not_answer(ada: Applicant, house: House) -> None:
    ada.begin()
    ada.say(**{**COMPLETE, "tax_id": "9990009"})
    ada.upload()
    assert ada.ask("POST", "/application/submit").is_success
    work = applying_work(house.database)
    for _ in range(2):
        assert applications.ask_registers(work, now=house.clock()) == 0
        house.clock.advance(seconds=3600)
    hold_key_of(house.database, ada.organization_id)
    with house.database.transaction() as session:
        found = applications.last_lookup(session, organization_id=ada.organization_id)
    assert found is not None
    assert (found.answered_at, found.outcome) == (None, None)


def test_a_file_that_is_not_what_it_says_is_refused_and_taken_away(ada: Applicant, house: House) -> None:
    ada.begin()
    assert_problem(
        ada.upload(body=b"<html>"), status=422, code="application_document_not_acceptable", param="media_type"
    )
    assert ada.ask("GET", "/application/documents").json()["data"] == []
    assert len(house.shelf.kept) == 1
    assert (
        applications.tidy_documents(applying_work(house.database, shelf=house.shelf), now=house.clock()) == 1
    )
    assert house.shelf.kept == {}


def test_an_upload_that_never_happens_is_forgotten(ada: Applicant, house: House) -> None:
    ada.begin()
    body = {"kind": "registration", "media_type": "application/pdf"}
    made = ada.ask("POST", "/application/documents", json=body).json()
    early = ada.ask("POST", f"/application/documents/{made['id']}/received")
    assert_problem(early, status=409, code="application_document_not_there")
    work = applying_work(house.database, shelf=house.shelf)
    assert applications.tidy_documents(work, now=house.clock()) == 0
    house.clock.advance(seconds=2 * 3600)
    assert applications.tidy_documents(work, now=house.clock()) == 1
    assert house.rows("SELECT id FROM organization_document") == []


def test_as_many_as_are_tried_at_once_hold_back_no_other_where_they_cannot_be_taken_away(
    ada: Applicant, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_AT_ONCE_MAX", 2)
    ada.begin()
    removed = []
    for kind in ("registration", "bank", "other"):
        removed.append(ada.upload(kind).json()["id"])
        assert ada.ask("DELETE", f"/application/documents/{removed[-1]}").is_success
    house.shelf.stuck.update(house.shelf.offered[:2])
    work = applying_work(house.database, shelf=house.shelf)
    assert [applications.tidy_documents(work, now=house.clock()) for _ in range(2)] == [0, 1]
    gone = [each.id for each in house.rows("SELECT id FROM organization_document WHERE gone_at IS NOT NULL")]
    assert gone == removed[2:]
    house.shelf.stuck.clear()
    house.clock.advance(seconds=60)
    assert applications.tidy_documents(work, now=house.clock()) == 2, "they come again"


def test_what_was_decided_upon_stays(ada: Applicant, house: House) -> None:
    ada.apply()
    [document] = ada.ask("GET", "/application/documents").json()["data"]
    gone = ada.ask("DELETE", f"/application/documents/{document['id']}")
    assert_problem(gone, status=409, code="application_not_open")
    link = ada.ask("POST", f"/application/documents/{document['id']}/link").json()["url"]
    assert link.endswith("?versionId=1&for=300")
    assert PDF in house.shelf.kept.values()


def test_names_of_documents_are_not_guessed(ada: Applicant, house: House) -> None:
    ada.begin()
    ada.upload()
    ada.upload("bank")
    endings = {key.rpartition("/")[2] for key in house.shelf.offered}
    assert len(endings) == 2
    assert all(len(ending) >= 32 for ending in endings)
