"""What lies outside a ledger's processes: buckets and a key in an emulated cloud, and three witnesses."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from benchmarks.apparatus.postgresql import free_port
from ledger_format.checkpoints import open_checkpoint
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.notes import MAX_NOTE_BYTES
from ledger_format.policies import Policy
from ledger_format.tiles import MAX_BUNDLE_BYTES, TILE_WIDTH, bundle_path, decode_bundle
from tests.backend.contract.emulated_cloud import emulated_cloud
from tests.faults import cloud as clouds
from tests.faults import partners
from tests.faults.cloud import Cloud


@contextmanager
def three_witnesses(room: Path, cloud: Cloud) -> Iterator[Policy]:
    """Processes of their own; two of them must cosign."""
    ports = {name: free_port() for name in partners.WITNESSES}
    policy = partners.policy(room, ports)
    with httpx2.Client(timeout=30, trust_env=False) as http, ExitStack() as stack:
        for name, port in ports.items():
            witness = partners.witness(room, name, port=port, log_key=cloud.verifier_key(), http=http)
            stack.callback(witness.kill)
            witness.start()
        yield policy


@contextmanager
def cloud_of_its_own(room: Path) -> Iterator[Cloud]:
    """Buckets and a signing key, in memory."""
    (room / "cloud").mkdir()
    with (
        emulated_cloud(port=free_port(), directory=room / "cloud") as url,
        httpx2.Client(timeout=30, trust_env=False) as http,
        clouds.furnished(url, http) as cloud,
    ):
        yield cloud


def published_entries(cloud: Cloud) -> list[bytes]:
    """The entries of the public bundles, which give the signed root."""
    note = cloud.get(f"{clouds.LOG_ADDRESS}/checkpoint", limit=MAX_NOTE_BYTES).decode()
    checkpoint = open_checkpoint(note, [cloud.verifier_key()]).checkpoint
    raws: list[bytes] = []
    while len(raws) < checkpoint.size:
        index, width = len(raws) // TILE_WIDTH, min(TILE_WIDTH, checkpoint.size - len(raws))
        path = bundle_path(index, width)
        raws += decode_bundle(cloud.get(f"{clouds.LOG_ADDRESS}/{path}", limit=MAX_BUNDLE_BYTES))
    if root_of([leaf_hash(raw) for raw in raws]) != checkpoint.root:
        raise SystemExit("the published entries do not give the signed root")
    return raws
