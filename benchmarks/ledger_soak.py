"""What of the ledger survives a minute of killing, and how soon a receipt is there.

32 writers (a process and a connection each) post gifts at a steady rate, while writers, the sequencer and the publisher
are killed at random with SIGKILL and started again at once: the real processes, on a real PostgreSQL with fsync on, with
the emulated cloud for KMS and S3 and three witnesses of whom two must cosign. A killed writer's successor first posts again what its predecessor was not told the
end of, as a redelivered event would.

- `missing`: entries that a writer was told are committed, and that are not in the published log.
- `out_of_order`: places that do not follow the order of transactions and, within one, of posting; gaps; broken chains.
- `receipt_ready_p50_seconds`, `…_p99_…`: from the acknowledgement of an entry until its receipt can be had.
- `ratio`: how much of the rate that was asked for was acknowledged, kills included.

`--no-kills` measures the load alone. `--seconds N` (60), `--rate N` entries a second in all (320; 0: as fast as they
can), `--seed N`; `--quick` only shows that it runs.
"""

import json
import os
import random
import sys
import tempfile
import time
from bisect import bisect_right
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import click
import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply.infra.database import connect
from amply.infra.settings import DatabaseSettings
from amply.kernel.ids import new_id
from amply.kernel.money import Money
from amply.modules import ledger
from benchmarks.apparatus.order_of_places import count_out_of_order
from benchmarks.apparatus.outside import cloud_of_its_own, published_entries, three_witnesses
from benchmarks.apparatus.postgresql import PASSWORD, Server, server
from ledger_format.entries import decode
from ledger_format.merkle import leaf_hash
from ledger_format.policies import Policy
from ledger_format.receipts import decode_receipt, verify_receipt
from tests.faults import cloud as clouds
from tests.faults.cloud import Cloud
from tests.faults.process import Process

WRITERS: Final = 32
ORGANIZATIONS: Final = 20
KILL_EVERY_SECONDS: Final = (0.4, 1.6)
LOOK_SECONDS: Final = 0.05
DRAIN_SECONDS_MAX: Final = 120.0
RECEIPTS_VERIFIED: Final = 200
_KILLED: Final = ("writer", "writer", "writer", "sequencer", "publisher")
_FORK: Final = get_context("fork")


@dataclass(frozen=True, kw_only=True)
class Writing:
    """One writer's task, which its successors go on with. `pause` is seconds between entries."""

    number: int
    settings: DatabaseSettings
    diary: Path
    until: float
    pause: float


@dataclass(frozen=True)
class Acknowledged:
    """An entry that a writer was told is committed, and when (seconds of the wall clock)."""

    key: str
    entry_id: str
    at: float


def gift(key: str, number: int) -> ledger.NewEntry:
    organization_id = f"org_{number % ORGANIZATIONS:026d}"
    return ledger.NewEntry(
        kind="donation.succeeded",
        organization_id=organization_id,
        idempotency_key=key,
        transfers=ledger.donation_succeeded(
            organization_id=organization_id, amount=Money(minor_units=2_500, currency="EUR")
        ),
        event_at=datetime.now(UTC),
        reference=None,
        personal={"reference": f"stripe:payment_intent:{key}"},
    )


