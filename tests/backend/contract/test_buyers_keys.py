"""Keys of buyers in an emulated gateway: made once a contract, found by its name, ended with it; their value is said once."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from amply.adapters.apigateway import GatewayKeys
from amply.adapters.dynamodb.control_plane import DynamoCatalogue, DynamoContracts, DynamoGrants
from amply.infra.database import Database
from amply.kernel.clock import system_clock
from amply.modules import audit, marketplace
from tests.backend.contract.control_world import Control, opened, printed, refused, run
from tests.backend.ledger_world import ORG

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def selling(control: Control) -> marketplace.ContractStores:
    return marketplace.ContractStores(
        contracts=DynamoContracts(table=control.tables["contracts"]),
        grants=DynamoGrants(table=control.tables["grants"]),
        catalogue=DynamoCatalogue(table=control.tables["datasets"]),
    )


class Gateway:
    """The account's keys, and the plan of this test."""

    def __init__(self, cloud: str) -> None:
        self.client: Any = boto3.client("apigateway", endpoint_url=cloud)
        self.plan: str = self.client.create_usage_plan(name="Buyers")["id"]

    def values(self, name: str) -> list[str]:
        found = self.client.get_api_keys(nameQuery=name, includeValues=True)["items"]
        return [key["value"] for key in found]

    def in_plan(self) -> list[str]:
        return [key["name"] for key in self.client.get_usage_plan_keys(usagePlanId=self.plan)["items"]]


