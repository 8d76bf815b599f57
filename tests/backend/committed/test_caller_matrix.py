"""Who is let in where: every route of the API by every kind of caller. A route without a line here fails.

Staff of the platform are no callers: they have no rights over HTTP, and use `admin` commands (ADR 0071).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from amply.infra.settings import CacheSettings
from amply.infra.web import calls_of
from amply.modules.access import POLICY, Allowed, Permission, Role, SignedIn
from amply.modules.mail import address_digest
from amply.modules.people.web import SignedInHere
from tests.backend.caller_matrix import (
    ANYBODY,
    DIRECTORY,
    DONOR,
    INVITED,
    MATRIX,
    SIGNING_IN,
    Account,
    Line,
    Open,
    Personal,
)
from tests.backend.conftest import Server, fresh_databases
from tests.backend.member_world import House
from tests.backend.people_world import EDGE, open_session, people_cache, put_person  # noqa: F401 -- the fixture
from tests.backend.plan_world import KEY as LINKS
from tests.backend.world import NOW

LATE: Final = "not confirmed for long"
REST: Final = "every scope but "
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

IN, NOBODY, NOT_ALLOWED, HIDDEN = "let in", "401", "403", "404"

_NOT_SET_UP: Final = ("members_not_offered", "dns_unavailable", "people_not_offered")
PAGES: Final = ("/openapi.json", "/static-offline-docs", "/docs", "/docs/oauth2-redirect")
IDS: Final = {
    "person_id": "usr_nobody",
    "project_id": f"proj_{'0' * 26}",
    "fund_id": f"fund_{'0' * 26}",
    "donation_id": f"don_{'0' * 26}",
    "invitation_id": f"minv_{'0' * 26}",
    "key_id": f"key_{'0' * 26}",
    "payout_id": "po_0",
    "refund_id": f"rfd_{'0' * 26}",
    "plan_id": f"plan_{'0' * 26}",
    "document_id": f"doc_{'0' * 26}",
    "split_id": f"split_{'0' * 26}",
    "entry_id": f"ent_{'0' * 26}",
    "session_id": f"ses_{'0' * 26}",
    "export_id": f"exp_{'0' * 26}",
    "image_id": f"img_{'0' * 26}",
    "passkey_id": f"psk_{'0' * 26}",
    "domain": "river.example",
    "token_id": f"sct_{'0' * 26}",
    "path": "Users",
    "dataset_id": f"dset_{'0' * 26}",
    "job_id": f"job_{'0' * 26}",
    "identity_id": f"pid_{'0' * 26}",
    "endpoint_id": f"whe_{'0' * 26}",
    "delivery_id": f"whd_{'0' * 26}",
    "number": "1",
}
SCOPES: Final = (
    *("organisation:read", "organisation:write", "donations:read", "donations:write"),
    *("payouts:read", "data:read", "data:write"),
)


@dataclass
class Callers:
    """Every kind of caller, with the headers it sends. People have real sessions."""

    house: House
    sent: dict[str, dict[str, str]] = field(default_factory=dict)
    rest: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sent["anonymous"] = {}
        donor = LINKS.sign(email_sha256=address_digest("ada@example.org"), now=NOW)
        self.sent["donor"] = {"Authorization": f"Bearer {donor}"}
        for role in Role:
            self.sign_in(role)
            self.sign_in(f"{role}, {LATE}")
        self.sign_in("another's owner")
        self.sign_in("nobody's member")
        self.sent["session that is over"] = self._cookie("usr_owner", signed_in_ago=timedelta(days=31))
        for scope in SCOPES:
            self.sent[scope] = self._bearer(scope)
        self.sent["revoked key"] = self._bearer(*SCOPES, name="revoked")
        self.sent["expired key"] = self._bearer(*SCOPES, name="expired")
        self.house.run(
            """
            UPDATE api_key SET
                revoked_at = CASE name WHEN 'revoked' THEN CAST(:now AS timestamptz) END,
                expires_at = CASE name WHEN 'expired' THEN CAST(:now AS timestamptz) END
            """,
            now=NOW,
        )
        others = self.house.ask(
            "POST",
            "/keys",
            by="usr_stranger",
            of=self.house.other_id,
            json={"name": "theirs", "scopes": list(SCOPES)},
        )
        self.sent["another's key"] = {"Authorization": f"Bearer {others.json()['secret']}"}

    def about(self, line: Line | Personal | Account) -> list[str]:
        """Whose answers tell of a line whether it holds: of those who differ in nothing that it asks for, one.

        A key with every scope that does not let in stands for each of these scopes. Where nobody needs to confirm, one who has not for long, and
        whose role lets in, stands for all who have not.
        """
        let_in = line.scopes if isinstance(line, Line) else ()
        late = [f"{role}, {LATE}" for role in Role]
        is_confirmed = isinstance(line, Line | Account) and line.confirmed
        asked = late if is_confirmed else [caller for caller in late if expected(line, caller) == IN][:1]
        passed_over = {*SCOPES, *late} - {*let_in, *asked}
        return [*(caller for caller in self.sent if caller not in passed_over), self._rest(let_in)]

    def _rest(self, let_in: Sequence[str]) -> str:
        name = f"{REST}{' and '.join(let_in) or 'none'}"
        if name not in self.rest:
            scopes = (scope for scope in SCOPES if scope not in let_in)
            self.rest[name] = self._bearer(*scopes, name=name)
        return name

    def headers_of(self, caller: str) -> dict[str, str]:
        return self.sent.get(caller) or self.rest.get(caller, {})

    def sign_in(self, caller: str) -> None:
        """With an account and a session, whatever became of a former one."""
        ago = timedelta(minutes=11 if caller.endswith(LATE) else 0)
        self.sent[caller] = self._cookie(person_of(caller), confirmed_ago=ago)

    def _cookie(self, person_id: str, **ago: timedelta) -> dict[str, str]:
        accounts = self.house.accounts
        assert accounts is not None
        stamp = put_person(self.house.master, accounts, person_id=person_id, now=NOW)
        token = open_session(accounts, person_id=person_id, stamp=stamp, now=NOW, **ago)
        return {"Cookie": f"{accounts.site.session_cookie}={token}", "Origin": EDGE}

    def _bearer(self, *scopes: str, name: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.house.key(*scopes, name=name or scopes[0])[1]}"}


@pytest.fixture(scope="module")
def callers(server: Server, people_cache: CacheSettings) -> Iterator[Callers]:  # noqa: F811 -- the fixture
    """One house for all: nothing that a caller does there decides whether another one is let in."""
    with fresh_databases(server) as databases:
        house = House(databases.as_role("amply_app"), databases, cache=people_cache)
        with house.client:
            yield Callers(house)
        house.close()


def routes(house: House) -> dict[str, RouteContext]:
    """By method and path; hidden ones too, but for the framework's own pages, which only tell of the others."""
    return {
        f"{method} {route.path}": route
        for route in iter_route_contexts(house.app.routes)
        for method in route.methods or ("MOUNT",)
        if route.path not in PAGES
    }


