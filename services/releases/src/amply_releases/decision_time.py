"""The time of a release's decision, from its certificate in the ledger."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime

from amply_lake import Signer
from amply_lake.history import RELEASES
from amply_releases.certificates import certificate_of
from amply_releases.datasets import EVERYBODY


def first_decided_at(records: Iterable[bytes], sources: Collection[str], signer: Signer) -> datetime | None:
    """When the dataset's first own release was decided that has all batches of these files; None: there is none yet.

    Later ones, without whoever has withdrawn meanwhile, are of the same files.

    Raises:
        LedgerError: Its certificate is not of this key.
    """
    note: str | None = None
    for record in map(json.loads, records):
        if record["kind"] == "batch" and not set(sources).isdisjoint(record["sources"]):
            note = None
        elif record["kind"] in RELEASES and record["buyer"] == EVERYBODY:
            note = note or record["certificate"]
    return None if note is None else certificate_of(note, signer).issued_at
