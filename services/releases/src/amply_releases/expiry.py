"""Ends releases after their retention, whether or not new ones can be made."""

from datetime import datetime, timedelta

from amply_releases.datasets import Standing
from amply_releases.ports import Parts
from amply_releases.publishing import end_before


def end_old(parts: Parts, dataset_id: str, standing: Standing | None, *, now: datetime) -> None:
    """Serve no revision that is older than its dataset's policy says, as it was when it could last be read.

    Of a dataset that never could nothing was released.
    """
    if standing is None or standing.served_days is None:
        return
    since = now - timedelta(days=standing.served_days)
    first = parts.datasets.first_since(dataset_id, standing, since)
    end_before(parts, standing, dataset_id, first, now=now)
