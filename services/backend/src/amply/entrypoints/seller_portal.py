"""Builds the seller portal's dependencies from this process's settings."""

from amply.adapters.dynamodb.sold_data import DynamoSoldTables
from amply.adapters.s3.certificates import S3Certificates
from amply.infra.settings import SoldDataSettings
from amply.modules import seller_portal


def seller_portal_dependencies(settings: SoldDataSettings) -> seller_portal.Dependencies | None:
    """Dependencies of the seller portal; None where it is not enabled."""
    if not all(
        (settings.datasets_table, settings.usage_table, settings.revenue_table, settings.curated_bucket)
    ):
        return None
    return seller_portal.Dependencies(
        tables=DynamoSoldTables(
            datasets=settings.datasets_table, usage=settings.usage_table, revenue=settings.revenue_table
        ),
        certificates=S3Certificates(bucket=settings.curated_bucket),
    )
