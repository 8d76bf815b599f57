"""The Glue catalogue: one database. The release process adds tables and partitions."""

from aws_cdk import aws_glue as glue

from stacks.stack import AmplyStack


def database_name(environment: str) -> str:
    """The database's name in queries, without hyphens, which Athena would require quoting for."""
    return f"amply_{environment.replace('-', '_')}"


def make_catalogue(stack: AmplyStack) -> glue.CfnDatabase:
    """Parquet, not Iceberg: a revision is written once and whole (docs/adr/0135-the-lake-and-its-tags.md)."""
    return glue.CfnDatabase(
        stack,
        "Catalogue",
        catalog_id=stack.account,
        database_input=glue.CfnDatabase.DatabaseInputProperty(
            name=database_name(stack.settings.name),
            description="What was released: one table a dataset, one partition a revision",
        ),
    )
