"""Labels, level by level, as the SQL makes them."""

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amply_lake.generalisation import (
    Beginnings,
    Dates,
    Generalisation,
    Hierarchy,
    Networks,
    Places,
    Ranges,
    UserAgents,
    Whole,
    at_level,
)
from tests.hypothesis_profiles import examples

HIERARCHY = Hierarchy("device", (("phone", "mobile"), ("tablet", "mobile"), ("laptop", "fixed")))
KINDS: dict[str, Generalisation] = {
    "ranges": Ranges((5, 10, 20), 0, 100),
    "postal": Beginnings((3, 2, 1), "*"),
    "mask": Beginnings((3,), "***"),
    "dates": Dates(("day", "month", "quarter", "year")),
    "networks": Networks(((24, 48), (16, 32))),
    "user_agents": UserAgents(),
    "places": Places((1, 10, 50)),
    "whole": Whole(),
    "hierarchy": HIERARCHY,
}


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect(config={"threads": 1})
    made.execute("CREATE TABLE hierarchy_device (_level_0 VARCHAR, _level_1 VARCHAR)")
    made.executemany("INSERT INTO hierarchy_device VALUES (?, ?)", HIERARCHY.rows)
    return made


def labels(
    db: duckdb.DuckDBPyConnection, kind: Generalisation, values: list[str | None]
) -> list[tuple[str, ...]]:
    """Each value's label at each level, `*` included."""
    levels = ", ".join(at_level(kind, "v", level) for level in range(kind.steps + 1))
    return db.execute(f"SELECT {levels} FROM (SELECT unnest($1::VARCHAR[]) AS v)", [values]).fetchall()


def test_a_column_with_a_table_may_be_called_as_its_levels_are(db: duckdb.DuckDBPyConnection) -> None:
    for name in ("level_0", "level_1"):
        made = ", ".join(at_level(HIERARCHY, f'"{name}"', level) for level in range(2))
        found = db.execute(f"SELECT {made} FROM (SELECT unnest(['phone', 'laptop']) AS {name})").fetchall()
        assert found == [("phone", "mobile"), ("laptop", "fixed")]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ranges", "37", ("35-39", "30-39", "20-39", "*")),
        ("ranges", "0", ("0-4", "0-9", "0-19", "*")),
        ("ranges", "100", ("100+", "100+", "100+", "*")),
        ("ranges", "-1", ("?", "?", "?", "*")),
        ("ranges", "nan", ("?", "?", "?", "*")),
        ("ranges", None, ("?", "?", "?", "*")),
        ("postal", "sw1a 1aa", ("SW1*", "SW*", "S*", "*")),
        ("postal", "", ("?", "?", "?", "*")),
        ("whole", "sea-rescue", ("sea-rescue", "*")),
        ("whole", "*", ("?", "*")),
        ("whole", "", ("?", "*")),
        ("whole", None, ("?", "*")),
        ("mask", "+49 30 123456", ("+49***", "*")),
        ("dates", "2026-11-27 05:00:00", ("2026-11-27", "2026-11", "2026-Q4", "2026", "*")),
        ("dates", "2026-13-01", ("?", "?", "?", "?", "*")),
        ("networks", "192.0.2.77", ("192.0.2.0/24", "192.0.0.0/16", "*")),
        ("networks", "2001:db8:7:1::9", ("2001:db8:7::/48", "2001:db8::/32", "*")),
        ("networks", "2001:DB8::9", ("2001:db8:0::/48", "2001:db8::/32", "*")),
        ("networks", "::1", ("0:0:0::/48", "0:0::/32", "*")),
        ("networks", "300.1.1.1", ("?", "?", "*")),
        ("networks", "alice@example.org:1:2", ("?", "?", "*")),
        ("user_agents", "Mozilla/5.0 (iPhone) CriOS/99 Mobi Safari/604", ("chrome mobile", "mobile", "*")),
        ("user_agents", "Mozilla/5.0 (X11) Firefox/130.0", ("firefox desktop", "desktop", "*")),
        ("user_agents", "curl/8", ("other desktop", "desktop", "*")),
        ("places", "52.5163,13.3777", ("52.5 13.3", "52.0 13.0", "50.0 10.0", "*")),
        ("places", "-33.87,-70.01", ("-33.9 -70.1", "-34.0 -71.0", "-35.0 -75.0", "*")),
        ("places", "nan,13", ("?", "?", "?", "*")),
        ("places", "91,0", ("?", "?", "?", "*")),
        ("hierarchy", "tablet", ("tablet", "mobile", "*")),
        ("hierarchy", "fridge", ("?", "?", "*")),
    ],
)
def test_a_value_has_its_label_at_each_level(
    db: duckdb.DuckDBPyConnection, kind: str, value: str | None, expected: tuple[str, ...]
) -> None:
    assert labels(db, KINDS[kind], [value]) == [expected]


VALUES = st.one_of(
    st.none(),
    st.text(max_size=12).filter(lambda text: "\0" not in text),
    st.integers(-300, 300).map(str),
    st.dates().map(str),
    st.ip_addresses().map(str),
    st.tuples(st.floats(-95, 95), st.floats(-185, 185)).map(lambda pair: f"{pair[0]},{pair[1]}"),
    st.sampled_from([row[0] for row in HIERARCHY.rows]),
)


@settings(max_examples=examples(day=8, night=200))
@given(st.lists(VALUES, min_size=20, max_size=60))
@example(["2001::5", "2001:0:5::", "A*", "A", "?", "*", "100+", "35-39"])
def test_whoever_has_one_label_has_one_at_each_coarser_level(
    db: duckdb.DuckDBPyConnection, values: list[str | None]
) -> None:
    for kind in KINDS.values():
        found = labels(db, kind, values)
        for level in range(kind.steps):
            coarser = {row[level]: row[level + 1] for row in found}
            assert all(coarser[row[level]] == row[level + 1] for row in found)
            assert all(label for row in found for label in row)
