"""How the anonymiser is told of the terminals' datasets: an item each in the control plane's table."""

from typing import Any

from botocore.exceptions import ClientError

from amply_terminals.datasets import Dataset


class SourceItems:
    """`dynamodb` is a client of botocore's."""

    def __init__(self, dynamodb: Any, *, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def name(self, dataset: Dataset) -> None:
        """An item of this version or a newer one stays as it is: somebody may have closed the dataset, or asked for a release."""
        item = dataset.source()
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(dataset_id) OR #version < :version",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":version": item["version"]},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
