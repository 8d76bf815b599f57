"""Local replacements of cloud resources, looked up for one run."""

import os
from collections.abc import Mapping

from local_cloud import database, stripe
from local_cloud.overrides import COLLECTOR, Laptop
from local_cloud.settings import Settings


def of(settings: Settings, environ: Mapping[str, str] = os.environ) -> Laptop:
    return Laptop(
        settings=settings,
        database_passwords=database.service_passwords(settings),
        processor=stripe.brought_account(environ),
        collector=environ.get(COLLECTOR, ""),
    )
