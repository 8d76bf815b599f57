"""Whether the log's places follow the order of transactions and, within one, of posting, without a gap."""

from benchmarks.apparatus.postgresql import Server


def count_out_of_order(pg: Server) -> int:
    """How many entries stand before an earlier one, or not right behind the one before."""
    return pg.count("""
        SELECT count(*) FROM (
            SELECT (xid, number) < lag((xid, number)) OVER (ORDER BY idx) OR idx <> lag(idx) OVER (ORDER BY idx) + 1
            FROM leaf JOIN entry ON entry.id = leaf.entry_id
        ) AS pair (is_wrong) WHERE is_wrong
    """)
