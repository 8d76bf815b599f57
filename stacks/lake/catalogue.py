"""The catalogue in Glue: one database, and in it the list of releases. Tables of datasets come with their first release."""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3

from stacks.stack import AmplyStack

RELEASES = "releases"
_COLUMNS = (
    ("dataset_id", "string", "the dataset, as buyers name it"),
    ("revision", "bigint", "counts from 1"),
    ("released_at", "timestamp", "UTC"),
    ("policy_id", "string", "the policy it was anonymised by"),
    ("k", "int", "the smallest group of people who look alike"),
    ("rows_released", "bigint", "what buyers see"),
    ("rows_withheld", "bigint", "what was left out so that k holds"),
    ("sha256", "string", "of the release's certificate"),
)


def database_name(environment: str) -> str:
    """A name people write in questions; Glue's have no hyphens that Athena would take unquoted."""
    return f"amply_{environment.replace('-', '_')}"


def make_catalogue(stack: AmplyStack, curated: s3.Bucket) -> glue.CfnDatabase:
    """Parquet, not Iceberg: a revision is written once and whole (docs/adr/0135-the-lake-and-its-tags.md)."""
    database = glue.CfnDatabase(
        stack,
        "Catalogue",
        catalog_id=stack.account,
        database_input=glue.CfnDatabase.DatabaseInputProperty(
            name=database_name(stack.settings.name),
            description="What was released: one table a dataset, one partition a revision",
        ),
    )
    table = glue.CfnTable(
        stack,
        "Releases",
        catalog_id=stack.account,
        database_name=database_name(stack.settings.name),
        table_input=glue.CfnTable.TableInputProperty(
            name=RELEASES,
            description="One row a release, with what its certificate says",
            table_type="EXTERNAL_TABLE",
            parameters={"classification": "parquet"},
            storage_descriptor=_parquet(f"s3://{curated.bucket_name}/{RELEASES}/"),
        ),
    )
    table.add_resource_dependency(database)
    return database


def _parquet(location: str) -> glue.CfnTable.StorageDescriptorProperty:
    return glue.CfnTable.StorageDescriptorProperty(
        location=location,
        columns=[
            glue.CfnTable.ColumnProperty(name=name, type=kind, comment=meaning)
            for name, kind, meaning in _COLUMNS
        ],
        input_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        output_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        serde_info=glue.CfnTable.SerdeInfoProperty(
            serialization_library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
        ),
    )