@pytest.fixture
def gateway(cloud: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    made = Gateway(cloud)
    monkeypatch.setenv("AMPLY_LAKE_USAGE_PLAN", made.plan)
    yield made
    made.client.delete_usage_plan(usagePlanId=made.plan)


def test_a_contract_has_one_key_whose_value_is_said_once_and_which_ends_with_it(
    control: Control, gateway: Gateway, operator: Database
) -> None:
    first, other = (opened(control.owned(ORG))["id"] for _ in range(2))
    made = printed("key", "make", first)
    assert gateway.values(first) == [made["value"]]
    assert printed("key", "make", first) == {"contract": first, "key": made["key"], "value": None}
    assert printed("key", "make", other)["key"] != made["key"]
    assert sorted(gateway.in_plan()) == sorted([first, other])
    for table in control.tables:
        assert made["value"] not in json.dumps(control.items(table))

    assert printed("key", "end", first)["ended"] == [made["key"]]
    assert printed("key", "end", first)["ended"] == []
    again = printed("key", "make", first)
    assert again["value"] not in (None, made["value"])
    assert printed("contract", "close", first)["keys_ended"] == [again["key"]]
    assert printed("contract", "close", first)["keys_ended"] == []
    assert (gateway.values(first), gateway.in_plan()) == ([], [other])
    assert "has ended" in refused("key", "make", first)

    with operator.transaction() as session:
        found = audit.search(session, audit.Search()).items
    done = [said for said in found if said["outcome"] == "done" and said["action"].startswith("data_key.")]
    assert [(said["action"], said["targets"]) for said in reversed(done)] == [
        *(("data_key.made", [first]), ("data_key.made", [first]), ("data_key.made", [other])),
        *(("data_key.ended", [first]), ("data_key.ended", [first]), ("data_key.made", [first])),
        ("data_key.ended", [first]),
    ], "the second closing found none"
    assert made["value"] not in json.dumps(found)


@pytest.mark.usefixtures("operator")
def test_a_key_that_cannot_be_put_into_the_plan_is_taken_away_again(control: Control) -> None:
    contract = opened(control.owned(ORG))["id"]
    keys, made = GatewayKeys(plan="none"), []
    keys._client.meta.events.register(
        "after-call.api-gateway.CreateApiKey", lambda parsed, **_: made.append(parsed["id"])
    )
    with pytest.raises(ClientError):
        keys.make(contract)
    assert len(made) == 1
    assert boto3.client("apigateway").get_api_keys(nameQuery=contract)["items"] == []


@pytest.mark.usefixtures("operator")
def test_a_key_that_was_deleted_by_hand_is_ended_all_the_same(control: Control, gateway: Gateway) -> None:
    contract = opened(control.owned(ORG))["id"]
    key = printed("key", "make", contract)["key"]
    gateway.client.delete_api_key(apiKey=key)
    GatewayKeys(plan=gateway.plan).end(key)
    assert gateway.in_plan() == []


def test_a_contract_is_closed_and_recorded_so_where_the_gateway_does_not_answer(
    control: Control, gateway: Gateway, operator: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = opened(control.owned(ORG))["id"]
    key = printed("key", "make", contract)["key"]
    with monkeypatch.context() as away:
        away.setenv("AMPLY_LAKE_USAGE_PLAN", "none")
        done = run("contract", "close", contract)
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert (said["id"], said["state"], said["keys_ended"]) == (contract, "closed", None)
    assert "repeat this" in done.stderr
    with operator.transaction() as session:
        found = audit.search(session, audit.Search()).items[:4]
    assert [(each["action"], each["outcome"], each["targets"]) for each in reversed(found)] == [
        ("data_contract.closed", "begun", [contract]),
        ("data_contract.closed", "done", [contract]),
        ("data_key.ended", "begun", [contract]),
        ("data_key.ended", "failed", [contract]),
    ]
    assert printed("contract", "close", contract)["keys_ended"] == [key]
    assert gateway.in_plan() == []


@pytest.mark.usefixtures("operator")
def test_of_two_who_make_a_key_at_once_neither_ends_the_others(control: Control, gateway: Gateway) -> None:
    contract = opened(control.owned(ORG))["id"]
    other: list[str] = []

    class Slow(GatewayKeys):
        def make(self, contract_id: str) -> marketplace.MadeKey:
            """Somebody else was faster, after both had looked."""
            other.append(GatewayKeys(plan=gateway.plan).make(contract_id).id)
            return super().make(contract_id)

    with pytest.raises(marketplace.ContractChanged, match="repeat"):
        marketplace.make_key(selling(control), Slow(plan=gateway.plan), contract, now=system_clock())
    assert list(GatewayKeys(plan=gateway.plan).of(contract)) == other
    assert printed("key", "make", contract) == {"contract": contract, "key": other[0], "value": None}


@pytest.mark.usefixtures("operator")
def test_a_contract_that_is_closed_while_its_key_is_made_has_none(control: Control, gateway: Gateway) -> None:
    contract = opened(control.owned(ORG))["id"]

    class Slow(GatewayKeys):
        def make(self, contract_id: str) -> marketplace.MadeKey:
            """Somebody closes the contract first, and finds no key to end."""
            assert printed("contract", "close", contract_id)["keys_ended"] == []
            return super().make(contract_id)

    with pytest.raises(marketplace.ContractClosed, match="has ended"):
        marketplace.make_key(selling(control), Slow(plan=gateway.plan), contract, now=system_clock())
    assert (gateway.values(contract), gateway.in_plan()) == ([], [])


@pytest.mark.usefixtures("operator")
def test_a_key_that_is_nobodys_and_cannot_be_taken_away_is_told_of_with_what_to_do(
    control: Control, gateway: Gateway
) -> None:
    """It counts as the contract's, and the next one who makes one is told no value."""
    contract = opened(control.owned(ORG))["id"]

    class Away(GatewayKeys):
        def make(self, contract_id: str) -> marketplace.MadeKey:
            GatewayKeys(plan=gateway.plan).make(contract_id)
            return super().make(contract_id)

        def end(self, key_id: str) -> None:
            raise EndpointConnectionError(endpoint_url="https://gateway.example")

    with pytest.raises(
        marketplace.KeyNotEnded, match=f"Somebody else .*repeat `data key end {contract}`"
    ) as told:
        marketplace.make_key(selling(control), Away(plan=gateway.plan), contract, now=system_clock())
    assert isinstance(told.value.__cause__, EndpointConnectionError)
    assert len(printed("key", "end", contract)["ended"]) == 2
    assert printed("key", "make", contract)["value"] is not None


@pytest.mark.usefixtures("operator")
def test_where_the_task_is_told_of_no_plan_contracts_are_closed_and_no_key_is_made(control: Control) -> None:
    contract = opened(control.owned(ORG))["id"]
    assert "deploy marketplace" in refused("key", "make", contract)
    assert printed("contract", "close", contract)["keys_ended"] == []
    assert isinstance(run("key", "end", "no contract").exception, marketplace.DataSalesNotOffered)
