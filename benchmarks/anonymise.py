r"""How fast the anonymiser is against DuckDB's plain `GROUP BY … HAVING` of the same file, and in how much memory.

`python benchmarks/anonymise.py [ROWS]`. One Parquet file of gifts: a donor of every five rows, age, beginning of the
postal code, kind of device, day, amount, cause. Parquet in, Parquet out, two threads, 2 GB for the engine, a process of its own each, by the
clock, in turns:

- plain: rows of groups of at least 20 rows, `GROUP BY age, zip, device HAVING count(*) >= 20`, nothing generalised
- by hand: the same over people at the levels that the search found, `count(DISTINCT donor)`, labels made by the same SQL,
  donors hashed without a key, rows in the order they came
- anonymise: the whole of `release`: cells looked at, search, batch, ledger, release, k, l and t counted in what was written

`ratio` is plain against anonymise in rows a second by the clock, the best of three each, `ratio_by_hand` by hand against
anonymise; `…_processor` are the same by processor time, which other work on the machine disturbs less. Then the search alone on
Adult, where the outside vectors are, against looking at every node. `--quick` runs once, and small.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import duckdb
import numpy as np

from amply_lake import FileLedger, Limits, Order, Policy, Release, read_policy, release
from amply_lake.lattice import Demand, Lattice, search
from amply_lake.statements import generalised
from tests.lake import adult
from tests.lake.lake_world import TestKeys, TestSigner

QUICK_ROWS: Final = 20_000
ROWS: Final = 100_000
MEMORY_BYTES: Final = 2 << 30
THREADS: Final = 2
ONCE: Final = 20_000_000  # more rows are measured once
SAME: Final = 1e-12
_CHILD: Final = "--one"
VECTORS: Final = Path(
    os.environ.get("AMPLY_VECTORS", Path(__file__).resolve().parents[2] / "shared" / "vectors")
)

DOCUMENT: Final[dict[str, Any]] = {
    "format": 1,
    "id": "benchmark",
    "description": "The quasi-identifiers of default-v2's ancestor.",
    "k": 20,
    "l": 2,
    "suppression_limit": "0.1",
    "retention_days": {"raw": 90, "anonymised": 730},
    "columns": {
        "donor": {"role": "person", "publish_as": "pseudonym"},
        "age": {
            "role": "quasi",
            "generalise": {"kind": "ranges", "widths": [5, 10, 20], "from": 0, "to": 100},
        },
        "zip": {"role": "quasi", "generalise": {"kind": "truncate", "keep": [3, 2, 1]}},
        "device": {"role": "quasi", "generalise": {"kind": "hierarchy", "file": "device.csv"}},
        "day": {"role": "insensitive"},
        "amount": {"role": "sensitive", "bands": [1000, 2500, 5000, 10000]},
        "cause": {"role": "sensitive"},
    },
}
DEVICES: Final = b"phone;mobile;*\ntablet;mobile;*\nlaptop;fixed;*\ndesktop;fixed;*\ntelevision;fixed;*\n"


def policy() -> Policy:
    """The benchmark's policy."""
    return read_policy(json.dumps(DOCUMENT).encode(), {"device.csv": DEVICES})


def write_gifts(path: Path, rows: int) -> None:
    """Draw gifts: ages and postal codes crowd, as people do."""
    with duckdb.connect(
        config={"threads": THREADS, "memory_limit": "2GB", "temp_directory": str(path.parent)}
    ) as db:
        db.execute(
            f"""
            COPY (
              SELECT 'don_' || (hash(i) % {max(rows // 5, 1)}) AS donor,
                CAST(15 + 5 * (hash(i, 1) % 9 + hash(i, 2) % 9) AS INTEGER) AS age,
                CAST(100 + (hash(i, 3) % 15) * (hash(i, 4) % 15) AS VARCHAR) AS zip,
                ['phone', 'phone', 'phone', 'laptop', 'laptop', 'tablet', 'desktop', 'television'][CAST(1 + hash(i, 5) % 8 AS BIGINT)] AS device,
                DATE '2026-01-01' + CAST(hash(i, 6) % 330 AS INTEGER) AS day,
                CAST(100 + hash(i, 7) % 14000 AS BIGINT) AS amount,
                ['water', 'schools', 'health', 'climate', 'animals'][CAST(1 + hash(i, 8) % 5 AS BIGINT)] AS cause
              FROM range({rows}) r(i)
            ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
            """
        )


