"""Worker tasks of data sharing by donors."""

from collections.abc import Callable
from typing import Any

import structlog

from amply.adapters.dynamodb import DynamoConsents
from amply.adapters.s3.raw_files import S3RawFiles
from amply.entrypoints import task_names
from amply.infra.database import Database
from amply.infra.settings import LakeSettings
from amply.kernel.clock import Clock
from amply.modules import sharing

_log = structlog.get_logger()


def sharing_dependencies(database: Database, settings: LakeSettings) -> sharing.SharingDependencies | None:
    """Dependencies of data sharing; None where it is not enabled."""
    if not (settings.consent_table and settings.raw_bucket):
        return None
    return sharing.SharingDependencies(
        database=database,
        consents=DynamoConsents(table=settings.consent_table),
        files=S3RawFiles(bucket=settings.raw_bucket),
    )


def sharing_tasks(
    parts: sharing.SharingDependencies | None, clock: Clock
) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Tasks that publish consents and write facts. No-ops where data sharing is not enabled."""

    def tell_consents(**_: Any) -> None:
        told = 0 if parts is None else sharing.tell_consents(parts, now=clock())
        if told:
            _log.info("consents_told", count=told)

    def write_facts(**_: Any) -> None:
        written = 0 if parts is None else sharing.write_facts(parts, now=clock())
        if written:
            _log.info("facts_written", files=written)

    return ((task_names.TELL_CONSENTS, tell_consents), (task_names.WRITE_FACTS, write_facts))
