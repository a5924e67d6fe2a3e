"""Records of delimited text (CSV, TSV) in flat memory, whatever is broken in between.

The first line is the header. Text is read in chunks of whole lines: at the speed of Arrow where no quote stands, of the
csv module where quotes are in order, else line by line, where a record that is no record (an odd quote, a field too
many) costs its first line and nothing else.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from data_lake.sources.base import ROW, Problem
from data_lake.sources.reading.heads import delimiter_of
from data_lake.sources.reading.splitting import CLIP, PIECE_BYTES, decoded

# A quoted field runs over at most this many lines; beyond, its quote is taken for a stray one.
RECORD_LINES = 1_000
FIELD_CHARS = 1 << 20


def read_records(
    blocks: Iterable[bytes], header: list[str], delimiter: str | None = None
) -> Iterator[pa.Table | Problem]:
    """Tables of string columns named after the header line, with `_row` (the line a record begins on), and problems.

    `header` is filled in as soon as it is known. Empty fields are null. A record that cannot be read, or that has not
    as many fields as the header, is a problem.
    """
    csv.field_size_limit(FIELD_CHARS)
    reader: _Chunks | None = None
    line = 1
    held = b""
    overlong = False
    for block, is_last in _marked_last(blocks):
        data = held + block
        if overlong:
            data, overlong = data[data.find(b"\n") + 1 :], b"\n" not in data
            line += not overlong
            if overlong:
                continue
        if len(data) > PIECE_BYTES and b"\n" not in data:
            yield Problem(line, f"the line is longer than {PIECE_BYTES >> 20} MB", decoded(data[:CLIP])[0])
            held, overlong = b"", True
            continue
        cut = len(data) if is_last else data.rfind(b"\n") + 1
        chunk, held = data[:cut], data[cut:]
        if reader is None:
            before = len(chunk) - len(chunk.lstrip(b"\r\n \t"))
            line += chunk.count(b"\n", 0, before)
            first, _, chunk = chunk[before:].partition(b"\n")
            if not first:
                continue
            first_line = decoded(first)[0].rstrip("\r")
            separator = delimiter or delimiter_of(first_line)
            header += column_names(_fields(first_line, separator) or first_line.split(separator))
            reader = _Chunks(header, separator)
            line += 1
        done = yield from reader.tables(chunk, line, is_last)
        line += chunk.count(b"\n", 0, done)
        held = chunk[done:] + held


@dataclass(frozen=True)
class _Chunks:
    """Reads chunks of whole lines."""

    header: list[str]
    delimiter: str

    def tables(self, chunk: bytes, line: int, is_last: bool) -> Generator[pa.Table | Problem, None, int]:
        """Yield what the chunk, whose first line has number `line`, holds; returns how many bytes of it are done."""
        if not chunk:
            return 0
        if b'"' not in chunk:
            table = self._plain(chunk, line)
            if table is not None:
                yield table
                return len(chunk)
        else:
            quoted = self._quoted(chunk, line)
            if quoted is not None and (quoted[1] == len(chunk) or not is_last):
                table, done = quoted
                open_lines = chunk.count(b"\n", done)
                if open_lines <= RECORD_LINES:
                    yield table
                    return done
        return (yield from self._line_by_line(chunk, line, is_last))

    def _plain(self, chunk: bytes, line: int) -> pa.Table | None:
        """The table of a chunk without quotes; None when a line of it is no record."""
        lines = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
        strings = dict.fromkeys(self.header, pa.string())
        try:
            table = pyarrow.csv.read_csv(
                io.BytesIO(chunk),
                read_options=pyarrow.csv.ReadOptions(column_names=self.header, use_threads=False),
                parse_options=pyarrow.csv.ParseOptions(delimiter=self.delimiter, quote_char=False),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=strings, strings_can_be_null=True, null_values=[""]
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != lines:
            return None  # blank lines, or lone carriage returns: which row stands where must be found line by line
        return table.add_column(0, ROW, pa.array(np.arange(line, line + lines)))

    def _quoted(self, chunk: bytes, line: int) -> tuple[pa.Table, int] | None:
        """(table, bytes done) of a chunk whose quotes are in order; a record left open at its end is not done."""
        try:
            lines = chunk.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            return None
        ended = [f"{text}\n" for text in lines[:-1]] + lines[-1:] * bool(lines[-1])
        reader = csv.reader(ended, delimiter=self.delimiter, strict=True)
        rows: list[int] = []
        records: list[list[str]] = []
        consumed = 0
        width = len(self.header)
        try:
            for fields in reader:
                if len(fields) == width:
                    rows.append(line + consumed)
                    records.append(fields)
                elif fields:
                    return None
                consumed = reader.line_num
        except csv.Error:
            if reader.line_num < len(ended):
                return None
        done = sum(len(text.encode()) for text in ended[consumed:])
        return table_of_records(self.header, rows, records), len(chunk) - done

    def _line_by_line(self, chunk: bytes, line: int, is_last: bool) -> Generator[pa.Table | Problem, None, int]:
        """Line by line; returns the bytes done. A record still open at the end is left for the next chunk."""
        lines = _Lines([_line(line + at, text) for at, text in enumerate(_split(chunk))])
        rows: list[int] = []
        records: list[list[str]] = []
        for part in lines.records(self.delimiter, len(self.header), is_last):
            if isinstance(part, Problem):
                yield part
            else:
                rows.append(part[0])
                records.append(part[1])
        if rows:
            yield table_of_records(self.header, rows, records)
        return len(chunk) - lines.open_bytes


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    problem: str | None
    size: int


@dataclass
class _Lines:
    """The lines of a chunk, with the possibility to put lines back; `taken` are those of the current record."""

    lines: list[_Line]
    taken: list[_Line] = field(default_factory=list)
    open_bytes: int = 0
    at: int = 0

    def __iter__(self) -> Iterator[str]:
        while self.at < len(self.lines) and len(self.taken) <= RECORD_LINES:
            self.taken.append(self.lines[self.at])
            self.at += 1
            yield self.taken[-1].text

    def records(self, delimiter: str, width: int, is_last: bool) -> Iterator[tuple[int, list[str]] | Problem]:
        """(line, fields) of each record, a problem for each line that belongs to none."""
        reader = csv.reader(iter(self), delimiter=delimiter, strict=True)
        while True:
            self.taken.clear()
            try:
                fields: list[str] | None = next(reader, None)
                is_open = False
            except csv.Error:
                fields, is_open = None, self.at == len(self.lines)
            taken = list(self.taken)
            if not taken:
                return
            if is_open and not is_last and len(taken) <= RECORD_LINES and len(taken) < len(self.lines):
                self.open_bytes = sum(line.size for line in taken)
                return
            if fields is None or (len(taken) > 1 and len(fields) != width):
                # Not a record as it stands: only its first line is given up, and only if that line alone is none.
                self.at -= len(taken) - 1
                reader = csv.reader(iter(self), delimiter=delimiter, strict=True)
                taken, fields = taken[:1], _fields(taken[0].text, delimiter)
            if not taken[0].text.strip():
                continue
            problem = next((line.problem for line in taken if line.problem), None)
            if problem is None and len(fields) != width:
                count_of_fields = f"{len(fields)} fields" if fields else "a quote left open or closed in mid-field"
                problem = f"the line has {count_of_fields}; the header has {width} fields"
            if problem:
                yield Problem(taken[0].number, problem, taken[0].text.rstrip("\r\n")[:CLIP])
            else:
                yield taken[0].number, fields


def _marked_last(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    previous: bytes | None = None
    for block in blocks:
        if previous is not None:
            yield previous, False
        previous = block
    if previous is not None:
        yield previous, True


def _fields(text: str, delimiter: str) -> list[str]:
    """The fields of one line on its own; none when a quote of it is left open or closed in mid-field."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _split(chunk: bytes) -> list[bytes]:
    lines = chunk.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def _line(number: int, line: bytes) -> _Line:
    text, problem = decoded(line)
    return _Line(number, text.rstrip("\r\n") + "\n", problem, len(line))


def column_names(fields: Sequence[str]) -> list[str]:
    """Column names: trimmed, an empty one by its place, a repeated one (in any case) with a number."""
    names: list[str] = []
    seen = {"_row", "_file"}
    for place, written in enumerate(fields, 1):
        name = plain = written.strip() or f"column{place}"
        number = 1
        while name.lower() in seen:
            number += 1
            name = f"{plain}_{number}"
        seen.add(name.lower())
        names.append(name)
    return names


def table_of_records(header: Sequence[str], rows: Sequence[int], records: Sequence[Sequence[str]]) -> pa.Table:
    """A table of string columns and `_row`; empty fields are null."""
    columns = {ROW: pa.array(rows, pa.int64())}
    values = zip(*records, strict=True) if records else [[] for _ in header]
    for name, column in zip(header, values, strict=True):
        texts = pa.array(column, pa.string())
        columns[name] = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    return pa.table(columns)
