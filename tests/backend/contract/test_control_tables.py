"""The control plane's tables as the worker and commands write them: once, whole, and as it was seen."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from amply.adapters.dynamodb.control_plane import DynamoContracts, DynamoGrants, DynamoRevenue
from amply.kernel.money import Money
from amply.modules.marketplace import Contract, ContractMoved, Grant, Per, Period, RevenueLine, Terms
from tests.backend.contract.control_world import NOW, Control
from tests.backend.ledger_world import ORG

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_contract_is_read_back_as_it_was_written_and_replaced_only_as_it_was_seen(control: Control) -> None:
    contracts = DynamoContracts(table=control.tables["contracts"])
    price = Money(minor_units=1_999, currency="GBP")
    first = Terms(since=Period(2026, 11), datasets=("a", "b"), price=price, per=Per.GIB, seller_share_bp=1)
    written = Contract(
        contract_id="dct_" + "1" * 26,
        buyer="acme",
        is_active=True,
        starts_at=NOW,
        ends_at=NOW + timedelta(days=90),
        bytes_a_month=7,
        terms=(first, replace(first, since=Period(2026, 12), per=Per.MONTH)),
    )
    contracts.put(written, replaces=None)
    assert contracts.get(written.contract_id) == written
    with pytest.raises(ContractMoved):
        contracts.put(written, replaces=None)
    closed = replace(written, is_active=False, version=2)
    contracts.put(closed, replaces=1)
    with pytest.raises(ContractMoved):
        contracts.put(replace(written, version=2), replaces=1)
    unread = {"contract_id": "dct_" + "5" * 26, "terms": "[]", "state": "active"}
    control.market.put("contracts", **unread)
    with capture_logs() as logs:
        assert closed in list(contracts.all())
    assert [(line["event"], line["contract_id"]) for line in logs] == [
        ("data_contract_unreadable", unread["contract_id"])
    ]
    control.market.dynamodb.delete_item(
        TableName=control.tables["contracts"], Key={"contract_id": {"S": unread["contract_id"]}}
    )
    assert contracts.get("dct_" + "2" * 26) is None


def test_a_token_of_two_datasets_is_found_and_revoked_whole(control: Control) -> None:
    grants = DynamoGrants(table=control.tables["grants"])
    contract = "dct_" + "3" * 26
    grant = Grant(
        token_digest="d" * 64,
        dataset_id="a",
        grant_id="grt_" + "3" * 26,
        contract_id=contract,
        expires_at=NOW,
    )
    both = (grant, replace(grant, dataset_id="b"))
    assert grants.give(both)
    assert not grants.give((replace(grant, dataset_id="c"), grant)), "all of them or none"
    assert grants.of_token(grant.token_digest) == list(both)
    found = grants.of(contract)
    assert [(grant.dataset_id, grant.revoked_at) for grant in found] == [("a", None), ("b", None)]
    for grant in found:
        grants.revoke(grant, now=NOW)
        grants.revoke(grant, now=NOW + timedelta(days=1))
    assert [grant.revoked_at for grant in grants.of(contract)] == [NOW, NOW]


def test_a_share_is_written_once_and_stays(control: Control) -> None:
    revenue = DynamoRevenue(table=control.tables["revenue"])
    line = RevenueLine(
        period=Period(2026, 11),
        transfer_id="ent_1#0",
        credited=ORG,
        amount=Money(minor_units=-700, currency="EUR"),
        contract_id="dct_" + "4" * 26,
        settlement_id="dst_" + "4" * 26,
        dataset_id="gifts",
        at=NOW,
    )
    revenue.put(line)
    revenue.put(replace(line, amount=Money(minor_units=1, currency="EUR")))
    (item,) = control.items("revenue")
    assert (item["period"], item["transfer_id"], item["amount_minor"]) == ("2026-11", "ent_1#0", "-700")
