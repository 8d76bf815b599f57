"""What whoever holds an invitation's letter sees and does, signed in nowhere: see, make an account, decline."""

from typing import Any

import pytest

from amply.modules.access import Role
from tests.backend.member_world import House


def invited(house: House, by: str = "usr_owner") -> Any:
    body = {"email": "new@example.org", "role": "finance", "language": "de"}
    return house.ask("POST", "/invitations", by=by, json=body)


def join(house: House, token: str, by: str = "usr_new") -> Any:
    return house.ask("POST", "/v1/me/organisations", by=by, json={"token": token})


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def by_letter(house: House, method: str, path: str = "", token: str | None = None, body: Any = None) -> Any:
    """A request of whoever holds the newest letter, signed in nowhere."""
    bearer = {"Authorization": f"Bearer {token or house.token()}"}
    return house.client.request(method, f"/v1/invitation{path}", headers=bearer, json=body)


def test_a_letter_tells_its_reader_what_they_are_invited_to(house: House) -> None:
    made = invited(house).json()
    house.send()
    shown = by_letter(house, "GET")
    assert (shown.status_code, shown.json()) == (
        200,
        {
            "organization_id": house.organization_id,
            "organization": "River Trust",
            "role": "finance",
            "email": "new@example.org",
            "invited_by": "Name of usr_owner",
            "expires_at": made["expires_at"],
            "is_registered": False,
        },
    )
    house.people.addresses["usr_new"] = "new@example.org"
    assert by_letter(house, "GET").json()["is_registered"] is True


def test_a_letter_makes_the_account_of_its_address_once(house: House) -> None:
    invited(house)
    house.send()
    chosen = {"password": "a quiet river at dawn", "language": "de"}
    made = by_letter(house, "POST", "/account", body=chosen)
    assert (made.status_code, made.json()) == (201, {"email": "new@example.org"})
    assert code(by_letter(house, "POST", "/account", body=chosen)) == (409, "account_exists")
    assert join(house, house.token(), by="usr_registered").status_code == 201


def test_who_declines_is_asked_no_more_and_the_organisation_sees_it(house: House) -> None:
    invitation_id = invited(house).json()["id"]
    house.send()
    assert by_letter(house, "POST", "/decline").status_code == 204
    assert code(by_letter(house, "POST", "/decline")) == (401, "member_invitation_link_not_valid")
    assert house.rows("SELECT * FROM member_invitation") == [], "its address is forgotten"
    newest = house.ask("GET", "/audit", by="usr_owner").json()["data"][0]
    assert (newest["action"], newest["targets"]) == ("member.invitation_declined", [invitation_id])
    assert newest["actor"] == {"kind": "system", "id": "invitation-letter"}


@pytest.mark.parametrize("over", ["expired", "withdrawn", "accepted", "inviter", "forged"])
def test_a_letter_that_is_over_opens_nothing(house: House, over: str) -> None:
    invitation_id = invited(house, by="usr_admin").json()["id"]
    house.send()
    token = house.token()
    if over == "expired":
        house.clock.advance(days=7)
    elif over == "withdrawn":
        house.ask("DELETE", f"/invitations/{invitation_id}", by="usr_owner")
    elif over == "accepted":
        house.people.addresses["usr_new"] = "new@example.org"
        assert join(house, token).status_code == 201
    elif over == "inviter":
        house.put("usr_admin", Role.VIEWER)
    else:
        token = f"{token[:-1]}{'x' if token[-1] != 'x' else 'y'}"
    for method, path in (("GET", ""), ("POST", "/account")):
        body = {"password": "a quiet river at dawn"} if path else None
        refused = by_letter(house, method, path, token=token, body=body)
        assert code(refused) == (401, "member_invitation_link_not_valid"), path
    assert "usr_registered" not in house.people.addresses
