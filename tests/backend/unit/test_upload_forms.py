"""Forms that browsers upload by lead to the bucket's own host in its region, which the pages' policy names."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from amply.adapters.s3.uploads import S3Uploads


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_a_form_leads_to_the_buckets_host_in_its_region(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    offered = S3Uploads(bucket="amply-documents").offer(
        "images/1", media_type="image/png", bytes_max=5, lifetime=timedelta(minutes=5)
    )
    assert urlsplit(offered.url).hostname == f"amply-documents.s3.{region}.amazonaws.com"