def write(task: Writing) -> None:
    """Post until the time is over. The diary is written before and after each transaction, a line with one call."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    database = connect(task.settings, application="soak", pool_size=1)
    vault = ledger.CommitmentSecrets(key=bytes(32))
    diary = os.open(task.diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    pending = unfinished(task.diary)
    due = time.time()
    while pending or time.time() < task.until:
        key = pending or new_id("key")
        if not pending:
            os.write(diary, f"begins {key}\n".encode())
        pending = key
        try:
            with database.transaction() as session:
                posted = ledger.post(
                    session, entry=gift(key, task.number), now=datetime.now(UTC), secrets=vault
                )
        except DBAPIError:
            continue
        os.write(diary, f"done {key} {posted.id} {time.time():.3f}\n".encode())
        pending = ""
        due += task.pause
        time.sleep(max(0.0, due - time.time()))
    database.close()


def unfinished(diary: Path) -> str:
    """The key that a predecessor began with and was not told the end of."""
    lines = diary.read_text().splitlines() if diary.exists() else []
    words = lines[-1].split() if lines else [""]
    return words[1] if words[0] == "begins" else ""


def acknowledged(diaries: list[Path]) -> list[Acknowledged]:
    """All that writers were told."""
    lines = [line.split() for diary in diaries if diary.exists() for line in diary.read_text().splitlines()]
    return [Acknowledged(words[1], words[2], float(words[3])) for words in lines if words[0] == "done"]


@dataclass(kw_only=True)
class Soak:
    """All that runs: who may be killed, and what was seen of the public log meanwhile."""

    pg: Server
    cloud: Cloud
    policy: Policy
    room: Path
    chance: random.Random
    rate: float
    with_kills: bool
    until: float = 0.0
    writers: list[BaseProcess] = field(default_factory=list)
    services: dict[str, Process] = field(default_factory=dict)
    kills: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("writer", "sequencer", "publisher"), 0)
    )
    seen: list[tuple[float, int]] = field(default_factory=list)
    """When (seconds of the wall clock) how many entries were first seen to be published."""

    def run(self, seconds: float) -> None:
        """Write and kill for so long; then let everything come to its end."""
        with psycopg.connect(self.pg.master_url, autocommit=True) as eye:
            self._start_services()
            self.until = time.time() + seconds
            self.writers = [self._writer(number) for number in range(WRITERS)]
            next_kill = time.time() + self.chance.uniform(*KILL_EVERY_SECONDS)
            while time.time() < self.until:
                self._look(eye)
                if self.with_kills and time.time() > next_kill:
                    self._kill_one()
                    next_kill = time.time() + self.chance.uniform(*KILL_EVERY_SECONDS)
                time.sleep(LOOK_SECONDS)
            self._drain(eye)

    @property
    def diaries(self) -> list[Path]:
        return [self._diary(number) for number in range(WRITERS)]

    def stop(self) -> None:
        """Nothing is left."""
        for writer in self.writers:
            writer.kill()
            writer.join()
        for service in self.services.values():
            service.kill()

    def _kill_one(self) -> None:
        kind = self.chance.choice(_KILLED)
        self.kills[kind] += 1
        if kind != "writer":
            self.services[kind].kill()
            self.services[kind].launch()
            return
        number = self.chance.randrange(WRITERS)
        self.writers[number].kill()
        self.writers[number].join()
        self.writers[number] = self._writer(number)

    def _look(self, eye: psycopg.Connection) -> int:
        """How many entries are published."""
        row = eye.execute(
            "SELECT coalesce(max(size), 0) FROM checkpoint WHERE published_at IS NOT NULL"
        ).fetchone()
        size = row[0] if row else 0
        if not self.seen or self.seen[-1][1] != size:
            self.seen.append((time.time(), size))
        return size

    def _drain(self, eye: psycopg.Connection) -> None:
        for writer in self.writers:
            writer.join()
        give_up = time.monotonic() + DRAIN_SECONDS_MAX
        while self._look(eye) < self.pg.count("SELECT count(*) FROM entry"):
            if time.monotonic() > give_up:
                raise SystemExit("\n".join(service.log_tail() for service in self.services.values()))
            time.sleep(LOOK_SECONDS)

    def _writer(self, number: int) -> BaseProcess:
        task = Writing(
            number=number,
            settings=self.pg.settings("amply_app"),
            diary=self._diary(number),
            until=self.until,
            pause=WRITERS / self.rate if self.rate else 0.0,
        )
        process = _FORK.Process(target=write, args=(task,))
        process.start()
        return process

    def _diary(self, number: int) -> Path:
        return self.room / f"writer-{number}"

    def _start_services(self) -> None:
        for name in ("sequencer", "publisher"):
            heartbeat = self.room / f"{name}.heartbeat"
            self.services[name] = Process(
                name=name,
                command=(sys.executable, "-m", f"amply.entrypoints.{name}"),
                environment=self._environment(name, heartbeat),
                log=self.room / f"{name}.log",
                prepare=lambda heartbeat=heartbeat: heartbeat.unlink(missing_ok=True),  # type: ignore[misc] # mypy gives a lambda's default no type
                is_ready=heartbeat.exists,
            )
            self.services[name].launch()
        for service in self.services.values():
            service.wait_until_ready()

    def _environment(self, name: str, heartbeat: Path) -> dict[str, str]:
        return {
            **os.environ,
            **self.cloud.values,
            **clouds.access(self.cloud.url),
            "AWS_DEFAULT_REGION": clouds.REGION,
            "AMPLY_SERVICE": name,
            "AMPLY_ENVIRONMENT": "local",
            "AMPLY_LIVEMODE": "false",
            "AMPLY_WITNESS_POLICY": self.policy.text(),
            "AMPLY_HEARTBEAT_PATH": str(heartbeat),
            "AMPLY_DATABASE_HOST": "127.0.0.1",
            "AMPLY_DATABASE_PORT": str(self.pg.port),
            "AMPLY_DATABASE_NAME": "postgres",
            "AMPLY_DATABASE_USER": "amply_sequencer",
            "AMPLY_DATABASE_AUTH": "password",
            "AMPLY_DATABASE_TLS": "disable",
            "AMPLY_DATABASE_PASSWORD": PASSWORD,
        }


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the published log says, in its order."""

    ids: list[str]
    out_of_order: int
    receipts: int


