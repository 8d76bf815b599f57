"""Amazon DynamoDB: the marketplace's control-plane tables, which its Lambda functions read (ADR 0136, 0143).

Attributes are named as `services/marketplace` reads them; `terms` and `version` of a contract are ours. Indexes hold keys alone and
are brought up to date a moment later, so that items are read by their keys, as they are now:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.adapters.dynamodb.items import Item, is_refused, moment, moment_or_none, number, text, texts, whole
from amply.infra.database import forbid_transaction
from amply.kernel.clock import iso
from amply.kernel.errors import AmplyError
from amply.kernel.money import Money
from amply.modules.marketplace import (
    Contract,
    ContractMoved,
    ContractUnreadable,
    Grant,
    Per,
    Period,
    RevenueLine,
    Terms,
    Used,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_PAGES_MAX: Final = 10_000
_BY_CONTRACT: Final = "by-contract"
_ACTIVE: Final = "active"
_CLOSED: Final = "closed"
_NOT_AS_WRITTEN: Final = (KeyError, ValueError, TypeError, AmplyError)
"""Errors of reading a contract that no command wrote like this."""

_log = structlog.get_logger()


class _Table:
    """One table. Follows pagination to the end."""

    def __init__(self, *, table: str) -> None:
        self._table = table
        self._client: DynamoDBClient = boto3.client("dynamodb", config=_LIMITS)

    def _get(self, key: Mapping[str, str]) -> Item | None:
        forbid_transaction(f"DynamoDB: get from {self._table}")
        answer = self._client.get_item(TableName=self._table, Key=texts(key), ConsistentRead=True)
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
            if not is_refused(error):
                raise
            return False
        return True


class DynamoContracts(_Table):
    """Buyers' contracts."""

    def get(self, contract_id: str) -> Contract | None:
        item = self._get({"contract_id": contract_id})
        try:
            return None if item is None else _contract(item)
        except _NOT_AS_WRITTEN as error:
            raise ContractUnreadable(
                f"The row of {contract_id} is not as commands write it; put it right as docs/runbooks/data-revenue.md "
                "says. `data grant revoke` ends its tokens meanwhile."
            ) from error

    def all(self) -> Iterator[Contract]:
        """All contracts with terms. Ones without (written by hand before prices existed) are not settled.

        One that cannot be read is told of, and holds up no other.
        """
        for item in self._pages(self._client.scan, ConsistentRead=True):
            if "terms" not in item:
                continue
            try:
                contract = _contract(item)
            except _NOT_AS_WRITTEN as error:
                _log.error(
                    ContractUnreadable.code,
                    contract_id=text(item, "contract_id"),
                    reason=type(error).__name__,
                )
            else:
                yield contract

    def put(self, contract: Contract, *, replaces: int | None) -> None:
        done = (
            self._put(_written_contract(contract), condition="attribute_not_exists(contract_id)")
            if replaces is None
            else self._put(
                _written_contract(contract),
                condition="version = :seen",
                values={":seen": number(replaces)},
            )
        )
        if not done:
            raise ContractMoved(contract.contract_id)


class DynamoGrants(_Table):
    """Grants: which token may read which dataset."""

    def give(self, grants: Sequence[Grant]) -> bool:
        forbid_transaction("DynamoDB: give a token")
        puts: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": _written_grant(grant),
                    "ConditionExpression": "attribute_not_exists(token_digest)",
                }
            }
            for grant in grants
        ]
        return self._is_done(lambda: self._client.transact_write_items(TransactItems=puts))

    def of(self, contract_id: str) -> list[Grant]:
        keys = self._pages(
            self._client.query,
            IndexName=_BY_CONTRACT,
            KeyConditionExpression="contract_id = :contract",
            ExpressionAttributeValues=texts({":contract": contract_id}),
        )
        # Read all items of a token in the index, since the index is eventually consistent.
        tokens = sorted({text(key, "token_digest") for key in keys})
        found = [grant for token in tokens for grant in self.of_token(token)]
        return [grant for grant in found if grant.contract_id == contract_id]

    def revoke(self, grant: Grant, *, now: datetime) -> None:
        forbid_transaction("DynamoDB: revoke a grant")
        self._client.update_item(
            TableName=self._table,
            Key=texts({"token_digest": grant.token_digest, "dataset_id": grant.dataset_id}),
            UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
            ConditionExpression="grant_id = :grant",
            ExpressionAttributeValues=texts({":now": iso(now), ":grant": grant.grant_id}),
        )

    def of_token(self, token_digest: str) -> list[Grant]:
        found = self._pages(
            self._client.query,
            KeyConditionExpression="token_digest = :token",
            ExpressionAttributeValues=texts({":token": token_digest}),
            ConsistentRead=True,
        )
        return [_grant(item) for item in found]


