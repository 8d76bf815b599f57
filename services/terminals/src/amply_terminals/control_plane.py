"""Registers the terminals' datasets in the control plane's table."""

from typing import Any, Final

from botocore.exceptions import ClientError

from amply_terminals.datasets import Dataset

_FIRST: Final = {"state": "if_not_exists(#state, :state)"}
"""What is said once, and then for people to change."""


class SourceItems:
    """`dynamodb` is a client of botocore's."""

    def __init__(self, dynamodb: Any, *, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def name(self, dataset: Dataset) -> None:
        """An item of this version or a newer one stays as it is. What others say in it stays in any case: whether it is open, and
        that a release is asked for.
        """
        said = dict(dataset.source())
        key = {name: said.pop(name) for name in ("dataset_id", "part")}
        sets = [f"#{name} = {_FIRST.get(name, ':' + name)}" for name in said]
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=f"SET {', '.join(sets)}",
                ConditionExpression="attribute_not_exists(#version) OR #version < :version",
                ExpressionAttributeNames={f"#{name}": name for name in said},
                ExpressionAttributeValues={f":{name}": value for name, value in said.items()},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
