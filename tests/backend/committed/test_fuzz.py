"""The API's document is believed, and the API asked: what it allows, and what it does not, is answered as it says.

The night asks more, and by another seed each time; `make fuzz` by any.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.control import SkipTest
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import text

from amply.adapters.oidc import OidcClient
from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints import application
from amply.entrypoints.member_directory import MemberDirectory
from amply.infra.credentials import Credential
from amply.infra.database import Database
from amply.infra.settings import CacheSettings
from amply.modules import (
    applications,
    federation,
    keys,
    members,
    onboarding,
    people,
    recurring,
    scim,
    sharing,
    trials,
)
from tests.backend import member_world, onboarding_world, plan_world
from tests.backend.application_world import FakeShelf
from tests.backend.conftest import Databases
from tests.backend.documented import operations
from tests.backend.export_shelf import FakeExports
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.giving_world import DonorsPage
from tests.backend.intake_world import FakeIntake
from tests.backend.ledger_world import LedgerWorld
from tests.backend.people_world import EDGE, open_session, people_cache, people_parts, put_person  # noqa: F401 -- a fixture
from tests.backend.unit.test_stripe_signatures import SECRET
from tests.backend.world import NoLimit, open_gate
from tests.hypothesis_profiles import examples
from tests.hypothesis_profiles import seed as drawn_seed

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

OWNER: Final = "usr_owner"
EXAMPLES: Final = int(os.environ.get("AMPLY_FUZZ_EXAMPLES", examples(day=2, night=20)))
"""Of each operation, and of each kind: what the document allows, and what it does not."""
SEED: Final = int(os.environ.get("AMPLY_FUZZ_SEED", drawn_seed(day=1)))
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

asked = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


_PUT_OWNER: Final = text("""
    INSERT INTO member (organization_id, person_id, role, joined_at)
    VALUES (:organization_id, :owner, 'owner', :now)
    ON CONFLICT (organization_id, person_id) DO UPDATE SET role = 'owner'
