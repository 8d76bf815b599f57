"""A cache of a benchmark's own: on loopback, and gone afterwards."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import redis
from pydantic import SecretStr
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from amply.infra.settings import CacheSettings
from benchmarks.apparatus.postgresql import free_port
from local_cloud import valkey

_PASSWORD: Final = "benchmark-on-loopback"  # noqa: S105 -- a throw-away server on this machine


@contextmanager
def cache() -> Iterator[CacheSettings]:
    """Started, and answering; stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="amply-benchmark-cache-") as room:
        port = free_port()
        written = valkey.write_settings(Path(room) / "valkey.conf", port=port, password=_PASSWORD)
        with (Path(room) / "valkey.log").open("wb") as log:
            command = [str(valkey.binary("valkey-server")), str(written)]
            server = subprocess.Popen(command, cwd=room, stdout=log, stderr=log)
        settings = CacheSettings(host="127.0.0.1", port=port, tls=False, password=SecretStr(_PASSWORD))
        try:
            opened_cache(settings).ping()
            yield settings
        finally:
            server.terminate()
            server.wait(timeout=30)


def opened_cache(settings: CacheSettings) -> redis.Redis:
    """A client of it, which waits until it has started."""
    return redis.Redis(
        host=settings.host,
        port=settings.port,
        password=_PASSWORD,
        decode_responses=True,
        retry=Retry(ConstantBackoff(0.05), 400),
    )
