"""A donor on the donor page: succeeded gifts, sent receipts, and the API with its production role."""

from typing import Any, Final

from fastapi.testclient import TestClient

from amply.entrypoints import application, worker
from amply.infra.database import Database
from amply.modules import (
    donations,
    giving,
    organizations,
    recurring,
)
from amply.modules.donations.domain import Donor
from amply.modules.mail import address_digest
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.ledger_world import LedgerWorld
from tests.backend.plan_world import KEY, FakeSavedMethods
from tests.backend.receipt_office import ReceiptOffice
from tests.backend.worker_parts import worker_parts
from tests.backend.world import FakeClock, FakeProcessor, NoLimit, open_gate

ADA: Final = address_digest("ada@example.org")
EVE: Final = Donor(name="Eve", email="eve@example.org")
PAGE: Final = "https://edge.example/giving/"


def donors_client(
    own: Database,
    *,
    processor: FakeProcessor,
    saved: FakeSavedMethods,
    limiter: NoLimit,
    clock: FakeClock,
    consents: donations.ConsentKeeping | None = None,
) -> TestClient:
    """The API as the donors' page calls it; `own` is opened as the API's role. `consents`: None shares no data."""
    parts = application.Parts(
        database=own,
        processor=processor,
        method_cloning=FakeMethodCloning(),
        verifier=None,
        limiter=limiter,
        gate=open_gate(own),
        clock=clock,
        livemode=False,
        log_url="http://edge.example/log",
        allowed_origins=("http://edge.example",),
        client_address_header="",
        plans=recurring.Dependencies(saved=saved, links=KEY),
        consents=consents,
    )
    return TestClient(application.create(parts), raise_server_exceptions=False)


class DonorsPage(ReceiptOffice):
    """What the page asks of the API, by a link of Ada's unless another token is named."""

    def __init__(
        self, world: LedgerWorld, own: Database, *, consents: donations.ConsentKeeping | None = None
    ) -> None:
        super().__init__(world)
        self.limiter = NoLimit()
        self.saved = FakeSavedMethods()
        self.client = donors_client(
            own,
            processor=self.processor,
            saved=self.saved,
            limiter=self.limiter,
            clock=self.clock,
            consents=consents,
        )
        self.writing = recurring.PlanLetterDependencies(
            database=world.app, mailer=self.mailer, key=KEY, page=PAGE
        )

    def may_be_kept_from_its_organization(self) -> None:
        """From now on the organisation takes gifts whose donors it does not know."""
        with self.database.transaction() as session:
            organizations.take_anonymous_gifts(session, organization_id=self.organization_id, takes=True)

    def link(self, digest: str = ADA) -> str:
        """A link's token."""
        return KEY.sign(email_sha256=digest, now=self.clock())

    def see(self, path: str, *, token: str | None = None, **query: Any) -> Any:
        headers = {"Authorization": f"Bearer {token or self.link()}"}
        return self.client.get(f"/v1/donor/{path}", params=query, headers=headers)

    def ask(self, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Any:
        """A POST; `headers` with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            f"/v1/donor/{path}",
            json=body or {},
            headers={"Authorization": f"Bearer {token or self.link()}", **sent},
        )

    def gifts(self) -> list[Any]:
        found: list[Any] = self.see("gifts").json()["data"]
        return found

    def hides(self, donation_id: str, anonymity: str) -> Any:
        """The donor says who is told, of the gift as it stands."""
        tag = self.see(f"gifts/{donation_id}").headers["ETag"]
        return self.ask(f"gifts/{donation_id}/anonymity", {"anonymity": anonymity}, If_Match=tag)

    def works(self) -> None:
        """The worker's turn at what is asked for on the page."""
        giving.send_links(self.writing, now=self.clock())
        giving.make_documents(self.sending, KEY, now=self.clock())

    def worker_parts(self) -> worker.Parts:
        """What the worker's tasks need."""
        return worker_parts(self.sending, processor=self.processor, clock=self.clock)

    def fetches(self, wanted: dict[str, Any]) -> tuple[str, bytes]:
        """A document, from asking to its content."""
        asked = self.ask("documents", wanted)
        assert asked.status_code == 202, asked.text
        self.works()
        where = f"documents/{asked.json()['id']}"
        ready = self.see(where).json()
        assert ready["state"] == "ready", ready
        return ready["filename"], self.see(f"{where}/content").content
