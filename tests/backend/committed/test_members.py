"""Members of an organisation: how they come, what they become, how they go; and that an owner always stays."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import structlog
from click.testing import CliRunner
from sqlalchemy import text

from amply.entrypoints.admin import main as admin
from amply.modules import members
from amply.modules.access import LastOwner, Role
from amply.modules.members.letters import invitation_mail, texts_in
from amply.modules.receipts import Language
from tests.backend.conftest import PASSWORD, Databases
from tests.backend.member_world import KEY, House
from tests.backend.sealed_rows import rows_in
from tests.backend.world import death


def roles(house: House) -> dict[str, str]:
    rows = house.rows(
        "SELECT person_id, role FROM member WHERE organization_id = :of", of=house.organization_id
    )
    return {row.person_id: row.role for row in rows}


def invited(
    house: House, email: str = "new@example.org", role: str = "finance", by: str = "usr_owner"
) -> Any:
    return house.ask("POST", "/invitations", by=by, json={"email": email, "role": role, "language": "de"})


def join(house: House, token: str, by: str = "usr_new") -> Any:
    return house.ask("POST", "/v1/me/organisations", by=by, json={"token": token})


def change(house: House, person_id: str, role: str, *, by: str, tag: str | None = None) -> Any:
    seen = house.ask("GET", f"/members/{person_id}", by=by)
    headers = {"If-Match": tag or seen.headers["ETag"]}
    return house.ask("PATCH", f"/members/{person_id}", by=by, json={"role": role}, headers=headers)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_who_is_invited_joins_with_the_address_the_letter_went_to(house: House) -> None:
    made = invited(house)
    assert made.status_code == 201
    assert made.json()["sent_at"] is None
    assert (house.send(), house.send()) == (1, 0)
    letter = house.mailer.sent[-1]
    assert (letter.to, letter.subject) == ("new@example.org", "Einladung zu River Trust")

    assert code(join(house, house.token())) == (403, "invitation_for_another_address"), "nothing is verified"
    house.people.addresses["usr_new"] = "other@example.org"
    assert code(join(house, house.token())) == (422, "member_invitation_not_valid")
    house.people.addresses["usr_new"] = "New@Example.org "
    joined = join(house, house.token())
    assert (joined.status_code, joined.json()) == (201, {"organization_id": house.organization_id})

    assert roles(house)["usr_new"] == "finance"
    assert code(join(house, house.token())) == (422, "member_invitation_not_valid"), "once"
    assert house.rows("SELECT * FROM member_invitation") == [], "and its address is forgotten"
    own = house.ask("GET", "/v1/me/organisations", by="usr_new").json()["data"]
    assert [(each["name"], each["role"]) for each in own] == [("River Trust", "finance")]


def test_an_invitation_is_over_after_seven_days_and_forgotten(house: House) -> None:
    invited(house)
    house.send()
    house.people.addresses["usr_new"] = "new@example.org"
    house.clock.advance(days=7)
    assert code(join(house, house.token())) == (422, "member_invitation_not_valid")
    assert house.ask("GET", "/invitations", by="usr_owner").json()["data"] == []
    house.send()
    assert house.rows("SELECT * FROM member_invitation") == []


def test_a_link_that_was_made_elsewhere_or_withdrawn_lets_nobody_in(house: House) -> None:
    made = invited(house).json()
    house.send()
    house.people.addresses["usr_new"] = "new@example.org"
    good = house.token()
    for token in ("x", good[:-1], KEY.sign(invitation_id=f"minv_{'0' * 26}", created_at=house.clock())):
        assert code(join(house, token)) == (422, "member_invitation_not_valid"), token
    gone = house.ask("DELETE", f"/invitations/{made['id']}", by="usr_admin")
    assert gone.status_code == 204
    assert code(join(house, good)) == (422, "member_invitation_not_valid")
    again = house.ask("DELETE", f"/invitations/{made['id']}", by="usr_admin")
    assert code(again) == (404, "invitation_not_found")


def test_nobody_joins_by_the_word_of_somebody_who_may_not_give_it_any_more(house: House) -> None:
    invited(house, by="usr_admin")
    house.send()
    house.people.addresses["usr_new"] = "new@example.org"
    assert change(house, "usr_admin", "viewer", by="usr_owner").status_code == 200
    assert code(join(house, house.token())) == (422, "member_invitation_not_valid")
    # The same where the change came between, and found no invitation yet.
    invited(house, by="usr_owner", email="late@example.org", role="owner")
    house.send()
    house.put("usr_second", Role.OWNER)
    house.run("UPDATE member SET role = 'admin' WHERE person_id = 'usr_owner'")
    house.people.addresses["usr_new"] = "late@example.org"
    assert code(join(house, house.token())) == (422, "member_invitation_not_valid")


@pytest.mark.parametrize(
    ("by", "role", "expected"),
    [("usr_admin", "owner", 403), ("usr_admin", "admin", 201), ("usr_owner", "owner", 201)],
)
def test_nobody_invites_above_their_own_role(house: House, by: str, role: str, expected: int) -> None:
    answer = invited(house, role=role, by=by)
    assert answer.status_code == expected
    assert expected == 201 or answer.json()["code"] == "role_above_own"


def test_nobody_gives_or_takes_a_role_above_their_own(house: House) -> None:
    assert code(change(house, "usr_viewer", "owner", by="usr_admin")) == (403, "role_above_own")
    assert code(change(house, "usr_owner", "viewer", by="usr_admin")) == (403, "role_above_own")
    removed = house.ask("DELETE", "/members/usr_owner", by="usr_admin")
    assert code(removed) == (403, "role_above_own")
    assert change(house, "usr_viewer", "admin", by="usr_admin").status_code == 200
    assert change(house, "usr_viewer", "owner", by="usr_owner").status_code == 200


def test_two_who_change_the_same_member_do_not_overwrite_each_other(house: House) -> None:
    tag = house.ask("GET", "/members/usr_viewer", by="usr_admin").headers["ETag"]
    assert change(house, "usr_viewer", "content", by="usr_owner").status_code == 200
    assert code(change(house, "usr_viewer", "finance", by="usr_admin", tag=tag)) == (412, "changed_meanwhile")
    blind = house.ask("PATCH", "/members/usr_viewer", by="usr_admin", json={"role": "finance"})
    assert code(blind) == (428, "if_match_missing")
    assert roles(house)["usr_viewer"] == "content"


def test_a_role_that_is_taken_is_gone_with_the_next_request(house: House) -> None:
    assert house.ask("GET", "/gifts", by="usr_finance").status_code == 200
    assert house.ask("DELETE", "/members/usr_finance", by="usr_admin").status_code == 204
    assert code(house.ask("GET", "/gifts", by="usr_finance")) == (404, "organization_not_found")


def test_the_last_owner_stays(house: House) -> None:
    assert code(house.ask("DELETE", "/membership", by="usr_owner")) == (409, "last_owner")
    assert code(change(house, "usr_owner", "admin", by="usr_owner")) == (409, "last_owner")
    assert code(house.ask("DELETE", "/members/usr_owner", by="usr_owner")) == (409, "last_owner")
    house.put("usr_second", Role.OWNER)
    assert house.ask("DELETE", "/membership", by="usr_owner").status_code == 204
    assert code(house.ask("DELETE", "/membership", by="usr_second")) == (409, "last_owner")


def test_of_two_owners_who_leave_at_once_one_stays(house: House) -> None:
    """Each sees the other one while deciding; the database has the last word."""
    house.put("usr_second", Role.OWNER)
    for attempt in range(5):
        together = threading.Barrier(2)

        def leave(person_id: str, together: threading.Barrier = together) -> int:
            together.wait(60)
            answer: int = house.ask("DELETE", "/membership", by=person_id).status_code
            return answer

        with ThreadPoolExecutor(2) as pool:
            left = sorted(pool.map(leave, ("usr_owner", "usr_second")))
        assert left == [204, 409], attempt
        owners = {person_id for person_id, role in roles(house).items() if role == "owner"}
        assert len(owners) == 1
        for person_id in {"usr_owner", "usr_second"} - owners:
            house.put(person_id, Role.OWNER)


def test_the_database_keeps_an_owner_against_two_open_transactions(house: House) -> None:
    house.put("usr_second", Role.OWNER)
    first = house.database.engine.raw_connection()
    cursor = first.cursor()
    cursor.execute("DELETE FROM member WHERE person_id = 'usr_owner'")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(house.ask, "DELETE", "/membership", by="usr_second")
        while not house.rows(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            assert not waiting.done(), "it should wait for the other one"
        first.commit()
        assert code(waiting.result(60)) == (409, "last_owner")
    first.close()


def test_ownership_is_handed_on_once_both_have_confirmed_it(house: House) -> None:
    offered = house.ask("POST", "/ownership-offer", by="usr_owner", json={"person_id": "usr_finance"})
    assert offered.status_code == 201
    assert roles(house)["usr_finance"] == "finance", "nothing changes before they accept"
    assert code(house.ask("POST", "/ownership-offer/accept", by="usr_admin")) == (
        404,
        "ownership_offer_not_found",
    )
    late = house.ask("POST", "/ownership-offer/accept", by="usr_finance", confirmed=11)
    assert code(late) == (403, "confirmation_required")

    accepted = house.ask("POST", "/ownership-offer/accept", by="usr_finance")
    assert (accepted.status_code, accepted.json()["role"]) == (200, "owner"), accepted.text
    assert (roles(house)["usr_owner"], roles(house)["usr_finance"]) == ("admin", "owner")
    assert code(house.ask("GET", "/ownership-offer", by="usr_viewer")) == (404, "ownership_offer_not_found")


def test_an_offer_is_over_when_withdrawn_or_old_or_its_owner_is_none(house: House) -> None:
    offer = {"person_id": "usr_finance"}

    def refused() -> bool:
        answer = house.ask("POST", "/ownership-offer/accept", by="usr_finance")
        return code(answer) == (404, "ownership_offer_not_found")

    house.ask("POST", "/ownership-offer", by="usr_owner", json=offer)
    assert house.ask("DELETE", "/ownership-offer", by="usr_owner").status_code == 204
    assert refused()
    house.ask("POST", "/ownership-offer", by="usr_owner", json=offer)
    house.clock.advance(days=7)
    assert refused()
    house.ask("POST", "/ownership-offer", by="usr_owner", json=offer)
    house.put("usr_second", Role.OWNER)
    assert change(house, "usr_owner", "admin", by="usr_second").status_code == 200
    assert refused()
    again = house.ask("POST", "/ownership-offer", by="usr_second", json={"person_id": "usr_second"})
    assert code(again) == (422, "member_not_acceptable")


def test_members_are_listed_by_name(house: House) -> None:
    found = house.ask("GET", "/members", by="usr_viewer").json()["data"]
    assert {each["person_id"]: each["name"] for each in found} == {
        **{f"usr_{role}": f"Name of usr_{role}" for role in Role if role is not Role.VIEWER},
        "usr_viewer": None,
    }


def test_a_letter_that_is_lost_with_its_process_is_sent_again_and_nothing_personal_is_logged(
    house: House,
) -> None:
    invited(house)
    house.mailer.dies_before_send = True
    with death():
        house.send()
    house.mailer.dies_before_send = False
    with structlog.testing.capture_logs() as lines:
        house.mailer.refuses = True
        house.clock.advance(minutes=2)
        assert house.send() == 0
        house.mailer.refuses = False
        house.clock.advance(minutes=4)
        assert house.send() == 1
    assert {line["event"] for line in lines} >= {"member_invitation_not_sent", "member_invitation_sent"}
    assert "new@" not in str([{**line, "exc_info": ""} for line in lines])


@pytest.mark.parametrize("language", Language)
def test_the_letter_says_the_same_in_every_language(language: Language) -> None:
    english = texts_in(Language.EN)
    assert {section: set(texts) for section, texts in texts_in(language).items()} == {
        section: set(texts) for section, texts in english.items()
    }
    for role in Role:
        letter = invitation_mail(
            to="a@example.org",
            organization="A & <B>\r\nBcc: x",
            role=role,
            language=language,
            link="https://e/#t",
        )
        assert "https://e/#t" in letter.text
        assert "https://e/#t" in letter.html
        assert "A &amp; &lt;B&gt; Bcc: x" in letter.html
        assert "\n" not in letter.subject


def test_staff_invite_the_first_owner(
    house: House, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = databases.server.settings(name=databases.name, user="amply_operator")
    for name in ("host", "port", "name", "user", "auth", "tls"):
        monkeypatch.setenv(f"AMPLY_DATABASE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("AMPLY_DATABASE_PASSWORD", PASSWORD)
    words = ["organization", "invite-owner", "--id", house.organization_id, "--email", "first@example.org"]
    told = CliRunner().invoke(admin, words)
    assert json.loads(told.output) == {"id": house.organization_id, "invited": True}, str(told.exception)

    # Commands look at the true clock.
    ((created_at,),) = house.rows("SELECT created_at FROM member_invitation")
    house.clock.now = created_at + timedelta(minutes=1)
    assert house.send() == 1
    house.people.addresses["usr_new"] = "first@example.org"
    assert join(house, house.token()).status_code == 201
    assert roles(house)["usr_new"] == "owner"


def memberships(house: House, person_id: str) -> list[str]:
    rows = house.rows("SELECT organization_id FROM member WHERE person_id = :id ORDER BY 1", id=person_id)
    return [row.organization_id for row in rows]


def leaves_everywhere(house: House, person_id: str, *, as_: str) -> str:
    """With the API's own rights, bound to `as_`; what the unit of work is bound to afterwards."""
    with house.own.transaction(person_id=as_) as session:
        members.leave_everywhere(session, person_id=person_id, now=house.clock())
        bound = "SELECT current_setting('amply.person_id') || '@' || current_setting('amply.organization_id')"
        return str(session.execute(text(bound)).scalar_one())


