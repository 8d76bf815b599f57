"""Contracts, tokens and months in the emulated tables: what operators type, what buyers are answered, what the worker settles."""

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from amply.adapters.dynamodb.control_plane import (
    DynamoCatalogue,
    DynamoContracts,
    DynamoRevenue,
    DynamoUsage,
)
from amply.infra.database import Database
from amply.kernel.clock import system_clock
from amply.modules import audit, marketplace, organizations
from amply.modules.marketplace import (
    ContractUnreadable,
    Period,
)
from amply_marketplace.grants import digest
from tests.backend.conftest import Databases
from tests.backend.contract.control_world import NOW, Control, opened, opening, printed, refused, run
from tests.backend.ledger_world import ORG, LedgerWorld

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def began(control: Control, contract_id: str, period: Period, *, ends_at: datetime | None = None) -> None:
    """As if it had been opened then, until that end."""
    contracts = DynamoContracts(table=control.tables["contracts"])
    found = contracts.get(contract_id)
    assert found is not None
    (terms,) = found.terms
    earlier = replace(
        found,
        starts_at=period.starts_at,
        ends_at=ends_at or found.ends_at,
        terms=(replace(terms, since=period),),
        version=found.version + 1,
    )
    contracts.put(earlier, replaces=found.version)


@pytest.mark.usefixtures("operator")
def test_tokens_of_a_contract_that_cannot_be_read_are_revoked_by_command(control: Control) -> None:
    dataset = control.owned(ORG)
    contract = opened(dataset)["id"]
    given = printed("grant", "give", contract)
    token, grant = given["token"], given["grants"][0]["grant"]
    control.market.dynamodb.update_item(
        TableName=control.tables["contracts"],
        Key={"contract_id": {"S": contract}},
        UpdateExpression="SET terms = :terms",
        ExpressionAttributeValues={":terms": {"S": "[]"}},
    )
    for words in (("contract", "show"), ("contract", "close"), ("grant", "give")):
        assert "`data grant revoke`" in refused(*words, contract)
    with pytest.raises(ContractUnreadable):
        DynamoContracts(table=control.tables["contracts"]).get(contract)
    assert control.fetches(token, dataset) == 201
    assert printed("grant", "revoke", contract)["revoked"] == [grant]
    assert control.fetches(token, dataset) == 403
    control.market.dynamodb.delete_item(
        TableName=control.tables["contracts"], Key={"contract_id": {"S": contract}}
    )


def test_what_operators_type_decides_what_buyers_read_at_their_next_request(
    operator: Database, control: Control
) -> None:
    dataset = control.owned(ORG)
    contract = opened(dataset)["id"]
    given = printed("grant", "give", contract)
    assert len(given["token"]) == 43
    assert [grant["dataset"] for grant in given["grants"]] == [dataset]
    kept = json.dumps(control.items("grants"))
    assert given["token"] not in kept

    token = given["token"]
    assert control.fetches(token, dataset) == 201
    grant = given["grants"][0]["grant"]
    assert printed("grant", "revoke", contract, "--grant", grant) == {
        "contract": contract,
        "revoked": [grant],
    }
    assert control.fetches(token, dataset) == 403
    assert printed("grant", "list", contract)["revoked_at"] is not None

    token = secrets.token_urlsafe(32)
    own = ("grant", "give", contract, "--token-sha256", digest(token))
    first = printed(*own)
    assert first["token"] is None
    assert printed(*own) == first, "whoever was cut off repeats it"
    assert control.fetches(token, dataset) == 201
    assert printed("contract", "close", contract)["state"] == "closed"
    assert control.fetches(token, dataset) == 403

    with operator.transaction() as session:
        found = list(reversed(audit.search(session, audit.Search()).items))
    told = [(said["action"], said["outcome"]) for said in found if said["outcome"] != "refused"]
    done = [action for action, outcome in told if outcome == "done"]
    assert done == [
        *("data_contract.opened", "data_grant.given", "data_grant.revoked"),
        *("data_grant.given", "data_grant.given", "data_contract.closed"),
    ]
    ended = [said for said in found if said["outcome"] == "done"]
    assert [said["targets"] for said in ended][:3] == [[contract], [contract, grant], [grant, contract]]


