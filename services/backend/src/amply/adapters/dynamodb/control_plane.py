"""Amazon DynamoDB: the control plane's tables of what is sold, as the marketplace's functions read them (ADR 0136, 0143).

Attributes are named as `services/marketplace` reads them; `terms` and `version` of a contract are ours. Indexes hold keys alone and
are brought up to date a moment later, so that items are read by their keys, as they are now:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.infra.database import forbid_transaction
from amply.kernel.clock import iso
from amply.kernel.money import Money
from amply.modules.marketplace import (
    Contract,
    ContractMoved,
    Grant,
    Per,
    Period,
    RevenueLine,
    Terms,
    Used,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Any]

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_PAGES_MAX: Final = 10_000
_BY_CONTRACT: Final = "by-contract"
_ACTIVE: Final = "active"
_CLOSED: Final = "closed"


class _Table:
    """One table. Paged answers are read to their end."""

    def __init__(self, *, table: str) -> None:
        self._table = table
        self._client: DynamoDBClient = boto3.client("dynamodb", config=_LIMITS)

    def _get(self, key: Mapping[str, str]) -> Item | None:
        forbid_transaction(f"DynamoDB: get from {self._table}")
        answer = self._client.get_item(TableName=self._table, Key=_texts(key), ConsistentRead=True)
        return answer.get("Item")

    def _pages(self, ask: Any, **asked: Any) -> Iterator[Item]:
        forbid_transaction(f"DynamoDB: read {self._table}")
        for _ in range(_PAGES_MAX):
            answer = ask(TableName=self._table, **asked)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        raise RuntimeError(f"{self._table} has more pages than anybody reads at once")

    def _put(self, item: Item, *, condition: str, values: Item | None = None) -> bool:
        """Whether it was written; False where the condition does not hold."""
        forbid_transaction(f"DynamoDB: put into {self._table}")
        said: dict[str, Any] = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        if values:
            said["ExpressionAttributeValues"] = values
        return self._is_done(lambda: self._client.put_item(**said))

    @staticmethod
    def _is_done(write: Any) -> bool:
        try:
            write()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise
            return False
        return True


class DynamoContracts(_Table):
    """The buyers' contracts."""

    def get(self, contract_id: str) -> Contract | None:
        item = self._get({"contract_id": contract_id})
        return None if item is None else _contract(item)

    def all(self) -> Iterator[Contract]:
        """Without those that have no terms: what somebody wrote by hand before there was a price is not settled."""
        found = self._pages(self._client.scan, ConsistentRead=True)
        return (_contract(item) for item in found if "terms" in item)

    def put(self, contract: Contract, *, replaces: int | None) -> None:
        done = (
            self._put(_written_contract(contract), condition="attribute_not_exists(contract_id)")
            if replaces is None
            else self._put(
                _written_contract(contract),
                condition="version = :seen",
                values={":seen": _number(replaces)},
            )
        )
        if not done:
            raise ContractMoved(contract.contract_id)


class DynamoGrants(_Table):
    """What tokens may read."""

    def knows(self, token_digest: str) -> bool:
        return bool(self._of_token(token_digest))

    def give(self, grant: Grant) -> None:
        words = {
            "token_digest": grant.token_digest,
            "dataset_id": grant.dataset_id,
            "grant_id": grant.grant_id,
            "contract_id": grant.contract_id,
            "expires_at": iso(grant.expires_at),
        }
        if not self._put(_texts(words), condition="attribute_not_exists(token_digest)"):
            raise RuntimeError("a new token's digest is there already")

    def of(self, contract_id: str) -> list[Grant]:
        keys = self._pages(
            self._client.query,
            IndexName=_BY_CONTRACT,
            KeyConditionExpression="contract_id = :contract",
            ExpressionAttributeValues=_texts({":contract": contract_id}),
        )
        # Of a token that the index knows, all items are read, those too that it does not know yet.
        tokens = sorted({_text(key, "token_digest") for key in keys})
        found = [grant for token in tokens for grant in self._of_token(token)]
        return [grant for grant in found if grant.contract_id == contract_id]

    def revoke(self, grant: Grant, *, now: datetime) -> None:
        forbid_transaction("DynamoDB: revoke a grant")
        self._client.update_item(
            TableName=self._table,
            Key=_texts({"token_digest": grant.token_digest, "dataset_id": grant.dataset_id}),
            UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
            ConditionExpression="grant_id = :grant",
            ExpressionAttributeValues=_texts({":now": iso(now), ":grant": grant.grant_id}),
        )

    def _of_token(self, token_digest: str) -> list[Grant]:
        found = self._pages(
            self._client.query,
            KeyConditionExpression="token_digest = :token",
            ExpressionAttributeValues=_texts({":token": token_digest}),
            ConsistentRead=True,
        )
        return [_grant(item) for item in found]