class DynamoUsage(_Table):
    """Usage by buyers, which only the marketplace's functions write."""

    def month(self, contract_id: str, period: Period) -> Used:
        month = f"{contract_id}#{period}"
        by_dataset: dict[str, int] = {}
        # The sum first: concurrent writes are then missing in it, and the difference shows.
        total = self._get({"contract_month": month, "event": "total"})
        for item in self._pages(
            self._client.query,
            KeyConditionExpression="contract_month = :month AND begins_with(event, :event)",
            ExpressionAttributeValues=texts({":month": month, ":event": "event#"}),
            ConsistentRead=True,
        ):
            name = text(item, "dataset_id")
            by_dataset[name] = by_dataset.get(name, 0) + whole(item, "bytes")
        return Used(by_dataset=by_dataset, total=0 if total is None else whole(total, "bytes"))


class DynamoCatalogue(_Table):
    """Looks up the owners of datasets."""

    def owner(self, dataset_id: str) -> str | None:
        item = self._get({"dataset_id": dataset_id, "part": "dataset"})
        return None if item is None or "owner" not in item else text(item, "owner")


class DynamoRevenue(_Table):
    """Revenue shares, each written once and never changed."""

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
        item = {**texts(words), "amount_minor": number(line.amount.minor_units)}
        self._put(item, condition="attribute_not_exists(transfer_id)")


def _contract(item: Item) -> Contract:
    return Contract(
        contract_id=text(item, "contract_id"),
        buyer=text(item, "buyer_id"),
        is_active=text(item, "state") == _ACTIVE,
        starts_at=moment(item, "starts_at"),
        ends_at=moment(item, "ends_at"),
        bytes_a_month=whole(item, "bytes_a_month"),
        version=whole(item, "version"),
        terms=tuple(_terms(each["M"]) for each in item["terms"]["L"]),
    )


def _terms(item: Item) -> Terms:
    return Terms(
        since=Period.parse(text(item, "since")),
        datasets=tuple(str(each["S"]) for each in item["datasets"]["L"]),
        price=Money(minor_units=whole(item, "price_minor"), currency=text(item, "currency")),
        per=Per(text(item, "per")),
        seller_share_bp=whole(item, "seller_share_bp"),
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
        **texts(words),
        "bytes_a_month": number(contract.bytes_a_month),
        "version": number(contract.version),
        "terms": {"L": [{"M": _written_terms(terms)} for terms in contract.terms]},
    }


def _written_terms(terms: Terms) -> Item:
    words = {"since": str(terms.since), "currency": terms.price.currency, "per": terms.per.value}
    return {
        **texts(words),
        "datasets": {"L": [{"S": name} for name in terms.datasets]},
        "price_minor": number(terms.price.minor_units),
        "seller_share_bp": number(terms.seller_share_bp),
    }


def _grant(item: Item) -> Grant:
    return Grant(
        token_digest=text(item, "token_digest"),
        dataset_id=text(item, "dataset_id"),
        grant_id=text(item, "grant_id"),
        contract_id=text(item, "contract_id"),
        expires_at=moment(item, "expires_at"),
        revoked_at=moment_or_none(item, "revoked_at"),
    )


def _written_grant(grant: Grant) -> Item:
    return texts(
        {
            "token_digest": grant.token_digest,
            "dataset_id": grant.dataset_id,
            "grant_id": grant.grant_id,
            "contract_id": grant.contract_id,
            "expires_at": iso(grant.expires_at),
        }
    )
