"""Files of strangers: every format by every way of packing, whatever is in them, and nothing of them lost."""

import io
import json
from collections.abc import Mapping
from typing import Any, Final

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amply.adapters.parquet import ParquetRows
from amply.modules.ingestion import FileRefused, records
from amply.modules.ingestion.cells import Checker, RowError
from amply.modules.ingestion.columns import Column, ColumnRole, ColumnType
from amply.modules.ingestion.decompression import DecompressedFile
from amply.modules.ingestion.domain import Compression, FileFormat, FileReason, RowReason
from tests.backend.handed_in import EXPECTED, NAMES, Read, refusal, written
from tests.backend.intake_world import ROWS, packed
from tests.hypothesis_profiles import examples


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("file_format", list(FileFormat))
def test_every_format_is_read_however_it_is_packed(file_format: str, compression: str) -> None:
    content = packed(written(ROWS, file_format), compression)
    done = Read(content, file_format, compression=compression, opener=ParquetRows().open)
    assert done.rows == EXPECTED
    assert (done.read, done.quarantined, done.refused) == (2, 0, [])


def test_the_same_rows_are_the_same_bytes() -> None:
    assert Read(written(ROWS, "jsonl")).parquet == Read(written(ROWS, "json"), "json").parquet


def test_many_rows_leave_in_groups_and_in_their_order() -> None:
    lines = (b'{"visit": "v%d", "guest": "g"}\n' % number for number in range(25_000))
    done = Read(b"".join(lines))
    assert pq.ParquetFile(io.BytesIO(done.parquet)).num_row_groups == 3
    assert [row["visit"] for row in done.rows[9_999:10_002]] == ["v9999", "v10000", "v10001"]


