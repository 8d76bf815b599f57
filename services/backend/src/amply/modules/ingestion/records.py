"""Parsers that stream rows from CSV, JSON and Parquet files. A malformed row is yielded with its error; one row is held at a
time.

Every format gives as many rows as there are in the file, so that what was read is what was accepted and what is in quarantine.
"""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from amply.modules.ingestion.cells import RowError
from amply.modules.ingestion.domain import LINE_BYTES_MAX, FileFormat, FileReason, FileRefused, RowReason

_PIECE: Final = 64 * 1024
_RECORD_BYTES_MAX: Final = 4 * LINE_BYTES_MAX
"""Bytes of one CSV row, whose cells may contain line breaks."""
_MARK: Final = b"\xef\xbb\xbf"
_SPACE: Final = re.compile(r"[ \t\r\n]*")


class Pieces(Protocol):
    """A binary file that is read sequentially."""

    def read(self, size: int, /) -> bytes:
        """So many bytes at most; none at the end."""


@dataclass(frozen=True)
class Record:
    """One row of the file, unvalidated.

    Attributes:
        line: Where it begins: its line, or where a file has no lines its number; from 1.
        shown: Its beginning, for people who look at why it was refused.
        size: Its bytes, about.
        found: Its cells by column, or why there are none.
    """

    line: int
    shown: str
    size: int
    found: Mapping[str, Any] | RowError


@dataclass(frozen=True)
class _Line:
    number: int
    content: bytes
    is_whole: bool


def records_of(file: Pieces, file_format: FileFormat, names: Sequence[str]) -> Iterator[Record]:
    """Rows of a CSV or JSON file. `names`: allowed CSV columns.

    Raises:
        FileRefused: No row of it can be made sense of.
    """
    if file_format is FileFormat.CSV:
        return _of_csv(file, frozenset(names))
    return _of_array(file) if file_format is FileFormat.JSON else of_lines(file)


def of_lines(file: Pieces) -> Iterator[Record]:
    """One JSON object a line; blank lines are skipped."""
    for line in _lines(file):
        content = line.content.strip(b" \t\r")
        if not content and line.is_whole:
            continue
        found = parsed(content) if line.is_whole else RowError(RowReason.LINE_TOO_LONG)
        yield Record(line.number, line.content.decode(errors="replace"), len(line.content), found)


def parsed(content: bytes) -> Mapping[str, Any] | RowError:
    """Parse a line's object."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return RowError(RowReason.NOT_UTF8)
    return _loaded(lambda: json.loads(text, object_pairs_hook=_object, parse_constant=_constant))


class _Wrong(Exception):
    """Valid for Python's JSON parser, but not for a row."""

    def __init__(self, reason: RowReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def _loaded(load: Callable[[], Any]) -> Mapping[str, Any] | RowError:
    try:
        found = load()
    except _Wrong as wrong:
        return RowError(wrong.reason)
    except RecursionError:
        return RowError(RowReason.NESTED)
    except ValueError:
        return RowError(RowReason.NOT_JSON)
    return found if isinstance(found, dict) else RowError(RowReason.NOT_AN_OBJECT)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Wrong(RowReason.NAME_TWICE)
    return made


def _constant(_name: str) -> float:
    raise _Wrong(RowReason.NOT_A_NUMBER)


def _lines(file: Pieces) -> Iterator[_Line]:
    """Lines without their ends. Of one that is too long its beginning is kept, and the rest is passed over."""
    held, begun, number = b"", None, 0
    for piece in _pieces(file):
        *whole, held = (held + piece).split(b"\n")
        for each in whole:
            number += 1
            is_whole = begun is None and len(each) <= LINE_BYTES_MAX
            yield _Line(number, (begun or each)[:LINE_BYTES_MAX], is_whole)
            begun = None
        if begun is not None:
            held = b""
        elif len(held) > LINE_BYTES_MAX:
            begun, held = held[:LINE_BYTES_MAX], b""
    if begun is not None or held:
        yield _Line(number + 1, held if begun is None else begun, is_whole=begun is None)


def _pieces(file: Pieces) -> Iterator[bytes]:
    """The file without a byte order mark: UTF-8 needs none, and some programs write one."""
    begins = file.read(_PIECE)
    while len(begins) < len(_MARK) and (more := file.read(_PIECE)):
        begins += more
    yield begins.removeprefix(_MARK)
    while piece := file.read(_PIECE):
        yield piece


class _RecordTooLong(Exception):
    """A CSV row exceeds the limit, as with an unclosed quote."""


class _CsvLines:
    """Lines for the CSV reader, remembering which ones the current row used."""

    def __init__(self, file: Pieces) -> None:
        self._lines = _lines(file)
        self.begin()

    def begin(self) -> None:
        """Start a new row."""
        self.line, self.shown, self.size, self.is_whole = 0, "", 0, True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.line = self.line or line.number
        self.size += len(line.content) + 1
        self.is_whole = self.is_whole and line.is_whole
        if len(self.shown) < _PIECE:
            self.shown += line.content.decode(errors="replace") + "\n"
        if self.size > _RECORD_BYTES_MAX:
            raise _RecordTooLong
        # What is no UTF-8 is found again, as lone surrogates, in the cell that it is in.
        return line.content.decode(errors="surrogateescape") + "\n"


def _of_csv(file: Pieces, names: frozenset[str]) -> Iterator[Record]:
    """RFC 4180 in UTF-8, with a header that names columns of the dataset, each once."""
    lines = _CsvLines(file)
    reader = csv.reader(lines, strict=True)
    header = _header(reader, names)
    if header is None:
        return
    while True:
        lines.begin()
        try:
            cells = next(reader)
            found = _by_name(header, cells) if lines.is_whole else RowError(RowReason.LINE_TOO_LONG)
        except StopIteration:
            return
        except _RecordTooLong:
            found = RowError(RowReason.LINE_TOO_LONG)
        except csv.Error:
            found = RowError(RowReason.NOT_CSV if lines.is_whole else RowReason.LINE_TOO_LONG)
        else:
            if not cells:
                continue
        yield Record(lines.line, lines.shown.removesuffix("\n"), lines.size, found)


def _header(reader: Iterator[list[str]], names: frozenset[str]) -> list[str] | None:
    """The columns that a file names; None where it is empty."""
    try:
        header = next(reader, None)
    except (csv.Error, _RecordTooLong):
        raise FileRefused(FileReason.COLUMNS_DIFFER) from None
    if header is not None and (not header or len(set(header)) < len(header) or not set(header) <= names):
        raise FileRefused(FileReason.COLUMNS_DIFFER)
    return header


def _by_name(header: Sequence[str], cells: Sequence[str]) -> Mapping[str, Any] | RowError:
    if len(cells) != len(header):
        return RowError(RowReason.CELLS_DIFFER)
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell}


