"""Invariants of the ledger in the database, beside what was published."""

from collections import Counter
from typing import Any, Final

from amply.modules import ledger
from ledger_format.entries import Entry, decode
from ledger_format.merkle import leaf_hash, root_of
from tests.simulation.cluster import Cluster
from tests.simulation.outside import hold
from tests.simulation.world import World

CLEARED: Final = """
    SELECT
        EXISTS (SELECT FROM clearance WHERE number > %s AND cleared_at IS NOT NULL),
        (SELECT count(*) FROM leaf),
        (SELECT coalesce(server_started = public.pg_postmaster_start_time(), false) FROM booking_gate),
        (SELECT count(*) FROM entry)
"""
BEGINNING: Final = """
    SELECT
        (SELECT count(*) FROM leaf), (SELECT count(*) FROM entry), (SELECT coalesce(max(number), 0) FROM clearance)
"""
_UNREST: Final = """
    SELECT
        (SELECT count(*) FROM entry WHERE id NOT IN (SELECT entry_id FROM leaf)),
        (SELECT count(*) FROM leaf)
            - (SELECT coalesce(max(size), 0) FROM checkpoint WHERE published_at IS NOT NULL)
"""
_LOG: Final = """
    SELECT leaf.idx, leaf.bytes, entry.idempotency_key, entry.xid::text::bigint, entry.number
    FROM leaf JOIN entry ON entry.id = leaf.entry_id ORDER BY leaf.idx
"""
_CHECKPOINTS: Final = (
    "SELECT size, previous_size, root, published_at IS NOT NULL FROM checkpoint ORDER BY size"
)
_SUMS: Final = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")
_BALANCES: Final = """
    SELECT account, currency, debits_posted, credits_posted, debits_pending, credits_pending FROM balance
"""
_LAST_POSTINGS: Final = """
    SELECT DISTINCT ON (account.number)
        reference, currency, debits_posted, credits_posted, debits_pending, credits_pending
    FROM posting JOIN account ON account.number = posting.account ORDER BY account.number, idx DESC, line DESC
"""
_ANNOUNCED: Final = "SELECT payload ->> 'size' FROM outbox WHERE topic = 'ledger.checkpoint_published'"


def unrest(cluster: Cluster, world: World) -> str:
    """What is not done yet, in words; empty at rest."""
    unsequenced, unpublished = cluster.rows(_UNREST)[0]
    unbooked = len(world.facts) - len(world.booked)
    if not (unsequenced or unpublished or unbooked):
        return ""
    return (
        f"{unbooked} facts are not booked, {unsequenced} entries have no place, {unpublished} are not public, "
        f"the operator {'waits' if world.refusal is None else f'was told: {world.refusal}'}"
    )


def check_books(cluster: Cluster, world: World) -> None:
    """The whole database, once at rest."""
    keys = {ledger.stored_key(fact.key): fact.key for fact in world.facts}
    rows = [(idx, raw, keys.get(stored, stored), *rest) for idx, raw, stored, *rest in cluster.rows(_LOG)]
    raws = [bytes(raw) for _, raw, *_ in rows]
    hold([idx for idx, *_ in rows] == list(range(len(rows))), "places have no gaps")
    _check_facts(cluster, world, rows)
    _check_order(world, rows)
    entries = [decode(raw) for raw in raws]
    _check_chains(entries, [leaf_hash(raw) for raw in raws])
    _check_balances(cluster, entries)
    _check_checkpoints(cluster, [leaf_hash(raw) for raw in raws])
    world.outside.check(raws)


def _check_facts(cluster: Cluster, world: World, rows: list[tuple[Any, ...]]) -> None:
    keys = Counter(key for _, _, key, *_ in rows if key.startswith("pi_"))
    hold(keys == Counter(fact.key for fact in world.facts), "every fact is in the log exactly once")
    hold(len(rows) == world.plan.base + len(world.facts), "nothing else is in the log")
    hold(cluster.value("SELECT count(*) FROM entry") == len(rows), "no entry is missing from the log")
    places = {key: decode(bytes(raw)).id for _, raw, key, *_ in rows}
    for key, booked in world.booked.items():
        hold(places[key] == booked.entry_id, "what was acknowledged is what stands there")


def _check_order(world: World, rows: list[tuple[Any, ...]]) -> None:
    if not world.plan.keeps_order:
        return
    order = [(xid, number) for *_, xid, number in rows]
    hold(order == sorted(order), "the log is in the order of transactions, and in each of posting")
    places = {key: idx for idx, _, key, *_ in rows}
    booked = sorted(world.booked.items(), key=lambda pair: pair[1].ended)
    for before, one in booked:
        for after in places.keys() & world.began.keys():
            if one.ended < world.began[after]:
                hold(
                    places[before] < places[after],
                    "what was acknowledged before another began stands before it",
                )


def _check_chains(entries: list[Entry], hashes: list[bytes]) -> None:
    last: dict[str, tuple[int, bytes | None]] = {}
    for entry, hashed in zip(entries, hashes, strict=True):
        sequence, previous = last.get(entry.org, (-1, None))
        hold(
            (entry.org_seq, entry.org_prev) == (sequence + 1, previous),
            "an organisation's entries form a chain",
        )
        last[entry.org] = (entry.org_seq, hashed)


def _check_balances(cluster: Cluster, entries: list[Entry]) -> None:
    folded: Counter[tuple[str, str, str]] = Counter()
    reserved: dict[str, int] = {}
    for entry in entries:
        for line, moved in enumerate(entry.transfers):
            posted = 0 if moved.phase in {"pending", "void"} else moved.amount_minor
            held = moved.amount_minor if moved.phase == "pending" else -reserved.pop(moved.pending or "", 0)
            if moved.phase == "pending":
                reserved[f"{entry.id}#{line}"] = moved.amount_minor
            for account, side in ((moved.debit, "debits"), (moved.credit, "credits")):
                folded[account, moved.currency, f"{side}_posted"] += posted
                folded[account, moved.currency, f"{side}_pending"] += held
    for query in (_BALANCES, _LAST_POSTINGS):
        stored: Counter[tuple[str, str, str]] = Counter()
        for account, currency, *sums in cluster.rows(query):
            for name, amount in zip(_SUMS, sums, strict=True):
                stored[account, currency, name] += int(amount)
        hold(stored == folded, "balances and last postings are the fold of the transfers")


def _check_checkpoints(cluster: Cluster, hashes: list[bytes]) -> None:
    previous = None
    announced = Counter(int(size) for (size,) in cluster.rows(_ANNOUNCED))
    for size, extends, root, is_published in cluster.rows(_CHECKPOINTS):
        hold(extends == previous, "checkpoints form one line")
        hold(root_of(hashes[:size]) == bytes(root), "a checkpoint's row commits to a prefix of the log")
        hold(announced[size] == int(is_published), "each published checkpoint is announced once")
        previous = size
