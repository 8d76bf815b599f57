"""What a route takes is what its document says, and what a 401 asks for."""

from typing import Any, Final

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient

from amply.entrypoints import problems
from amply.entrypoints.api_document import route_contexts
from amply.infra.credentials import Credential, challenge, is_optional, taken_by, takes
from amply.modules.access import AuthenticationRequired
from tests.backend import documented
from tests.backend.documented import operations

SESSION, KEY = Credential.SESSION, Credential.KEY

WITHOUT_CREDENTIAL: Final = {
    *("verify_email", "login", "login_factor", "begin_passkey_login", "login_passkey"),
    *("reset_password", "confirm_email", "begin_outside", "finish_outside", "link_outside"),
}
"""What answers 401 though it takes nothing: who signs in, or opens a letter's link, shows it in the body."""


@pytest.mark.parametrize(
    ("taken", "was_sent", "asked"),
    [
        ((KEY,), False, 'Bearer realm="amply"'),
        ((KEY,), True, 'Bearer realm="amply", error="invalid_token"'),
        ((SESSION,), True, 'Session realm="amply"'),
        ((SESSION, KEY), False, 'Bearer realm="amply", Session realm="amply"'),
        ((Credential.DONOR_LINK,), False, 'Bearer realm="amply"'),
        ((), True, 'Session realm="amply"'),
    ],
)
def test_a_401_asks_for_what_the_route_takes(
    taken: tuple[Credential, ...],
    was_sent: bool,  # noqa: FBT001 -- a parameter of the test
    asked: str,
) -> None:
    assert challenge(taken, was_sent=was_sent) == asked


def test_what_a_dependency_of_a_router_takes_is_asked_for() -> None:
    @takes(KEY)
    def refuse() -> None:
        raise AuthenticationRequired("Send a key.")

    app, router = FastAPI(), APIRouter(prefix="/v1")
    app.state.site_url = ""
    problems.install(app)

    @router.get("/inside", dependencies=[Depends(refuse)])
    def inside() -> dict[str, Any]:
        return {}

    app.include_router(router)
    with TestClient(app) as client:
        answer = client.get("/v1/inside")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="amply"')


def test_one_dependency_that_anybody_passes_makes_a_route_optional() -> None:
    known = {route.name: route.dependant for route in route_contexts(documented.api())}
    assert is_optional(known["create_donation"])
    assert taken_by(known["create_donation"]) == (KEY,)
    assert not is_optional(known["list_plans"])


def test_every_operation_that_answers_401_says_what_it_takes() -> None:
    schemes = documented.api().openapi()["components"]["securitySchemes"]
    assert set(schemes) == set(Credential)
    told = {operation["operationId"]: operation for _, _, operation in operations()}
    for operation in told.values():
        assert all(set(each) <= set(schemes) for each in operation.get("security", ()))
    unknown = {name for name, each in told.items() if "401" in each["responses"]}
    secured = {name for name, each in told.items() if "security" in each}
    assert unknown - secured == WITHOUT_CREDENTIAL
    assert secured <= unknown
