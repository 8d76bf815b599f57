"""The API's document is believed, and the API asked: what it allows, and what it does not, is answered as it says.

`make fuzz` asks more, and with other seeds.
"""

import os
from collections.abc import Iterator
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

from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints import application
from amply.modules import onboarding, recurring
from tests.backend import onboarding_world, plan_world
from tests.backend.conftest import Databases
from tests.backend.documented import operations
from tests.backend.giving_world import DonorsPage
from tests.backend.ledger_world import LedgerWorld
from tests.backend.sharing_world import FakeSharing
from tests.backend.unit.test_stripe_signatures import SECRET
from tests.backend.world import NoLimit, open_gate

EXAMPLES: Final = int(os.environ.get("AMPLY_FUZZ_EXAMPLES", "5"))
"""Of each operation, and of each kind: what the document allows, and what it does not."""
SEED: Final = int(os.environ.get("AMPLY_FUZZ_SEED", "1"))
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


class World:
    """A platform where something has happened, and who may ask for what of it."""

    def __init__(self, page: DonorsPage, app: FastAPI) -> None:
        self.gift = page.gives()
        self.known = {
            "organization_id": page.organization_id,
            "donation_id": self.gift,
            "entry_id": str(page.rows("entry")[0].id),
        }
        self.donor = f"Bearer {page.link()}"
        self.staff = (
            f"Bearer {onboarding_world.KEY.sign(organization_id=page.organization_id, now=page.clock())}"
        )
        self.schema = schemathesis.openapi.from_asgi("/openapi.json", app)

    def token_for(self, path: str) -> str:
        return self.staff if path.startswith("/v1/onboarding") else self.donor


@pytest.fixture
def world(books: LedgerWorld, databases: Databases) -> Iterator[World]:
    own = databases.as_role("amply_api")
    page = DonorsPage(books, own)
    app = application.create(
        application.Parts(
            database=own,
            processor=page.processor,
            sharing=FakeSharing(),
            verifier=StripeEventVerifier(SECRET),
            limiter=NoLimit(),
            gate=open_gate(own),
            clock=page.clock,
            livemode=False,
            log_url="http://edge.example/log",
            allowed_origins=("http://edge.example",),
            client_address_header="",
            plans=recurring.Parts(saved=page.saved, links=plan_world.KEY),
            invitations=onboarding.Parts(
                links=onboarding_world.FakeLinks(), key=onboarding_world.KEY, page=onboarding_world.PAGE
            ),
        )
    )
    yield World(page, app)
    own.close()


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
    assert wrong == []
    assert len(names) == len(operations())


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
            case.headers = {**(case.headers or {}), "authorization": world.token_for(case.path)}
            if isinstance(case.body, dict) and "organization_id" in case.body:
                case.body["organization_id"] = world.known["organization_id"]
        case.validate_response(case.call(), checks=CHECKS)

    run()