def examine(soak: Soak) -> Found:
    """Read the log from the public bucket alone, and hold it against its checkpoint and the order of transactions."""
    raws = published_entries(soak.cloud)
    entries = [decode(raw) for raw in raws]
    wrong, last = 0, dict[str, tuple[int, bytes | None]]()
    for entry, raw in zip(entries, raws, strict=True):
        sequence, previous = last.get(entry.org, (-1, None))
        wrong += (entry.org_seq, entry.org_prev) != (sequence + 1, previous)
        last[entry.org] = (entry.org_seq, leaf_hash(raw))
    order = count_out_of_order(soak.pg)
    ids = [entry.id for entry in entries]
    return Found(ids=ids, out_of_order=wrong + order, receipts=verified_receipts(soak, ids))


def verified_receipts(soak: Soak, ids: list[str]) -> int:
    """Receipts of some entries, verified with nothing but the log's key; how many."""
    database = connect(soak.pg.settings("amply_app"), application="soak", pool_size=1)
    sample = soak.chance.sample(ids, min(RECEIPTS_VERIFIED, len(ids)))
    for entry_id in sample:
        with database.transaction() as session:
            receipt = ledger.receipt(
                session, entry_id=entry_id, secrets=ledger.CommitmentSecrets(key=bytes(32))
            )
        verify_receipt(
            decode_receipt((receipt or "").encode()), [soak.cloud.verifier_key()], policy=soak.policy
        )
    database.close()
    return len(sample)


def waits(told: list[Acknowledged], ids: list[str], seen: list[tuple[float, int]]) -> list[float]:
    """Seconds from each acknowledgement until the entry was seen to be published, sorted."""
    places = {entry_id: idx for idx, entry_id in enumerate(ids)}
    sizes = [size for _, size in seen]
    return sorted(
        max(0.0, seen[bisect_right(sizes, places[one.entry_id])][0] - one.at)
        for one in told
        if one.entry_id in places
    )


def report(soak: Soak, *, seconds: float) -> bool:
    """Print what was found, and the last line for machines; whether nothing is missing and nothing out of order."""
    told, found = acknowledged(soak.diaries), examine(soak)
    ready = waits(told, found.ids, soak.seen)
    p50, p99 = (ready[int(share * (len(ready) - 1))] for share in (0.5, 0.99))
    missing = len({one.entry_id for one in told} - set(found.ids)) + len(found.ids) - len(set(found.ids))
    rate = len(told) / seconds
    print(
        f"{len(told):,} entries acknowledged in {seconds:.0f} s ({rate:,.0f} a second), kills: {soak.kills}."
    )
    print(f"{len(found.ids):,} published: {missing} missing or double, {found.out_of_order} out of order.")
    print(f"Receipt ready after p50 {p50:.1f} s, p99 {p99:.1f} s, at most {ready[-1]:.1f} s.")
    line = {
        "benchmark": "ledger_soak",
        "ratio": round(rate / soak.rate, 3) if soak.rate else 1.0,
        "baseline": f"{soak.rate:.0f} entries a second asked for, {WRITERS} writers",
        "missing": missing,
        "out_of_order": found.out_of_order,
        "entries": len(found.ids),
        "kills": soak.kills,
        "receipts_verified": found.receipts,
        "receipt_ready_p50_seconds": round(p50, 2),
        "receipt_ready_p99_seconds": round(p99, 2),
        "receipt_ready_max_seconds": round(ready[-1], 2),
    }
    print(json.dumps(line))
    return missing == found.out_of_order == 0


@click.command()
@click.option("--seconds", default=60.0, show_default=True)
@click.option(
    "--rate", default=320.0, show_default=True, help="entries a second in all; 0: as fast as they can"
)
@click.option("--seed", default=20_261_126, show_default=True, help="of who is killed when")
@click.option("--kills/--no-kills", default=True, help="without: the load alone")
@click.option("--quick", is_flag=True, help="a few seconds, to see that it runs")
def main(*, seconds: float, rate: float, seed: int, kills: bool, quick: bool) -> None:
    """Write and kill, then look at what is published."""
    seconds, rate = (4.0, 60.0) if quick else (seconds, rate)
    with ExitStack() as stack:
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="amply-soak-")))
        pg = stack.enter_context(server())
        cloud = stack.enter_context(cloud_of_its_own(room))
        soak = Soak(
            pg=pg,
            cloud=cloud,
            policy=stack.enter_context(three_witnesses(room, cloud)),
            room=room,
            chance=random.Random(seed),  # noqa: S311 -- a seed that can be named
            rate=rate,
            with_kills=kills,
        )
        stack.callback(soak.stop)
        soak.run(seconds)
        if not report(soak, seconds=seconds):
            sys.exit(1)


if __name__ == "__main__":
    main()