def test_who_is_forgotten_leaves_every_organisation_and_nobody_else_does(house: House) -> None:
    house.put("usr_admin", Role.VIEWER, organization_id=house.other_id)
    others = {each: memberships(house, each) for each in ("usr_owner", "usr_viewer", "usr_stranger")}
    assert len(memberships(house, "usr_admin")) == 2
    assert invited(house, by="usr_admin").status_code == 201
    assert invited(house, "kept@example.org", by="usr_owner").status_code == 201
    assert leaves_everywhere(house, "usr_admin", as_="usr_admin") == "usr_admin@"
    assert memberships(house, "usr_admin") == []
    assert {each: memberships(house, each) for each in others} == others
    with house.own.transaction(organization_id=house.organization_id, person_id="usr_owner") as session:
        assert [row.email for row in rows_in(session, "member_invitation")] == ["kept@example.org"]
    left = house.rows("SELECT organization_id FROM audit_record WHERE action = 'member.left'")
    assert {row.organization_id for row in left} == {house.organization_id, house.other_id}


def test_who_owns_one_organisation_alone_leaves_none(house: House) -> None:
    house.put("usr_stranger", Role.VIEWER)
    with pytest.raises(LastOwner):
        leaves_everywhere(house, "usr_stranger", as_="usr_stranger")
    assert len(memberships(house, "usr_stranger")) == 2
    assert house.rows("SELECT id FROM audit_record WHERE action = 'member.left'") == []


def test_bound_to_somebody_else_nobodys_memberships_are_found(house: House) -> None:
    leaves_everywhere(house, "usr_admin", as_="usr_stranger")
    assert memberships(house, "usr_admin") == [house.organization_id]