@pytest.mark.usefixtures("operator")
def test_what_cannot_be_agreed_is_refused_in_a_sentence(control: Control) -> None:
    dataset = control.owned(ORG)
    contract = opened(dataset)["id"]
    assert contract in refused(*opening(dataset)), "killed after it had written, it is repeated"
    elsewhere = control.owned(ORG)
    assert "this month or later" in refused(*opening(elsewhere, since="2026-01-01"))
    for nothing in ("", ".", ".0"):
        assert "--price" in refused(*opening(elsewhere, price=nothing)), "an empty variable is no price"
    assert "no dataset nowhere" in refused("contract", "amend", contract, "--dataset", "nowhere")
    assert "basis points" in refused("contract", "amend", contract, "--share", "10001")
    assert "later than now" in refused("contract", "amend", contract, "--until", "2026-01-02")
    assert "covers" in refused("grant", "give", contract, "--dataset", "elsewhere")
    assert "no contract" in refused("contract", "show", "dct_" + "8" * 26)
    assert "no grant" in refused("grant", "revoke", contract, "--grant", "grt_" + "8" * 26)
    amended = printed("contract", "amend", contract, "--price", "0", "--per", "month", "--bytes-a-month", "5")
    assert (amended["bytes_a_month"], len(amended["terms"])) == (5, 2)
    assert amended["terms"][1]["since"] == str(Period.of(system_clock()).following)


@pytest.mark.usefixtures("operator")
def test_a_token_is_given_what_it_lacks_and_none_of_another_contract_or_that_was_revoked(
    control: Control,
) -> None:
    one, two = control.owned(ORG), control.owned(ORG)
    contract, other = opened(one, two)["id"], opened(two)["id"]
    own = ("--token-sha256", digest(secrets.token_urlsafe(32)))
    part = printed("grant", "give", contract, "--dataset", one, *own)["grants"]
    whole = printed("grant", "give", contract, *own)["grants"]
    assert [(each["dataset"], each["grant"]) for each in whole] == [
        (name, part[0]["grant"]) for name in (one, two)
    ]
    assert "new one" in refused("grant", "give", other, *own)
    printed("grant", "revoke", contract)
    assert "new one" in refused("grant", "give", contract, *own)


@pytest.mark.usefixtures("operator")
def test_a_dataset_leaves_no_contract_while_a_token_would_go_on_reading_it(control: Control) -> None:
    one, two = control.owned(ORG), control.owned(ORG)
    contract = opened(one, two)["id"]
    dropping = ("contract", "amend", contract, "--dataset", one)
    next_month = Period.of(system_clock()).following.starts_at
    printed("grant", "give", contract, "--dataset", one)
    printed("grant", "give", contract, "--dataset", two, "--until", f"{next_month:%Y-%m-%d}")
    assert printed(*dropping)["terms"][-1]["datasets"] == [one], "what ends by then stands in nobody's way"

    read = control.owned(ORG)
    contract = opened(one, read)["id"]
    grant = printed("grant", "give", contract, "--dataset", read)["grants"][0]["grant"]
    dropping = ("contract", "amend", contract, "--dataset", one)
    assert f"{grant} would still read {read}" in refused(*dropping)
    later = printed("contract", "amend", contract, "--until", f"{NOW.year + 3}-01-01")
    assert later["grants_that_end_earlier"] == [grant], "a longer contract makes no token longer"
    printed("grant", "revoke", contract)
    assert printed(*dropping)["grants_that_end_earlier"] == []


@pytest.mark.usefixtures("operator")
def test_a_token_is_given_no_dataset_beyond_the_month_in_which_it_leaves_the_contract(
    control: Control,
) -> None:
    one, two = control.owned(ORG), control.owned(ORG)
    contract = opened(one, two)["id"]
    printed("contract", "amend", contract, "--dataset", one)
    following = Period.of(system_clock()).following
    giving = ("grant", "give", contract)
    assert f"From {following} on the contract has no {two}" in refused(*giving)
    assert two in refused(*giving, "--dataset", two, "--until", f"{following.starts_at:%Y-%m}-02")
    until = printed(*giving, "--until", f"{following.starts_at:%Y-%m-%d}")["grants"]
    assert [each["dataset"] for each in until] == [one, two], "this month it is still the contract's"
    assert [each["dataset"] for each in printed(*giving, "--dataset", one)["grants"]] == [one]


@pytest.mark.usefixtures("operator")
def test_without_the_flag_nothing_is_sold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMPLY_LAKE_CONTRACTS_TABLE")
    assert "flag marketplace" in refused("contract", "list")


