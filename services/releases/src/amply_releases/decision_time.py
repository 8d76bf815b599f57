"""When a release was decided, as its certificate in the ledger says."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime

from amply_lake import LedgerError, Signer
from amply_lake.history import RELEASES
from amply_releases.datasets import EVERYBODY
from ledger_format.certificates import open_certificate
from ledger_format.errors import FormatError
from ledger_format.notes import VerifierKey


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
    if note is None:
        return None
    try:
        key = VerifierKey(signer.name, signer.public_key)
        return open_certificate(note.encode(), [key]).certificate.issued_at
    except FormatError as error:
        raise LedgerError(
            f"a certificate of the release ledger is not of the key {signer.name}; restore that key, or the ledger from its versions"
        ) from error