""")


class World:
    """A platform where something has happened, and who may ask for what of it."""

    def __init__(
        self, page: DonorsPage, app: FastAPI, *, accounts: people.Dependencies, master: Database
    ) -> None:
        self.gift = page.gives()
        self.known = {
            "organization_id": page.organization_id,
            "donation_id": self.gift,
            "entry_id": str(page.rows("entry")[0].id),
        }
        self.now = page.clock()
        self.donor = page.link()
        self.staff = onboarding_world.KEY.sign(organization_id=page.organization_id, now=self.now)
        self.accounts, self.master = accounts, master
        self.schema = schemathesis.openapi.from_asgi("/openapi.json", app)

    def show(self, case: Any, credential: str | None) -> None:
        """Have a request carry what its operation takes, and what it belongs to exists."""
        headers = dict(case.headers or {})
        if credential == Credential.SESSION:
            case.cookies = {self.accounts.site.session_cookie: self._session()}
            headers["origin"] = EDGE
        elif credential is not None:
            token = self.staff if credential == Credential.INVITATION else self.donor
            headers["authorization"] = f"Bearer {token}"
        case.headers = headers

    def _session(self) -> str:
        """Of an owner, whatever a former request did to them."""
        stamp = put_person(self.master, self.accounts, person_id=OWNER, now=self.now)
        with self.master.transaction() as session:
            session.execute(_PUT_OWNER, {"owner": OWNER, "now": self.now, **self.known})
        return open_session(self.accounts, person_id=OWNER, stamp=stamp, now=self.now)


@pytest.fixture
def world(
    books: LedgerWorld,
    databases: Databases,
    people_cache: CacheSettings,  # noqa: F811 -- the fixture
) -> Iterator[World]:
    own, master = databases.as_role("amply_api"), databases.as_role("master")
    # No provider is named, and who names one of their own names none that can be reached.
    oidc_sign_in = people.OidcSignIn(client=OidcClient(), redirect=f"{EDGE}/account/")
    accounts = people_parts(own, people_cache, oidc_sign_in=oidc_sign_in)
    page = DonorsPage(books, own)
    app = application.create(
        application.Parts(
            database=own,
            processor=page.processor,
            method_cloning=FakeMethodCloning(),
            verifier=StripeEventVerifier(SECRET),
            limiter=NoLimit(),
            gate=open_gate(own),
            clock=page.clock,
            livemode=False,
            log_url="http://edge.example/log",
            allowed_origins=("http://edge.example",),
            client_address_header="",
            plans=recurring.Dependencies(saved=page.saved, links=plan_world.KEY),
            invitations=onboarding.Dependencies(
                links=onboarding_world.FakeLinks(), key=onboarding_world.KEY, page=onboarding_world.PAGE
            ),
            membership=members.Dependencies(key=member_world.KEY, people=MemberDirectory(accounts)),
            callers=(keys.KeyCallers(database=own, livemode=False), people.SessionCallers(accounts)),
            accounts=accounts,
            test_organizations=trials.Dependencies(
                people=MemberDirectory(accounts), processor_url="https://stripe.example"
            ),
            organization_applications=applications.Dependencies(
                people=MemberDirectory(accounts), shelf=FakeShelf()
            ),
            image_uploads=FakeShelf(),
            export_store=FakeExports(),
            consents=sharing.Ticks(),
            intake=FakeIntake(),
            organization_sign_in=federation.Dependencies(
                key=accounts.key, records=member_world.FakeRecords(), redirect=f"{EDGE}/account/"
            ),
            scim_directories=scim.Dependencies(
                database=own, key=accounts.key, sessions=accounts.sessions, clock=page.clock
            ),
        )
    )
    yield World(page, app, accounts=accounts, master=master)
    own.close()
    master.close()


@pytest.mark.hypothesis  # asked by night too, like every property
def test_every_operation_answers_as_the_document_says(world: World) -> None:
    names, wrong = [], []
    for result in world.schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        names.append(operation.definition.raw["operationId"])
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _ask(world, operation, mode)
            except (FailureGroup, Failure) as failure:
                wrong.append(f"{names[-1]}, {mode.value}: {_told(failure)}")
            except (SkipTest, Unsatisfiable):
                # Of what takes nothing but texts in fields there is nothing that the document does not allow.
                assert mode is GenerationMode.NEGATIVE, names[-1]
                assert "requestBody" not in operation.definition.raw, names[-1]
    assert wrong == [], "\n".join((f"drawn by AMPLY_FUZZ_SEED={SEED}:", *wrong))
    assert len(names) == len(operations())


def _credential(operation: Mapping[str, Any]) -> str | None:
    """The first that it takes."""
    return next((name for each in operation.get("security", ()) for name in each), None)


def _told(failure: FailureGroup | Failure) -> str:
    """What failed, without the whole request and answer."""
    each = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
    return "; ".join(str(one)[:400] for one in each)


def _ask(world: World, operation: Any, mode: GenerationMode) -> None:
    """Some requests of one operation; half of them of what exists, by whom it belongs to."""

    @seed(SEED)
    @asked
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
    def run(case: Any, is_known: bool) -> None:  # noqa: FBT001 -- drawn
        if is_known:
            parameters = dict(case.path_parameters or {})
            case.path_parameters = {name: world.known.get(name, value) for name, value in parameters.items()}
            asked_for = {each["name"] for each in operation.definition.raw.get("parameters", ())}
            if "organization_id" in asked_for - parameters.keys():
                case.query = {**(case.query or {}), "organization_id": world.known["organization_id"]}
            world.show(case, _credential(operation.definition.raw))
            if isinstance(case.body, dict) and "organization_id" in case.body:
                case.body["organization_id"] = world.known["organization_id"]
        case.validate_response(case.call(), checks=CHECKS)

    run()
