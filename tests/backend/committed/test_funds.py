"""Funds: made by operators, shown to everybody, and the account that a restricted gift is on until it goes back."""

import json
from typing import Any

import pytest

from amply.infra.database import Database
from amply.modules import ledger, organizations, payments, webhooks
from amply.modules.donations.options import GiftOptions
from amply.modules.organizations import FundKind, FundNotAcceptable
from amply.modules.organizations.funds import FUNDS_MAX, FundTaken
from amply.modules.organizations.return_origins import TooManyReturnOrigins
from ledger_format.entries import decode
from tests.backend.api_world import Api, assert_problem
from tests.backend.committed.money_back import COVER, DISPUTE, INTENT, Returns
from tests.backend.committed.test_delayed_payments import FAILED, PROCESSING, SUCCEEDED, Debits
from tests.backend.committed.test_donate import Desk
from tests.backend.committed.test_donor_years import typed  # noqa: F401 -- a fixture
from tests.backend.conftest import Databases
from tests.backend.ledger_world import LedgerWorld
from tests.backend.world import NOW


def made(database: Database, organization_id: str, name: str = "Wells") -> organizations.Fund:
    with database.transaction() as session:
        return organizations.create_fund(
            session, organization_id=organization_id, name=name, kind=FundKind.PROJECT, now=NOW
        )


def closed(database: Database, fund: organizations.Fund) -> None:
    with database.transaction() as session:
        organizations.close_fund(session, organization_id=fund.organization_id, fund_id=fund.id, now=NOW)


class Restricted(Returns):
    """Books whose one gift is for a fund."""

    def give(self, **said: Any) -> Any:
        self.fund = made(self.database, self.organization_id)
        return Desk.give(self, options=GiftOptions(fund_id=self.fund.id), **said)

    def in_fund(self) -> int:
        return self.balance(f"gifts/{self.fund.id}").minor_units


@pytest.fixture
def books(database: Database) -> Restricted:
    return Restricted(database)


def test_a_gift_for_a_fund_is_counted_on_the_funds_own_account(books: Restricted) -> None:
    assert books.in_fund() == 2500
    assert books.balances() == {"processor_balance": 2437, "processor_fees": 63}, (
        "nothing that is free to use"
    )


def test_a_refund_comes_out_of_the_fund(books: Restricted) -> None:
    books.refund("10.00")
    books.news("refund.created")
    assert books.in_fund() == 1500

    with pytest.raises(ledger.ReversalExceedsOriginal):
        books.refund("15.01")
    books.processor.fails = [payments.ProcessorRefused("no")]
    with pytest.raises(Exception, match="nothing is reserved any more"):
        books.refund("15.00")
    assert books.in_fund() == 1500
    assert "reserved" not in books.balances()


def test_a_refund_that_failed_is_in_the_fund_again(books: Restricted) -> None:
    books.processor.tell_refund(INTENT, "re_1", minor_units=2500)
    books.news("refund.created")
    assert books.in_fund() == 0

    books.processor.tell_refund(INTENT, "re_1", minor_units=2500, status="failed")
    books.news("refund.failed")
    assert books.in_fund() == 2500


def test_a_lost_dispute_comes_out_of_the_fund_and_goes_back_when_it_is_won_after_all(
    books: Restricted,
) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, (-2500, 1500), status="lost")
    books.news("charge.dispute.closed")
    assert books.in_fund() == 0

    books.processor.tell_dispute(INTENT, DISPUTE, (-2500, 1500), (2500, 0), status="won")
    books.news("charge.dispute.funds_reinstated")
    assert books.in_fund() == 2500


def test_a_refund_beyond_a_covered_gift_empties_its_fund_and_takes_the_rest_from_the_cover(
    database: Database,
) -> None:
    books = Restricted(database, covered=True)
    assert (books.in_fund(), books.balances()["fee_cover"]) == (2500 - COVER, COVER)
    books.processor.tell_refund(INTENT, "re_1", minor_units=2450)
    books.news("refund.created")
    assert (books.in_fund(), books.balances()["fee_cover"]) == (0, 50)

    books.processor.tell_refund(INTENT, "re_1", minor_units=2450, status="failed")
    books.news("refund.failed")
    assert (books.in_fund(), books.balances()["fee_cover"]) == (2500 - COVER, COVER)
    made_here = books.refund("24.50")
    assert books.balance(f"gifts/{books.fund.id}").available_minor_units == 0
    assert books.balance("fee_cover").available_minor_units == 50
    books.news("refund.updated", object_id=f"re_of_refund:{made_here.id}:create")
    books.processor.tell_dispute(INTENT, DISPUTE, (-50, 1500), status="lost")
    books.news("charge.dispute.closed")
    assert (books.in_fund(), books.balances().keys() & {"gifts", "fee_cover"}) == (0, set())


class RestrictedDebits(Debits, Restricted):
    """A gift to a fund that takes days to arrive."""