class _Text:
    """The file's text around the current position."""

    def __init__(self, file: Pieces) -> None:
        self._pieces = _pieces(file)
        # A character that a piece cuts in two is kept for the next one.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self.text, self.at, self.is_over = "", 0, False

    def more(self) -> None:
        """Drop consumed text, and read more."""
        piece = next(self._pieces, None)
        self.is_over = piece is None
        self.text = self.text[self.at :] + self._decoder.decode(piece or b"", final=self.is_over)
        self.at = 0

    def skip_space(self) -> str:
        """The next non-blank character; empty at the end."""
        while True:
            match = _SPACE.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text) or self.is_over:
                return self.text[self.at : self.at + 1]
            self.more()


def _of_array(file: Pieces) -> Iterator[Record]:
    """One array of objects. Where one of them cannot be read, nobody knows where the next one begins."""
    text = _Text(file)
    if text.skip_space() != "[":
        raise FileRefused(FileReason.NOT_JSON)
    text.at += 1
    if text.skip_space() == "]":
        text.at += 1
    else:
        yield from _elements(text)
    if text.skip_space():
        raise FileRefused(FileReason.NOT_JSON)


def _elements(text: _Text) -> Iterator[Record]:
    number = 0
    while True:
        number += 1
        if not text.skip_space():
            raise FileRefused(FileReason.NOT_JSON)
        found, content = _element(text)
        yield Record(number, content[:_PIECE], len(content), found)
        follows = text.skip_space()
        text.at += 1
        if follows == "]":
            return
        if follows != ",":
            raise FileRefused(FileReason.NOT_JSON)


_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
"""Finds where a value ends, whatever its numbers are."""


def _element(text: _Text) -> tuple[Mapping[str, Any] | RowError, str]:
    """What stands at this place, and its text. It is read again with what follows until it is whole, or too long."""
    while True:
        try:
            _, end = _DECODER.raw_decode(text.text, text.at)
        except (ValueError, RecursionError):
            end = 0
        # A number may go on in the next piece.
        if end and (end < len(text.text) or text.is_over):
            break
        if text.is_over or len(text.text) - text.at > LINE_BYTES_MAX:
            raise FileRefused(FileReason.NOT_JSON)
        text.more()
    content = text.text[text.at : end]
    text.at = end
    if len(content) > LINE_BYTES_MAX:
        return RowError(RowReason.LINE_TOO_LONG), content
    return (
        _loaded(lambda: json.loads(content, object_pairs_hook=_object, parse_constant=_constant)),
        content,
    )