GOOD: Final = b'{"visit": "v", "guest": "g"}'
BAD_LINES: Final[Mapping[str, tuple[bytes, RowReason, str | None]]] = {
    "no JSON": (b'{"visit": ', RowReason.NOT_JSON, None),
    "a number with more digits than are read": (b'{"age": ' + b"9" * 5_000 + b"}", RowReason.NOT_JSON, None),
    "a list": (b"[1]", RowReason.NOT_AN_OBJECT, None),
    "a name twice": (b'{"visit": "a", "visit": "b"}', RowReason.NAME_TWICE, None),
    "Latin 1": (b'{"visit": "\xe9", "guest": "g"}', RowReason.NOT_UTF8, None),
    "half a character": (rb'{"visit": "\ud800", "guest": "g"}', RowReason.NOT_UTF8, "visit"),
    "a null character": (rb'{"visit": "a\u0000b", "guest": "g"}', RowReason.NULL_CHARACTER, "visit"),
    "a line without an end": (b'{"visit": "' + b"x" * 300_000 + b'"}', RowReason.LINE_TOO_LONG, None),
    "a thousand lists in each other": (b'{"visit": ' + b"[" * 100_000, RowReason.NESTED, None),
    "an object in a cell": (b'{"visit": {"a": 1}, "guest": "g"}', RowReason.NESTED, "visit"),
    "a column of nobody's": (b'{"visit": "v", "guest": "g", "name": "Ada"}', RowReason.UNKNOWN_COLUMN, "name"),
    "no person": (b'{"visit": "v"}', RowReason.MISSING, "guest"),
    "a number for a text": (b'{"visit": 1, "guest": "g"}', RowReason.WRONG_TYPE, "visit"),
    "a text for a number": (b'{"visit": "v", "guest": "g", "age": "41"}', RowReason.WRONG_TYPE, "age"),
    "a fraction for a whole number": (b'{"visit": "v", "guest": "g", "age": 41.0}', RowReason.WRONG_TYPE, "age"),
    "yes for a whole number": (b'{"visit": "v", "guest": "g", "age": true}', RowReason.WRONG_TYPE, "age"),
    "one for yes": (b'{"visit": "v", "guest": "g", "is_new": 1}', RowReason.WRONG_TYPE, "is_new"),
    "no number": (b'{"visit": "v", "guest": "g", "score": NaN}', RowReason.NOT_A_NUMBER, None),
    "a number without an end": (b'{"visit": "v", "guest": "g", "score": 1e999}', RowReason.NOT_A_NUMBER, "score"),
    "below the least": (b'{"visit": "v", "guest": "g", "age": -1}', RowReason.OUT_OF_RANGE, "age"),
    "above the most": (b'{"visit": "v", "guest": "g", "age": 131}', RowReason.OUT_OF_RANGE, "age"),
    "more than 64 bits": (b'{"visit": "v", "guest": "g", "spent": 9223372036854775808}', RowReason.OUT_OF_RANGE, "spent"),
    "another than the named": (b'{"visit": "v", "guest": "g", "tier": "iron"}', RowReason.NOT_ONE_OF_THEM, "tier"),
    "a day that is none": (b'{"visit": "v", "guest": "g", "came_on": "2026-02-30"}', RowReason.OUT_OF_RANGE, "came_on"),
    "a week": (b'{"visit": "v", "guest": "g", "came_on": "2026-W01-1"}', RowReason.WRONG_TYPE, "came_on"),
    "a moment of no zone": (b'{"visit": "v", "guest": "g", "seen_at": "2026-01-01T00:00:00"}', RowReason.WRONG_TYPE, "seen_at"),
    "a moment before all years": (
        b'{"visit": "v", "guest": "g", "seen_at": "0001-01-01T00:00:00+01:00"}', RowReason.OUT_OF_RANGE, "seen_at"
    ),
    "a long cell": (b'{"visit": "' + b"x" * 4_097 + b'", "guest": "g"}', RowReason.CELL_TOO_LONG, "visit"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_in_quarantine_with_why_and_its_neighbours_are_accepted(name: str) -> None:
    line, reason, column = BAD_LINES[name]
    done = Read(b"\n".join([GOOD, line, b"", GOOD]))
    assert [row["visit"] for row in done.rows] == ["v", "v"]
    (refused,) = done.refused
    assert (refused["line"], refused["reason"], refused["column"]) == (2, reason, column)
    assert refused["row"] == line[:1_000].decode(errors="replace")
    assert refused["is_whole"] == (len(line.decode(errors="replace")) <= 1_000)
    assert done.reasons == {reason: 1}
    assert done.read == 3


HEADER: Final = b"visit,guest,age,is_new,score\n"
BAD_CSV: Final[Mapping[str, tuple[bytes, RowReason]]] = {
    "too few cells": (b"v\n", RowReason.CELLS_DIFFER),
    "too many cells": (b"v,g,1,true,1,2\n", RowReason.CELLS_DIFFER),
    "something behind a quote": (b'"v"x,g,1,true,1\n', RowReason.NOT_CSV),
    "no whole number": (b"v,g,1_0,true,1\n", RowReason.WRONG_TYPE),
    "digits of other scripts": ("v,g,\u0664\u0661,true,1\n".encode(), RowReason.WRONG_TYPE),
    "another yes": (b"v,g,1,TRUE,1\n", RowReason.WRONG_TYPE),
    "no number": (b"v,g,1,true,NaN\n", RowReason.NOT_A_NUMBER),
    "Latin 1": (b"\xe9,g,1,true,1\n", RowReason.NOT_UTF8),
    "a null character": (b"v\0,g,1,true,1\n", RowReason.NULL_CHARACTER),
    "nobody": (b"v,,1,true,1\n", RowReason.MISSING),
    "a line without an end": (b"x" * 300_000 + b",g,1,true,1\n", RowReason.LINE_TOO_LONG),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_a_bad_row_of_csv_is_in_quarantine_and_its_neighbours_are_accepted(name: str) -> None:
    row, reason = BAD_CSV[name]
    done = Read(HEADER + b"v,g,1,true,1\n" + row + b"v,g,1,true,1\n", "csv")
    assert len(done.rows) == 2
    assert [(each["line"], each["reason"]) for each in done.refused] == [(3, reason)]


def test_a_quote_that_nobody_closes_takes_no_more_with_it_than_a_row_may_be() -> None:
    done = Read(HEADER + b'"v,g,1,true,1\n' + b"v,g,1,true,1\n" * 100_000, "csv")
    assert done.reasons == {RowReason.NOT_CSV: 1}
    assert 89_000 < len(done.rows) < 100_000


def test_quotes_that_open_again_and_again_take_no_more_with_them_either() -> None:
    endless = HEADER + b'"v\n",' * 400_000
    first = next(records.records_of(io.BytesIO(endless), FileFormat.CSV, NAMES))
    assert first.found == RowError(RowReason.LINE_TOO_LONG)
    assert first.size < 1_100_000
    assert len(first.shown) < 200_000
    assert refusal(endless, "csv") == FileReason.TOO_MANY_BAD_ROWS


def test_a_mark_of_byte_order_is_no_part_of_a_name() -> None:
    for file_format in ("csv", "jsonl", "json"):
        content = b"\xef\xbb\xbf" + written(ROWS, file_format)
        assert Read(Slowly(content), file_format).rows == EXPECTED, file_format


class Slowly:
    """A file that comes byte by byte."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def read(self, _size: int, /) -> bytes:
        return self._left.read(1)


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "json"])
def test_what_comes_in_small_pieces_is_read_as_what_comes_whole(file_format: str) -> None:
    assert Read(Slowly(written(ROWS, file_format)), file_format).rows == EXPECTED


@pytest.mark.parametrize(
    ("content", "file_format", "why"),
    [
        (b"", "jsonl", FileReason.NO_ROWS),
        (b"\n\n", "jsonl", FileReason.NO_ROWS),
        (b"", "csv", FileReason.NO_ROWS),
        (HEADER, "csv", FileReason.NO_ROWS),
        (b"[]", "json", FileReason.NO_ROWS),
        (b"\n", "csv", FileReason.COLUMNS_DIFFER),
        (b"visit,guest,name\n", "csv", FileReason.COLUMNS_DIFFER),
        (b"visit,visit\n", "csv", FileReason.COLUMNS_DIFFER),
        (b'"visit\n', "csv", FileReason.COLUMNS_DIFFER),
        (b'{"visit": "v"}', "json", FileReason.NOT_JSON),
        (b'[{"visit": "v"}', "json", FileReason.NOT_JSON),
        (b'[{"visit": "v"},]', "json", FileReason.NOT_JSON),
        (b'[{"visit": "v"}] x', "json", FileReason.NOT_JSON),
        (b'[{"visit": v}]', "json", FileReason.NOT_JSON),
        (b"[" * 100_000, "json", FileReason.NOT_JSON),
        (b'["' + b"x" * 2_000_000, "json", FileReason.NOT_JSON),
        (b"PAR1", "parquet", FileReason.UNREADABLE),
        (b"no parquet at all", "parquet", FileReason.UNREADABLE),
        (b"", "parquet", FileReason.UNREADABLE),
    ],
)
def test_what_is_no_such_file_is_refused_as_a_whole(
    content: bytes, file_format: str, why: FileReason
) -> None:
    assert refusal(content, file_format, opener=ParquetRows().open) == why


def test_a_bad_element_of_an_array_is_a_row_like_others() -> None:
    done = Read(b'[{"visit": "v", "guest": "g"}, 7, {"visit": "\xe9", "guest": "g"}]', "json")
    assert [(each["line"], each["reason"]) for each in done.refused] == [
        (2, RowReason.NOT_AN_OBJECT),
        (3, RowReason.NOT_UTF8),
    ]


def test_an_array_of_small_elements_is_copied_about_as_often_as_it_is_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied = 0

    class Counted(str):
        __slots__ = ()

        def __getitem__(self, which: Any) -> str:
            nonlocal copied
            piece = super().__getitem__(which)
            copied += len(piece)
            return piece

    more = records._Text.more

    def counted(text: records._Text) -> None:
        more(text)
        text.text = Counted(text.text)

    monkeypatch.setattr(records._Text, "more", counted)
    content = b"[" + b"{}," * 60_000 + b"{}]"
    assert len(list(records.records_of(io.BytesIO(content), FileFormat.JSON, []))) == 60_001
    assert len(content) / 2 < copied < len(content) * 5


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_what_is_cut_off_or_damaged_is_not_whole(compression: str) -> None:
    lines = b"".join(b'{"visit": "%d", "guest": "g"}\n' % (n * 2654435761 % 2**64) for n in range(3_000))
    whole = packed(lines, compression)
    middle = len(whole) // 2
    flipped = bytes(each ^ 0xFF for each in whole[middle : middle + 8])
    broken = [whole[:-9], whole[:middle], whole + b"more", b"not packed at all"]
    if compression == "gzip":
        # Of zstd a checksum is the packer's choice, and this one makes none.
        broken.append(whole[:middle] + flipped + whole[middle + 8 :])
    for each in broken:
        assert refusal(each, compression=compression) == FileReason.NOT_WHOLE
    assert Read(whole + whole, compression=compression).read == 6_000, "packed in two parts"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("file_format", ["jsonl", "csv", "json"])
def test_what_unpacks_to_much_more_than_it_is_stops_early(compression: str, file_format: str) -> None:
    begins = b"[" if file_format == "json" else b""
    bomb = packed(begins + b" " * 100_000_000, compression)
    file = io.BytesIO(bomb)
    assert refusal(file, file_format, compression=compression) == FileReason.PACKED_TOO_DENSELY


def test_what_is_larger_inside_than_it_may_be_is_refused() -> None:
    content = b"".join(b'{"visit": "%d", "guest": "g"}\n' % (n * 2654435761 % 2**64) for n in range(999))
    file = DecompressedFile(io.BytesIO(packed(content, "gzip")), Compression.GZIP, bytes_max=len(content) - 1)
    with pytest.raises(FileRefused, match="too_large"):
        list(records.of_lines(file))
    file = DecompressedFile(io.BytesIO(packed(content, "gzip")), Compression.GZIP, bytes_max=len(content))
    assert len(list(records.of_lines(file))) == 999


def test_a_bucket_that_falls_silent_is_no_fault_of_the_file() -> None:
    class Silent:
        def __init__(self, compression: str) -> None:
            self.left = io.BytesIO(packed(GOOD * 9_000, compression)[:50])

        def read(self, size: int, /) -> bytes:
            piece = self.left.read(size)
            if not piece:
                raise ConnectionError("the bucket fell silent")
            return piece

    for compression in Compression:
        with pytest.raises(ConnectionError):
            Read(Silent(compression), compression=compression)


def test_a_file_of_too_many_rows_or_too_many_bad_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amply.modules.ingestion.reading.ROWS_MAX", 3)
    monkeypatch.setattr("amply.modules.ingestion.reading.QUARANTINED_MAX", 2)
    assert Read(b"\n".join([GOOD] * 3)).read == 3
    assert refusal(b"\n".join([GOOD] * 4)) == FileReason.TOO_MANY_ROWS
    assert Read(b"\n".join([b"x", b"x", GOOD])).quarantined == 2
    assert refusal(b"\n".join([b"x"] * 3)) == FileReason.TOO_MANY_BAD_ROWS


ANY: Final = (
    Column(name="a", type=ColumnType.TEXT, role=ColumnRole.PERSON),
    Column(name="b", type=ColumnType.INTEGER, role=ColumnRole.INSENSITIVE),
)
_SNIPPETS: Final = st.sampled_from(
    [
        b'{"a": "x"}',
        b"a,b\n",
        b"x,1\n",
        b"[",
        b"]",
        b",",
        b'"',
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"{",
        b"}",
        b"\xef\xbb\xbf",
        b" ",
    ]
)


@settings(max_examples=examples(day=400, night=4_000), deadline=None)
@given(
    content=st.one_of(st.binary(max_size=200), st.lists(_SNIPPETS, max_size=30).map(b"".join)),
    file_format=st.sampled_from([FileFormat.CSV, FileFormat.JSONL, FileFormat.JSON]),
    cut=st.integers(min_value=1, max_value=7),
)
@example(content=b'a,b\n"x', file_format=FileFormat.CSV, cut=1)
@example(content=b'[{"a": "x"}, {"a": 1}]', file_format=FileFormat.JSON, cut=3)
def test_whatever_comes_what_was_read_was_accepted_or_is_in_quarantine(
    content: bytes, file_format: FileFormat, cut: int
) -> None:
    class Cut:
        left = io.BytesIO(content)

        def read(self, _size: int, /) -> bytes:
            return self.left.read(cut)

    try:
        done = Read(Cut(), file_format, columns=ANY)
    except FileRefused:
        return
    assert done.read == len(done.rows) + done.quarantined == len(done.rows) + len(done.refused)
    assert sum(done.reasons.values()) == done.quarantined
    lines = [each["line"] for each in done.refused]
    assert lines == sorted(set(lines)), "each row stands where it is, once"


@settings(max_examples=examples(day=100, night=1_000), deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries({"a": st.text(min_size=1)}, optional={"b": st.integers(-(2**63), 2**63 - 1)}),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_is_good_comes_back_as_it_went_in(rows: list[dict[str, Any]]) -> None:
    done = Read("\n".join(json.dumps(row) for row in rows).encode(), columns=ANY)
    kept = [row for row in rows if "\0" not in row["a"]]
    assert done.rows == [{"a": row["a"], "b": row.get("b")} for row in kept]
    assert done.quarantined == len(rows) - len(kept)


def test_a_name_that_a_stranger_chose_is_told_of_in_characters_that_can_be_kept() -> None:
    checker = Checker(ANY, are_texts=False)
    for name in ("\ud800" * 100, "\0" * 5, "x" * 500):
        bad = checker.check({name: 1})
        assert isinstance(bad, RowError)
        assert bad.column is not None
        assert "\0" not in bad.column.encode().decode()
        assert len(bad.column) <= 63