class DynamoUsage(_Table):
    """What was given to buyers; written by the marketplace's functions alone."""

    def month(self, contract_id: str, period: Period) -> Used:
        month = f"{contract_id}#{period}"
        by_dataset: dict[str, int] = {}
        # The sum first: what is written meanwhile is then missing in it, and the two are told apart.
        total = self._get({"contract_month": month, "event": "total"})
        for item in self._pages(
            self._client.query,
            KeyConditionExpression="contract_month = :month AND begins_with(event, :event)",
            ExpressionAttributeValues=_texts({":month": month, ":event": "event#"}),
            ConsistentRead=True,
        ):
            name = _text(item, "dataset_id")
            by_dataset[name] = by_dataset.get(name, 0) + _whole(item, "bytes")
        return Used(by_dataset=by_dataset, total=0 if total is None else _whole(total, "bytes"))


class DynamoCatalogue(_Table):
    """The datasets, of which only the owner is asked here."""

    def owner(self, dataset_id: str) -> str | None:
        item = self._get({"dataset_id": dataset_id, "part": "dataset"})
        return None if item is None or "owner" not in item else _text(item, "owner")


class DynamoRevenue(_Table):
    """The shares, a line each; written once and never changed."""

    def put(self, line: RevenueLine) -> None:
        words = {
            "period": str(line.period),
            "transfer_id": line.transfer_id,
            "credited": line.credited,
            "currency": line.amount.currency,
            "contract_id": line.contract_id,
            "settlement_id": line.settlement_id,
            "at": iso(line.at),
            **({} if line.dataset_id is None else {"dataset_id": line.dataset_id}),
        }
        item = {**_texts(words), "amount_minor": _number(line.amount.minor_units)}
        self._put(item, condition="attribute_not_exists(transfer_id)")


def _contract(item: Item) -> Contract:
    return Contract(
        contract_id=_text(item, "contract_id"),
        buyer=_text(item, "buyer_id"),
        is_active=_text(item, "state") == _ACTIVE,
        starts_at=_moment(item, "starts_at"),
        ends_at=_moment(item, "ends_at"),
        bytes_a_month=_whole(item, "bytes_a_month"),
        version=_whole(item, "version"),
        terms=tuple(_terms(each["M"]) for each in item["terms"]["L"]),
    )


def _terms(item: Item) -> Terms:
    return Terms(
        since=Period.parse(_text(item, "since")),
        datasets=tuple(str(each["S"]) for each in item["datasets"]["L"]),
        price=Money(minor_units=_whole(item, "price_minor"), currency=_text(item, "currency")),
        per=Per(_text(item, "per")),
        seller_share_bp=_whole(item, "seller_share_bp"),
    )


def _written_contract(contract: Contract) -> Item:
    words = {
        "contract_id": contract.contract_id,
        "buyer_id": contract.buyer,
        "state": _ACTIVE if contract.is_active else _CLOSED,
        "starts_at": iso(contract.starts_at),
        "ends_at": iso(contract.ends_at),
    }
    return {
        **_texts(words),
        "bytes_a_month": _number(contract.bytes_a_month),
        "version": _number(contract.version),
        "terms": {"L": [{"M": _written_terms(terms)} for terms in contract.terms]},
    }


def _written_terms(terms: Terms) -> Item:
    words = {"since": str(terms.since), "currency": terms.price.currency, "per": terms.per.value}
    return {
        **_texts(words),
        "datasets": {"L": [{"S": name} for name in terms.datasets]},
        "price_minor": _number(terms.price.minor_units),
        "seller_share_bp": _number(terms.seller_share_bp),
    }


def _grant(item: Item) -> Grant:
    return Grant(
        token_digest=_text(item, "token_digest"),
        dataset_id=_text(item, "dataset_id"),
        grant_id=_text(item, "grant_id"),
        contract_id=_text(item, "contract_id"),
        expires_at=_moment(item, "expires_at"),
        revoked_at=_moment(item, "revoked_at") if "revoked_at" in item else None,
    )


def _texts(words: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in words.items()}


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _text(item: Item, name: str) -> str:
    return str(item[name]["S"])


def _whole(item: Item, name: str) -> int:
    return int(item[name]["N"])


def _moment(item: Item, name: str) -> datetime:
    return datetime.fromisoformat(_text(item, name)).astimezone(UTC)