@pytest.mark.parametrize("pays", [True, False])
def test_a_delayed_gift_is_reserved_on_its_fund_and_arrives_there_or_is_released(
    database: Database,
    pays: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    debits = RestrictedDebits(database, covered=True)
    debits.stands("processing")
    debits.hear(PROCESSING)
    assert debits.reserved() == {f"gifts/{debits.fund.id}": 2500 - COVER, "fee_cover": COVER}
    assert debits.in_fund() == 0

    debits.stands("succeeded" if pays else "failed")
    assert debits.hear(SUCCEEDED if pays else FAILED) == webhooks.Outcome.APPLIED
    assert debits.reserved() == {}
    assert debits.in_fund() == (2500 - COVER if pays else 0)
    assert debits.balances().get("fee_cover", 0) == (COVER if pays else 0)


def test_a_fund_that_was_closed_meanwhile_still_gets_what_was_on_its_way(database: Database) -> None:
    books = Restricted(database, arrives=False)
    closed(database, books.fund)

    assert books.succeed() == webhooks.Outcome.APPLIED
    assert books.in_fund() == 2500


def test_the_public_log_names_the_fund_and_nobody(books: Restricted, databases: Databases) -> None:
    sequencer = databases.as_role("amply_sequencer")
    world = LedgerWorld(app=books.database, sequencer=sequencer)
    world.sequence()
    (gift,) = (entry for leaf in world.leaves() if (entry := decode(leaf)).kind == "donation.succeeded")
    sequencer.close()

    assert [transfer.credit for transfer in gift.transfers] == [
        f"{books.organization_id}/gifts/{books.fund.id}"
    ]
    assert gift.ref is None


# ---- over HTTP ---------------------------------------------------------------------------------------------------


def test_a_gift_says_what_it_is_for_and_the_organisation_what_it_can_be_for(
    api: Api,
    database: Database,
) -> None:
    fund = made(database, api.organization_id)
    old = made(database, api.organization_id, "Old roof")
    closed(database, old)

    created = api.give(fund_id=fund.id)
    assert created.status_code == 201, created.text
    assert api.client.get(f"/v1/donations/{created.json()['id']}").json()["fund_id"] == fund.id
    shown = api.client.get(f"/v1/public/organisations/{api.organization_id}/funds").json()["data"]
    assert shown == [
        {
            "id": fund.id,
            "name": "Wells",
            "kind": "project",
            "is_open": True,
            "account": f"{api.organization_id}/gifts/{fund.id}",
        },
        {**shown[1], "id": old.id, "is_open": False},
    ]


@pytest.mark.parametrize("which", ["unknown", "anothers", "closed"])
def test_a_gift_for_what_is_no_open_fund_of_the_organisation_is_refused(
    which: str,
    api: Api,
    database: Database,
) -> None:
    with database.transaction() as session:
        other = organizations.create(session, name="Other", slug="other", country="DE", now=NOW)
    chosen = {
        "unknown": "fund_" + "0" * 26,
        "anothers": made(database, other.id).id,
        "closed": (fund := made(database, api.organization_id)).id,
    }
    closed(database, fund)
    refused = api.give(fund_id=chosen[which])

    assert_problem(refused, status=422, code="fund_not_acceptable", param="fund_id")


# ---- by operators ------------------------------------------------------------------------------------------------


def test_staff_make_list_and_close_funds(database: Database, typed: Any) -> None:  # noqa: F811 -- the fixture
    organization_id = Desk(database).organization_id

    def run(*words: str) -> list[dict[str, object]]:
        done = typed("organization", *words, "--id", organization_id, user="amply_operator")
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.output.splitlines()]

    (first,) = run("fund", "create", "--name", " Clean   water ", "--kind", "campaign")
    assert run("fund", "create", "--name", "Clean water", "--kind", "campaign") == [first]
    assert (first["name"], first["kind"], first["closed_at"]) == ("Clean water", "campaign", None)
    (gone,) = run("fund", "close", "--fund", str(first["id"]))
    assert gone["closed_at"] is not None
    assert run("fund", "close", "--fund", str(first["id"])) == [gone], "it closes once"
    assert run("fund", "list") == [gone]
    assert run("anonymous-gifts", "--take") == [{"id": organization_id, "takes_anonymous_gifts": True}]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\u202eb"])
def test_an_unusable_name_is_refused(name: str, database: Database) -> None:
    organization_id = Desk(database).organization_id
    with pytest.raises(FundNotAcceptable, match=r"1 to 100 characters|U\+202E"):
        made(database, organization_id, name)


def test_a_name_of_another_kind_and_one_too_many_are_refused(database: Database) -> None:
    organization_id = Desk(database).organization_id
    made(database, organization_id)
    with pytest.raises(FundTaken, match="is a project"), database.transaction() as session:
        organizations.create_fund(
            session, organization_id=organization_id, name="Wells", kind=FundKind.FUND, now=NOW
        )
    for number in range(1, FUNDS_MAX):
        made(database, organization_id, f"Well {number}")
    with pytest.raises(FundTaken, match="200 funds at most"):
        made(database, organization_id, "Well 200")
    assert made(database, organization_id).name == "Wells", "what there is is found again"


def test_staff_say_where_donors_are_sent_back_to_and_everybody_may_read_it(
    database: Database,
    typed: Any,  # noqa: F811 -- the fixture
) -> None:
    organization_id = Desk(database).organization_id

    def run(command: str, origin: str) -> list[str]:
        done = typed(
            "organization",
            *("return-to", command, "--id", organization_id, "--origin", origin),
            user="amply_operator",
        )
        assert done.exit_code == 0, done.output
        allowed: list[str] = json.loads(done.output)["return_origins"]
        return allowed

    assert run("allow", "https://Charity.example/") == ["https://charity.example"]
    assert run("allow", "https://charity.example") == ["https://charity.example"], "once"
    assert run("allow", "https://shop.example") == ["https://charity.example", "https://shop.example"]
    assert run("forbid", "https://charity.example") == ["https://shop.example"]
    assert run("forbid", "https://charity.example") == ["https://shop.example"]
    with database.transaction() as session:
        assert organizations.get(session, organization_id=organization_id).return_origins == (
            "https://shop.example",
        )
        for number in range(9):
            organizations.allow_return(
                session, organization_id=organization_id, origin=f"https://s{number}.example"
            )
        with pytest.raises(TooManyReturnOrigins, match="10 of them at most"):
            organizations.allow_return(
                session, organization_id=organization_id, origin="https://one-more.example"
            )