def engine(spill: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB as the anonymiser has it."""
    return duckdb.connect(
        config={
            "threads": THREADS,
            "memory_limit": f"{MEMORY_BYTES // 1_000_000}MB",
            "temp_directory": str(spill),
        }
    )


def plain(source: Path, room: Path) -> dict[str, Any]:
    """Keep what is in groups of 20 rows."""
    with engine(room / "spill") as db:
        db.execute(
            f"""
            COPY (
              SELECT g.* FROM '{source}' g JOIN (
                SELECT age, zip, device FROM '{source}' GROUP BY age, zip, device HAVING count(*) >= 20
              ) USING (age, zip, device)
            ) TO '{room / "plain.parquet"}' (FORMAT parquet, COMPRESSION zstd)
            """
        )
    return {}


def by_hand(source: Path, room: Path, levels: dict[str, int]) -> dict[str, Any]:
    """Keep what is in groups of 20 people, at given levels."""
    with engine(room / "spill") as db:
        db.execute("CREATE TABLE hierarchy_device (_level_0 VARCHAR, _level_1 VARCHAR)")
        db.executemany("INSERT INTO hierarchy_device VALUES (?, ?)", policy().hierarchies[0].rows)
        db.execute(f"CREATE VIEW gifts AS {generalised(policy(), levels, repr(str(source)))}")
        db.execute(
            f"""
            COPY (
              SELECT md5(_member) AS pseudonym, g.* EXCLUDE (_member) FROM gifts g JOIN (
                SELECT age, zip, device FROM gifts GROUP BY age, zip, device
                HAVING count(DISTINCT _member) >= 20 AND count(DISTINCT amount) >= 2 AND count(DISTINCT cause) >= 2
              ) USING (age, zip, device)
            ) TO '{room / "by_hand.parquet"}' (FORMAT parquet, COMPRESSION zstd)
            """
        )
    return {}


def anonymise(source: Path, room: Path) -> dict[str, Any]:
    """Release the file."""
    done = release(
        [source],
        Order(dataset="gifts", buyer="benchmark", policy=policy(), into=room / "out"),
        keys=TestKeys(),
        ledger=FileLedger(room / "ledger"),
        signer=TestSigner(),
        clock=lambda: datetime.now(UTC),
        limits=Limits(spill=room / "spill", memory_bytes=MEMORY_BYTES, threads=THREADS),
    )
    if not isinstance(done, Release):
        raise SystemExit(done.reason)
    (part,) = done.certificate.parts
    return {
        "levels": dict(part.levels), "kept": part.rows, "k": part.k, "l": part.l, "t": part.t, "loss": part.loss,
        "people": part.people, "classes": part.classes,
    }  # fmt: skip


def one(kind: str, source: Path, levels: dict[str, int]) -> None:
    """In a process of its own: do one of them, and print time and memory."""
    with tempfile.TemporaryDirectory(prefix="amply-bench-", dir=source.parent) as made:
        room = Path(made)
        began, start = time.process_time(), time.monotonic()
        told = {
            "plain": lambda: plain(source, room),
            "by hand": lambda: by_hand(source, room, levels),
            "anonymise": lambda: anonymise(source, room),
        }[kind]()
        seconds = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor": used.ru_utime + used.ru_stime - began,
                "mebibytes": used.ru_maxrss // 1024,
                **told,
            }
        )
    )


def ask(kind: str, source: Path, levels: dict[str, int]) -> dict[str, Any]:
    """Run one of them, and hear what it took."""
    command = [sys.executable, __file__, _CHILD, kind, str(source), json.dumps(levels)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def search_on_adult() -> dict[str, float]:
    """Seconds for k = 20 at three limits: the search, and every node; CPU time of one thread."""
    folder = VECTORS / "adult"
    lattice = Lattice(adult.tuples(folder, adult.optima(folder)["qi"]))
    total = int(lattice.tuples.rows.sum())
    demands = [Demand(20, 1, int(limit * total)) for limit in (0, 0.04, 1)]
    start = time.process_time()
    found = [search(lattice, demand) for demand in demands]
    searched = time.process_time() - start
    start = time.process_time()
    for demand, optimum in zip(demands, found, strict=True):
        outcomes = [lattice.optimistic(node, demand) for node in np.ndindex(lattice.shape)]
        best = min(each.loss for each in outcomes if each.suppressed <= demand.may_be_suppressed)
        if optimum is None or abs(best - optimum.outcome.loss) > SAME:
            raise SystemExit("the search did not find the best node")
    return {"search_seconds": searched, "every_node_seconds": time.process_time() - start}


def main() -> None:
    """Measure, print a table, and end with one line of JSON."""
    is_quick = "--quick" in sys.argv
    numbers = [int(float(argument)) for argument in sys.argv[1:] if not argument.startswith("-")]
    rows = QUICK_ROWS if is_quick else (numbers or [ROWS])[0]
    repeats = 1 if is_quick or rows > ONCE else 3
    kinds = ("anonymise", "plain", "by hand")
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory(prefix="amply-bench-") as room:
        source = Path(room) / "gifts.parquet"
        write_gifts(source, rows)
        levels: dict[str, int] = {}
        for _ in range(repeats):
            for kind in kinds:
                found[kind].append(ask(kind, source, levels))
                levels = found["anonymise"][0]["levels"]
    seconds = {kind: min(each["seconds"] for each in found[kind]) for kind in kinds}
    processor = {kind: min(each["processor"] for each in found[kind]) for kind in kinds}
    mebibytes = {kind: max(each["mebibytes"] for each in found[kind]) for kind in kinds}
    told = found["anonymise"][0]
    print(f"{rows:,} rows, {repeats} interleaved repeats, {THREADS} threads; the best of each")
    for kind in kinds:
        print(
            f"  {kind:12}{rows / seconds[kind]:>14,.0f} rows/s{seconds[kind]:>9.2f} s"
            f"{processor[kind]:>9.2f} s of processor{mebibytes[kind]:>7,} MiB"
        )
    print(
        f"  {told['kept']:,} rows of {told['people']:,} people in {told['classes']:,} classes at {told['levels']}"
    )
    print(f"  k {told['k']}, l {told['l']}, t {told['t']}, loss {told['loss']}")
    adults = search_on_adult() if VECTORS.is_dir() else {}
    for name, taken in adults.items():
        print(f"  Adult, {name.replace('_', ' ')}: {taken:.2f}")
    print(
        json.dumps(
            {
                "benchmark": "anonymise",
                "ratio": round(seconds["plain"] / seconds["anonymise"], 3),
                "ratio_by_hand": round(seconds["by hand"] / seconds["anonymise"], 3),
                "ratio_processor": round(processor["plain"] / processor["anonymise"], 3),
                "ratio_by_hand_processor": round(processor["by hand"] / processor["anonymise"], 3),
                "baseline": "DuckDB's GROUP BY … HAVING count(*) >= 20 of the same file, Parquet in and out",
                "rows": rows,
                "rows_per_second": round(rows / seconds["anonymise"]),
                "mebibytes": mebibytes["anonymise"],
                "mebibytes_plain": mebibytes["plain"],
                **{name: round(taken, 3) for name, taken in adults.items()},
            }
        )
    )


if __name__ == "__main__":
    if _CHILD in sys.argv:
        _, _, which, file, at = sys.argv
        one(which, Path(file), json.loads(at))
    else:
        main()
