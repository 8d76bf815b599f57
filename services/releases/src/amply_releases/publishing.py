"""How a release becomes visible: its files, then the catalogue, then the items that buyers are led by. Whoever sees it sees all of it.

Each step may be repeated, and nothing is taken from this process's own folder that the ledger could not make again.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from amply_lake import Release, ReleaseLedger
from amply_lake.history import History
from amply_lake.releasing import CERTIFICATE
from amply_releases.columns import catalogued, schema_of, together
from amply_releases.datasets import Source, Standing
from amply_releases.lines import RELEASED, say
from amply_releases.ports import Parts, ReleasedFile, Revision

PREFIX: Final = "released/"
"""Where buyers' links may lead (`stacks/lake/marketplace_api.py`)."""


def publish(
    parts: Parts, source: Source, standing: Standing, done: Release, ledger: ReleaseLedger, *, now: datetime
) -> None:
    """Publish a release unless it is published already. Earlier ones are served no more once people in them have withdrawn."""
    certificate = done.certificate
    if certificate.release <= standing.latest:
        return
    place = f"{PREFIX}{source.dataset_id}/{certificate.release:06}/"
    for part in certificate.parts:
        parts.curated.put(f"{place}{part.file}", done.folder / part.file)
    parts.curated.put(f"{place}{CERTIFICATE}", done.folder / CERTIFICATE)
    history = History.read(ledger, source.dataset_id)
    columns = together(source.policy, *(batch.released for batch in history.batches))
    parts.catalogue.add(source.dataset_id, catalogued(columns), revision=certificate.release, prefix=place)
    if is_withheld_for(ledger.records(), certificate.release):
        parts.datasets.take_back(source.dataset_id, before=certificate.release, now=now)
    parts.datasets.publish(
        source,
        Revision(
            number=certificate.release,
            released_at=certificate.issued_at,
            policy_id=certificate.parts[-1].policy,
            k=certificate.k,
            l=certificate.l,
            rows=certificate.rows,
            certificate=f"{place}{CERTIFICATE}",
            certificate_sha256=hashlib.sha256((done.folder / CERTIFICATE).read_bytes()).hexdigest(),
            schema=schema_of(columns),
            files=[
                ReleasedFile(f"{place}{part.file}", part.size, part.rows, part.sha256)
                for part in certificate.parts
            ],
        ),
    )
    say(
        RELEASED,
        dataset=source.dataset_id,
        release=certificate.release,
        rows=certificate.rows,
        k=certificate.k,
    )


def is_withheld_for(records: Iterable[bytes], number: int | None) -> bool:
    """Whether cells were withheld between the release before this one and this one; None: since the last one."""
    withheld = False
    for record in map(json.loads, records):
        if record["kind"] == "withheld":
            withheld = True
        elif record["kind"] == "release":
            if record["number"] == number:
                return withheld
            withheld = False
    return withheld