def test_operators_settle_reverse_and_note_money_by_command(
    control: Control, databases: Databases, books: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the worker's settings, of a month of which nothing was fetched."""
    databases.sign_commands_in(monkeypatch, user="amply_app")
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", "c" * 43)
    for name, table in control.tables.items():
        monkeypatch.setenv(f"AMPLY_LAKE_{name.upper()}_TABLE", table)
    with books.app.transaction() as session:
        river = organizations.create(session, name="River", slug="river", country="DE", now=NOW).id
    contract = opened(control.owned(river), per="month", price="500.00")["id"]
    began(control, contract, Period(2026, 1))

    first = printed("settle", contract, "2026-01")
    assert printed("settle", contract, "2026-01") == {**first, "created": False}
    assert "--reason together" in refused("settle", contract, "2026-02", "--owed", "1.00")
    assert "hour after" in refused("settle", contract, str(Period.of(system_clock())))
    noted = ("--currency", "EUR", "--reference", "E2E-1", "--on", "2026-02-14")
    assert printed("paid", contract, "--amount", "500.00", *noted)["open_minor"] == 0
    assert printed("pass-on", "--organization", river, "--amount", "50.00", *noted)["open_minor"] == 30_000
    assert "another amount" in refused("paid", contract, "--amount", "1.00", *noted)
    settlement = first["settlement"]
    assert printed("reverse", settlement, "--reason", "volume_disputed")["now"] is True
    assert "small letters" in refused("reverse", settlement, "--reason", "Because!")
    again = printed("settle", contract, "2026-01", "--owed", "0", "--reason", "volume_disputed")
    assert again["created"]
    assert "2026-02 of" in refused("sent-back", contract, "--amount", "500.00", *noted), "not settled"
    began(control, contract, Period(2026, 1), ends_at=Period(2026, 1).ends_at)
    assert "500.00 EUR in credit" in refused("sent-back", contract, "--amount", "500.01", *noted)
    flags = ("--is-new", "--also-of-another", "--in-books", "0.00")
    assert printed("sent-back", contract, "--amount", "500.00", *noted, *flags)["open_minor"] == 0
    shown = [
        json.loads(line) for line in run("settlements", "2026-01", "--contract", contract).output.splitlines()
    ]
    assert [(each["owed_minor"], each["reversal_reason"]) for each in shown] == [
        (50_000, "volume_disputed"),
        (0, None),
    ]
    with books.app.transaction() as session:
        found = audit.search(session, audit.Search()).items
    assert {said["action"] for said in found if said["outcome"] == "done"} == {
        *("data_contract.opened", "data.settled", "data_payment.noted", "data_payment.sent_back"),
        *("data_share.passed_on", "data_settlement.reversed"),
    }
    reasons = [said.get("reason") for said in found if said["action"] == "data_payment.sent_back"]
    assert reasons[0] == "is_new_and_also_of_another_and_in_books_0_00", "what was set aside"
    assert set(reasons[2:]) == {None}


@pytest.mark.usefixtures("operator")
def test_what_buyers_fetched_is_settled_from_the_tables(control: Control, books: LedgerWorld) -> None:
    with books.app.transaction() as session:
        river = organizations.create(session, name="River", slug="river", country="DE", now=NOW).id
    dataset = control.owned(river)
    contract = opened(dataset)["id"]
    token = printed("grant", "give", contract)["token"]
    for _ in range(3):
        assert control.fetches(token, dataset) == 201
    usage = DynamoUsage(table=control.tables["usage"])
    month = Period.of(system_clock())
    used = usage.month(contract, month)
    assert used.by_dataset == {dataset: used.total}
    assert used.total > 0

    settling = marketplace.SettlementDependencies(
        database=books.app,
        secrets=books.secrets,
        contracts=DynamoContracts(table=control.tables["contracts"]),
        usage=usage,
        catalogue=DynamoCatalogue(table=control.tables["datasets"]),
        revenue=DynamoRevenue(table=control.tables["revenue"]),
        people=lambda _session, _until: {},
    )
    found = settling.contracts.get(contract)
    assert found is not None
    over = month.ends_at + timedelta(hours=2)
    settled, created = marketplace.settle(settling, found, month, agreed=None, now=over)
    assert created
    with books.app.transaction() as session:
        (row,) = marketplace.settlements_of(session, period=month, contract_id=contract)
    assert row["owed_minor"] == 100_000_000 * used.total // (1 << 30) > 0
    assert marketplace.tell_revenue(settling, now=over) == 1
    told = [item for item in control.items("revenue") if item.get("settlement_id") == settled]
    assert sum(int(item["amount_minor"]) for item in told) == row["owed_minor"]
    assert {item["credited"] for item in told} == {"platform", river}
    assert datetime.fromisoformat(told[0]["at"]) == over.astimezone(UTC)