def person_of(caller: str) -> str:
    """Who that is."""
    others = {"another's owner": "usr_stranger", "nobody's member": "usr_alone"}
    return others.get(caller) or f"usr_{Role(caller.partition(', ')[0])}"


def expected(line: Line | Personal | Account, caller: str) -> str:
    """What a line says of a caller."""
    if caller in ("anonymous", "donor", "revoked key", "expired key", "session that is over"):
        return NOBODY
    is_program = caller in SCOPES or caller == "another's key" or caller.startswith(REST)
    if isinstance(line, Personal):
        return NOT_ALLOWED if is_program else IN
    if isinstance(line, Account):
        return NOBODY if is_program else _let_in(unless=line.confirmed and caller.endswith(LATE))
    if caller in ("another's owner", "another's key", "nobody's member"):
        return HIDDEN
    if is_program:
        return _let_in(unless=caller not in line.scopes)
    role, _, late = caller.partition(", ")
    return _let_in(unless=Role(role) not in line.roles or bool(late and line.confirmed))


def _let_in(*, unless: bool) -> str:
    return NOT_ALLOWED if unless else IN


def outcome(answer: Any) -> str:
    """What was decided about whoever asked, whatever became of the request itself."""
    code = answer.json().get("code") if answer.content and "json" in answer.headers["content-type"] else None
    if answer.status_code == 401:
        return NOBODY
    if code in ("not_allowed", "confirmation_required"):
        return NOT_ALLOWED
    if code == "organization_not_found":
        return HIDDEN
    assert answer.status_code < 500 or code in _NOT_SET_UP, answer.text
    return IN


def ask(house: House, route: str, headers: Mapping[str, str]) -> Any:
    method, path = route.split(" ")
    filled = re.sub(
        r"{(\w+)(?::path)?}", lambda found: {"organization_id": house.organization_id, **IDS}[found[1]], path
    )
    body: dict[str, Any] | None = {} if method in ("POST", "PATCH") else None
    house.client.cookies.clear()
    # Of an organisation, though the path names none.
    is_beside = isinstance(MATRIX[route], Line) and "{organization_id}" not in path
    params = {"organization_id": house.organization_id} if is_beside else None
    return house.client.request(method, filled, headers=dict(headers), json=body, params=params)


