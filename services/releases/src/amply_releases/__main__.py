"""`python -m amply_releases`: the container's entry point."""

import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from amply_lake import Limits
from amply_releases.aws.buyers import DynamoBuyers
from amply_releases.aws.catalogue import GlueCatalogue
from amply_releases.aws.consents import DynamoConsents
from amply_releases.aws.datasets import DynamoDatasets
from amply_releases.aws.keys import DerivedSigner, MacKeys
from amply_releases.aws.objects import S3Curated, S3Raw
from amply_releases.aws.queue import SqsArrivals
from amply_releases.aws.release_ledger import S3Ledgers
from amply_releases.lines import CERTIFICATES_KEY, say
from amply_releases.ports import Parts
from amply_releases.running import Loop, show_life
from amply_releases.settings import Settings
from ledger_format.notes import VerifierKey


def parts_of(settings: Settings, scratch: Path, stopping: threading.Event) -> Parts:
    """Everything as it stands in the cloud. Whoever is told to stop waits for nothing."""
    return Parts(
        raw=S3Raw(bucket=settings.raw_bucket),
        datasets=DynamoDatasets(table=settings.datasets_table),
        consents=DynamoConsents(table=settings.consents_table),
        buyers=DynamoBuyers(contracts=settings.contracts_table, grants=settings.grants_table),
        curated=S3Curated(bucket=settings.curated_bucket, has_copies=settings.has_copies),
        catalogue=GlueCatalogue(database=settings.catalogue, bucket=settings.curated_bucket),
        ledgers=S3Ledgers(
            bucket=settings.ledger_bucket, scratch=scratch / "ledgers", has_copies=settings.has_copies
        ),
        keys=MacKeys(key_arn=settings.pseudonym_key_arn),
        signer=DerivedSigner(key_arn=settings.certificate_key_arn, name=settings.certificate_name),
        scratch=scratch,
        pause=stopping.wait,
        limits=Limits(spill=scratch / "spill", rows=100_000_000, source_bytes=2 << 30),
    )


def main() -> None:
    """Run until told to stop. Its folder is its own: what another process left there may be of another ledger."""
    settings, stopping = Settings.of(os.environ), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with TemporaryDirectory(prefix="amply-releases-") as scratch:
        parts = parts_of(settings, Path(scratch), stopping)
        loop = Loop(
            parts=parts,
            queue=SqsArrivals(url=settings.arrivals_url),
            clock=lambda: datetime.now(UTC),
            stopping=stopping,
        )
        show_life(loop, settings.heartbeat_path)
        signer = parts.signer
        say(CERTIFICATES_KEY, key=str(VerifierKey(signer.name, signer.public_key)))
        loop.run()


if __name__ == "__main__":
    main()
