"""AWS Glue: one table for each dataset, `released_DATASET`, with one partition for each revision."""

from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from amply_releases.aws.calls import LIMITS, code

_FORMAT: Final = "org.apache.hadoop.hive.ql.io.parquet.MapredParquet"
_SERDE: Final = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


class GlueCatalogue:
    """The catalogue's database, whose files are in `bucket`."""

    def __init__(self, *, database: str, bucket: str) -> None:
        self._database, self._bucket = database, bucket
        self._client: Any = boto3.client("glue", config=LIMITS)  # its stubs are larger than all we use of it

    def add(self, dataset_id: str, columns: Mapping[str, str], *, revision: int, prefix: str) -> None:
        """A revision as a partition; adding it again is nothing."""
        table = f"released_{dataset_id}"
        self._have_table(table, columns, prefix.rpartition(f"{revision:06}/")[0])
        try:
            self._client.create_partition(
                DatabaseName=self._database,
                TableName=table,
                PartitionInput={
                    "Values": [str(revision)],
                    "StorageDescriptor": self._stored(columns, prefix),
                },
            )
        except ClientError as error:
            if code(error) != "AlreadyExistsException":
                raise

    def remove(self, dataset_id: str, revision: int) -> None:
        """Show a revision no more; its files lapse by themselves."""
        try:
            self._client.delete_partition(
                DatabaseName=self._database,
                TableName=f"released_{dataset_id}",
                PartitionValues=[str(revision)],
            )
        except ClientError as error:
            if code(error) != "EntityNotFoundException":
                raise

    def _have_table(self, table: str, columns: Mapping[str, str], prefix: str) -> None:
        """Make it; or say anew which columns there are, once those of a later policy are among them."""
        described = {
            "Name": table,
            "Description": "What was released of a dataset, a partition a revision",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"},
            "PartitionKeys": [{"Name": "revision", "Type": "int"}],
            "StorageDescriptor": self._stored(columns, prefix),
        }
        try:
            found = self._client.get_table(DatabaseName=self._database, Name=table)["Table"]
        except ClientError as error:
            if code(error) != "EntityNotFoundException":
                raise
            self._client.create_table(DatabaseName=self._database, TableInput=described)
            return
        there = {column["Name"] for column in found["StorageDescriptor"]["Columns"]}
        if there != set(columns):
            self._client.update_table(DatabaseName=self._database, TableInput=described)

    def _stored(self, columns: Mapping[str, str], prefix: str) -> Mapping[str, Any]:
        return {
            "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
            "Location": f"s3://{self._bucket}/{prefix}",
            "InputFormat": f"{_FORMAT}InputFormat",
            "OutputFormat": f"{_FORMAT}OutputFormat",
            "SerdeInfo": {"SerializationLibrary": _SERDE},
        }