def test_every_route_has_a_line_and_every_line_a_route(callers: Callers) -> None:
    assert set(routes(callers.house)) == set(MATRIX)


def test_every_protected_route_lets_in_whom_its_line_names_and_nobody_else(callers: Callers) -> None:
    house, wrong = callers.house, []
    for route, line in MATRIX.items():
        if isinstance(line, Open):
            continue
        for caller in callers.about(line):
            if isinstance(line, Account) and expected(line, caller) != NOBODY:
                # Another of this person's requests may have ended this session too.
                callers.sign_in(caller)
            found = outcome(ask(house, route, callers.headers_of(caller)))
            if found != expected(line, caller):
                wrong.append(f"{route} by {caller}: {found} instead of {expected(line, caller)}")
            if found == IN and route.endswith("/membership"):
                house.put(person_of(caller), Role(caller.partition(", ")[0]))
    assert wrong == []


def test_who_signs_in_may_be_anybody(callers: Callers) -> None:
    """Nobody is kept from it for what else they carry: a session that is over least of all."""
    for route in (name for name, line in MATRIX.items() if line is SIGNING_IN):
        for caller in ("anonymous", "donor", "revoked key", "session that is over"):
            assert outcome(ask(callers.house, route, callers.sent[caller])) != NOBODY, (route, caller)


def test_what_is_open_asks_nobody_and_what_is_protected_cannot_be_open(callers: Callers) -> None:
    """An open route must not carry a permission by accident, nor a protected one lack it."""
    for name, route in routes(callers.house).items():
        named = list(permissions(route.dependant))
        assert (named == []) == isinstance(MATRIX[name], Open | Account), (name, named)
        assert len(named) <= 1, name
        assert any(isinstance(call, SignedInHere) for call in calls_of(route.dependant)) == isinstance(
            MATRIX[name], Account
        ), name


def test_every_permission_leads_somewhere(callers: Callers) -> None:
    used = {each for route in routes(callers.house).values() for each in permissions(route.dependant)}
    # Decided inside a statement, and inside a handler.
    elsewhere = {Permission.DONORS_READ, Permission.GIVE, Permission.LEDGER_PAGES_CHANGE}
    assert used | elsewhere == set(POLICY) == set(Permission)


def test_anybody_reads_what_is_public(callers: Callers) -> None:
    for route in (name for name, line in MATRIX.items() if line is ANYBODY):
        for caller in ("anonymous", "donor", "revoked key", Role.VIEWER):
            assert outcome(ask(callers.house, route, callers.sent[caller])) != NOBODY, (route, caller)


def test_a_link_is_the_only_way_in_where_one_is_asked_for(callers: Callers) -> None:
    for route, line in MATRIX.items():
        if line not in (DONOR, INVITED):
            continue
        for caller, headers in callers.sent.items():
            is_in = line is DONOR and caller == "donor"
            found = outcome(ask(callers.house, route, headers))
            assert found == (IN if is_in else NOBODY), (route, caller)


def test_only_a_directorys_token_lets_a_directory_in(callers: Callers) -> None:
    for route in (name for name, line in MATRIX.items() if line is DIRECTORY):
        for caller, headers in callers.sent.items():
            assert outcome(ask(callers.house, route, headers)) == NOBODY, (route, caller)


def test_nobody_speaks_for_the_processor(callers: Callers) -> None:
    for caller, headers in callers.sent.items():
        assert 400 <= ask(callers.house, "POST /v1/webhooks/stripe", headers).status_code < 500, caller


def test_a_key_gives_to_its_own_organisation_with_the_scope_for_it(callers: Callers) -> None:
    house = callers.house
    body = {
        "organization_id": house.organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": "ada@example.org"},
    }
    found = {}
    for number, (caller, headers) in enumerate(callers.sent.items()):
        told = {**headers, "Idempotency-Key": f"key-{number}"}
        found[caller] = outcome(house.client.post("/v1/donations", json=body, headers=told))
    refused = {
        **dict.fromkeys(("revoked key", "expired key"), NOBODY),
        **dict.fromkeys(set(SCOPES) - {"donations:write"}, NOT_ALLOWED),
        "another's key": HIDDEN,
    }
    assert found == {caller: refused.get(caller, IN) for caller in callers.sent}


def permissions(dependant: Dependant) -> Iterator[Permission]:
    if isinstance(dependant.call, Allowed | SignedIn):
        yield dependant.call.permission
    for inner in dependant.dependencies:
        yield from permissions(inner)
