"""What donors do by their link, over HTTP with no more rights than the API has."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import defence, organizations, payments
from amply.modules.mail import address_digest
from tests.backend.api_world import assert_problem
from tests.backend.committed.test_donor_facts import DECLARATION
from tests.backend.conftest import Databases
from tests.backend.giving_world import donors_client
from tests.backend.plan_world import ADA, EMAIL, KEY, Plans, declined
from tests.backend.world import NoLimit


class Page:
    """The donors' page: the API, called with a link's token."""

    def __init__(self, plans: Plans, own: Database) -> None:
        self.plans, self.limiter = plans, NoLimit()
        self.client = donors_client(
            own,
            processor=plans.processor,
            saved=plans.saved,
            limiter=self.limiter,
            clock=plans.clock,
        )
        self.token = KEY.sign(email_sha256=ADA, now=plans.clock())

    def begin(self, *, key: str = "key-1", **changes: Any) -> Any:
        body = {
            "organization_id": self.plans.organization_id,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": {"name": "Ada", "email": EMAIL},
            "every": "month",
            "time_zone": "Europe/Berlin",
            **changes,
        }
        return self.client.post("/v1/recurring", json=body, headers={"Idempotency-Key": key})

    def begun(self) -> str:
        answer = self.begin()
        assert answer.status_code == 201, answer.text
        self.plans.hear_of_all()
        self.plans.work()
        plan_id: str = answer.json()["plan_id"]
        return plan_id

    def ask(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        version: str | None = None,
        solution: str | None = None,
    ) -> Any:
        token = token or KEY.sign(email_sha256=ADA, now=self.plans.clock())
        headers = {"Authorization": f"Bearer {token}", **({"If-Match": version} if version else {})}
        headers |= {"Amply-Challenge": solution} if solution else {}
        if path == "plans":
            return self.client.get("/v1/donor/plans", headers=headers)
        return self.client.post(f"/v1/donor/plans/{path}", json=body or {}, headers=headers)

    def see(self) -> Any:
        (plan,) = self.ask("plans").json()["data"]
        return plan


@pytest.fixture
def page(database: Database, databases: Databases) -> Iterator[Page]:
    own = databases.as_role("amply_api")
    made = Page(Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC)), own)
    with made.client:
        yield made
    own.close()


def test_a_plan_begins_with_what_the_browser_needs_for_its_first_gift(page: Page) -> None:
    answer = page.begin()
    told = answer.json()
    assert answer.status_code == 201
    assert told["donation"]["payment"]["client_secret"] == "pi_0_secret_x"
    again = page.begin()
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (told, "true")


def test_what_a_plan_says_is_kept_shown_and_changed_by_its_donor(page: Page) -> None:
    with page.plans.database.transaction() as session:
        fund = organizations.create_fund(
            session,
            organization_id=page.plans.organization_id,
            name="Wells",
            kind=organizations.FundKind.FUND,
            now=page.plans.clock(),
        )
    answer = page.begin(
        fund_id=fund.id,
        anonymity="none",
        message="for the river",
        gift_aid=DECLARATION,
        dedication={"kind": "in_honour_of", "honouree": "Grace"},
    )
    assert answer.status_code == 201, answer.text
    plan_id = answer.json()["plan_id"]
    page.plans.hear_of_all()
    page.plans.work()
    seen = page.see()
    assert (seen["fund"], seen["anonymity"], seen["gift_aid"]) == ("Wells", "none", "declared")
    assert not {"message", "dedication", "company"} & seen.keys()

    changed = page.ask(f"{plan_id}/options", {"fund_id": None, "anonymity": "public"}).json()
    assert (changed["fund"], changed["anonymity"]) == (None, "public")
    assert page.ask(f"{plan_id}/options", {"fund_id": "fund_0"}).json()["code"] == "fund_not_acceptable"
    assert page.ask(f"{plan_id}/options").json()["code"] == "invalid_request"
    assert page.ask(f"{plan_id}/gift-aid/cancel").json()["gift_aid"] == "canceled"
    page.plans.on(2026, 2, 28)
    second = page.plans.rows("donation")[-1]
    assert (second.fund_id, second.anonymity, second.message) == (None, "public", "for the river")


def test_a_company_that_declares_gift_aid_begins_no_plan(page: Page) -> None:
    answer = page.begin(company={"name": "Angstrom Ltd"}, gift_aid=DECLARATION)
    assert_problem(answer, status=422, code="gift_options_not_acceptable", param="gift_aid")
    assert page.plans.rows("plan") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"time_zone": "Europe/Atlantis"}, "schedule_not_acceptable"),
        ({"time_zone": "../../etc/passwd"}, "schedule_not_acceptable"),
        ({"every": "week"}, "invalid_request"),
        ({"day_of_month": 32}, "invalid_request"),
        ({"amount": {"minor_units": "1", "currency": "EUR"}}, "amount_not_acceptable"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_sentence(page: Page, changes: dict[str, Any], code: str) -> None:
    answer = page.begin(**changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert page.plans.rows("plan") == []


def test_a_donor_sees_their_plan_and_its_gifts(page: Page) -> None:
    page.begun()
    page.plans.on(2026, 2, 28)
    seen = page.see()
    assert (seen["organization"], seen["status"], seen["next_on"]) == ("River Trust", "active", "2026-03-31")
    assert (seen["method_kind"], seen["method_last4"], seen["waits_for_donor"]) == ("card", "4242", False)
    assert [(period["due_on"], period["donation_status"]) for period in seen["periods"]] == [
        ("2026-02-28", "succeeded"),
        ("2026-01-31", "succeeded"),
    ]
    assert not {"customer_id", "method_id", "donor_email", "email_sha256"} & seen.keys()


def test_a_donor_changes_skips_pauses_resumes_and_ends(page: Page) -> None:
    plan_id = page.begun()
    changed = page.ask(f"{plan_id}/amount", {"amount": {"minor_units": "4000", "currency": "EUR"}}).json()
    assert changed["amount"] == {"minor_units": "4000", "currency": "EUR"}
    skipped = page.ask(f"{plan_id}/skip", version=page.see()["version"]).json()
    assert (skipped["next_on"], skipped["periods"][0]["state"]) == ("2026-03-31", "skipped")
    paused = page.ask(f"{plan_id}/pause", {"until": "2026-06-15"}).json()
    assert (paused["status"], paused["reason"], paused["next_on"]) == ("paused", "donor", "2026-06-30")
    assert page.ask(f"{plan_id}/pause").json()["next_on"] is None
    assert page.ask(f"{plan_id}/resume").json()["next_on"] == "2026-03-31"
    page.plans.on(2026, 3, 31)
    assert page.see()["periods"][0] | {"donation_id": "", "costs": None} == {
        "due_on": "2026-03-31",
        "amount": {"minor_units": "4000", "currency": "EUR"},
        "total": {"minor_units": "4000", "currency": "EUR"},
        "costs": None,
        "state": "paid",
        "donation_id": "",
        "donation_status": "succeeded",
    }
    ended = page.ask(f"{plan_id}/cancel").json()
    assert (ended["status"], ended["next_on"]) == ("ended", None)
    page.plans.on(2026, 4, 30)
    assert page.plans.states() == [(0, "paid"), (1, "skipped"), (2, "paid")]
    assert page.plans.subjects() == ["Your recurring gifts to River Trust have ended"]


def test_a_change_that_is_sent_twice_is_made_once(page: Page) -> None:
    plan_id = page.begun()
    seen = page.see()["version"]
    headers = {"Authorization": f"Bearer {page.token}", "If-Match": seen}
    first, second = (
        page.client.post(f"/v1/donor/plans/{plan_id}/skip", json={}, headers=headers) for _ in range(2)
    )
    assert first.json()["next_on"] == "2026-03-31"
    assert_problem(second, status=412, code="changed_meanwhile")
    assert page.see()["next_on"] == "2026-03-31"
    assert page.see()["version"] == first.json()["version"] != seen


def test_a_gift_is_left_out_by_whoever_says_which_plan_they_saw(page: Page) -> None:
    """Without it a repetition would leave out a second one."""
    plan_id = page.begun()
    before = page.see()
    assert_problem(page.ask(f"{plan_id}/skip"), status=428, code="if_match_missing")
    assert page.see() == before


def test_a_pause_with_an_end_ends_by_itself(page: Page) -> None:
    plan_id = page.begun()
    page.ask(f"{plan_id}/pause", {"until": "2026-04-01"})
    page.plans.on(2026, 3, 31)
    assert page.plans.states() == [(0, "paid")]
    page.plans.on(2026, 4, 30)
    assert (page.see()["status"], page.plans.states()) == ("active", [(0, "paid"), (3, "paid")])


@pytest.mark.parametrize("until", ["2026-01-31", "2025-01-01", "2028-01-01"])
def test_a_pause_ends_on_a_day_to_come(page: Page, until: str) -> None:
    plan_id = page.begun()
    answer = page.ask(f"{plan_id}/pause", {"until": until})
    assert (answer.status_code, answer.json()["code"]) == (422, "pause_not_acceptable")


@pytest.mark.parametrize("path", ["amount", "skip", "pause", "resume", "options", "card", "pay"])
def test_a_plan_that_has_ended_changes_no_more(page: Page, path: str) -> None:
    plan_id = page.begun()
    page.ask(f"{plan_id}/cancel")
    bodies: dict[str, Any] = {
        "amount": {"amount": {"minor_units": "4000", "currency": "EUR"}},
        "options": {"fund_id": None},
    }
    version = page.see()["version"]
    answer = page.ask(f"{plan_id}/{path}", bodies.get(path), version=version)
    assert answer.json()["code"] == "plan_not_changeable"
    assert page.ask(f"{plan_id}/cancel").json()["status"] == "ended", "ending again is no error"


def test_an_amount_keeps_its_currency(page: Page) -> None:
    plan_id = page.begun()
    answer = page.ask(f"{plan_id}/amount", {"amount": {"minor_units": "4000", "currency": "USD"}})
    assert answer.json()["code"] == "amount_not_acceptable"


def test_another_card_is_stored_by_the_browser_and_asked_of_the_processor(page: Page) -> None:
    plan_id = page.begun()
    opened = page.ask(f"{plan_id}/card").json()
    assert opened["client_secret"] == "seti_1_secret_x"
    assert page.ask(f"{plan_id}/card/stored").json()["method_last4"] == "4242", (
        "the browser's word is not enough"
    )
    page.plans.saved.stored = payments.SavedMethod(id="pm_2", kind="card", last4="4444", mandate_id=None)
    assert page.ask(f"{plan_id}/card/stored").json()["method_last4"] == "4444"


def test_whoever_begins_cards_all_the_time_is_challenged_and_then_let_on(page: Page) -> None:
    plan_id = page.begun()
    asked = [page.ask(f"{plan_id}/card") for _ in range(10)]
    assert [answer.status_code for answer in asked] == [200] * 9 + [403], "the first gift counts as one"
    solution = defence.solve(asked[-1].json()["challenge"])

    assert page.ask(f"{plan_id}/card", solution=solution).status_code == 200
    again = page.ask(f"{plan_id}/card", solution=solution)
    assert again.json()["code"] == "challenge_required", "it was solved for one card"


def test_what_was_declined_can_be_paid_by_the_donor(page: Page) -> None:
    plan_id = page.begun()
    page.plans.saved.answers = [declined("authentication_required")]
    page.plans.on(2026, 2, 28)
    assert page.see()["waits_for_donor"] is True
    assert page.ask(f"{plan_id}/pay").json()["client_secret"] == "pi_1_secret_x"


@pytest.mark.parametrize(
    "path", ["amount", "skip", "pause", "resume", "cancel", "card", "card/stored", "pay"]
)
def test_a_plan_of_somebody_else_is_none(page: Page, path: str) -> None:
    plan_id = page.begun()
    stranger = KEY.sign(email_sha256=address_digest("eve@example.org"), now=page.plans.clock())
    before = page.plans.plan
    body = {"amount": {"minor_units": "4000", "currency": "EUR"}} if path == "amount" else None
    theirs = page.ask(f"{plan_id}/{path}", body, token=stranger)
    nobodys = page.ask(f"pln_0/{path}", body, token=stranger)
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["detail"] == nobodys.json()["detail"]
    assert page.ask("plans", token=stranger).json() == {"data": []}
    assert page.plans.plan == before


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic {token}", "Bearer {token}x"])
def test_without_a_link_of_ours_nothing_is_shown(page: Page, header: str | None) -> None:
    page.begun()
    headers = {} if header is None else {"Authorization": header.format(token=page.token)}
    answer = page.client.get("/v1/donor/plans", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "link_not_valid")


def test_a_link_of_last_week_opens_nothing(page: Page) -> None:
    page.begun()
    page.plans.clock.advance(days=7)
    assert page.ask("plans", token=page.token).status_code == 401


def test_a_donor_sees_what_is_added_for_the_fee_and_what_it_was(page: Page) -> None:
    plan_id = page.begin(fee_cover={"method": "card", "minor_units": "64"}).json()["plan_id"]
    page.plans.processor.fee = Money(minor_units=63, currency="EUR")
    page.plans.hear_of_all()
    page.plans.work()

    def euros(minor_units: int) -> dict[str, str]:
        return {"minor_units": str(minor_units), "currency": "EUR"}

    seen = page.see()
    assert seen["fee_cover"] == {"at_most": euros(64), "next": euros(64), "next_total": euros(2564)}
    (period,) = seen["periods"]
    assert (period["amount"], period["total"]) == (euros(2500), euros(2564))
    assert period["costs"] == {
        "fee_cover": euros(64),
        "method": "card",
        "processor_fee": euros(63),
        "difference": euros(1),
    }
    kept = page.ask(f"{plan_id}/amount", {"amount": euros(10_000)}).json()["fee_cover"]
    assert (kept["at_most"], kept["next_total"]) == (euros(64), euros(10_064))
    agreed = {"amount": euros(10_000), "fee_cover": {"method": "card", "minor_units": "178"}}
    assert page.ask(f"{plan_id}/amount", agreed).json()["fee_cover"]["next_total"] == euros(10_178)
    refused = page.ask(f"{plan_id}/amount", agreed | {"fee_cover": {"method": "card", "minor_units": "1"}})
    assert_problem(refused, status=422, code="fee_cover_changed", param="fee_cover")
    assert page.ask(f"{plan_id}/amount", agreed | {"fee_cover": None}).json()["fee_cover"] is None
