"""Proof and repair of JSON rows: which texts are JSON, and what can be saved of those that are not.

Every row a source maps has passed here.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.reading.spans import Positions, texts
from data_lake.sources.reading.splitting import CLIP, decoded, is_utf8, pieces, table_of

# Rows of an Arrow batch: DuckDB reads batches in parallel.
CHUNK_ROWS = 4096
SEPARATORS = b" \t\r\n,"
_STRIPPED = SEPARATORS.decode()

Mended = list[tuple[str, str | None]]

_DECODER = json.JSONDecoder()
_OUTSIDE_STRINGS = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])|(-?\b(?:NaN|Infinity)\b)', re.DOTALL)
_SURROGATES = re.compile(
    r"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(":memory:")
    database.execute("set global TimeZone = 'UTC'")
    return database


def session() -> duckdb.DuckDBPyConnection:
    """A session of one in-memory DuckDB whose clock zone is UTC, for one file and one thread.

    Temporary tables and registered batches are the session's own; starting a database takes as long as a small file.
    """
    return _database().cursor()


def chunked(table: pa.Table) -> pa.Table:
    """The same table in batches that DuckDB scans in parallel."""
    return pa.Table.from_batches(table.to_batches(max_chunksize=CHUNK_ROWS), schema=table.schema)


def json_valid(con: duckdb.DuckDBPyConnection, column: pa.Array) -> npt.NDArray[np.bool_]:
    """Which strings of the column are JSON: one boolean each, false for null."""
    query = con.from_arrow(chunked(pa.table({"text": column}))).project("coalesce(json_valid(text), false) as valid")
    valid: npt.NDArray[np.bool_] = query.to_arrow_table()["valid"].to_numpy()
    return valid


@dataclass
class Prover:
    """Turns pieces of a document into numbered rows: proven JSON, or a text with a problem."""

    con: duckdb.DuckDBPyConnection
    row: int = 0
    broken: bool = False  # whether any row could not be read

    def rows(self, data: bytes, starts: Positions, ends: Positions, rhythm: Rhythm | None) -> Iterator[pa.Table]:
        """A table of the pieces data[start:end]; neighbours that are not JSON are mended together."""
        if not len(starts):
            return
        column = texts(data, starts, ends)
        valid = json_valid(self.con, column) if is_utf8(column) else self._valid_each(data, starts, ends)
        if valid.all():
            numbers = self.row + 1 + np.arange(len(starts))
            self.row += len(starts)
            yield pieces(column, numbers)
            return
        found: Mended = []
        changes = np.flatnonzero(np.diff(valid)) + 1
        for first, stop in zip([0, *changes.tolist()], [*changes.tolist(), len(valid)], strict=True):
            if valid[first]:
                found += [(data[starts[at] : ends[at]].decode(), None) for at in range(first, stop)]
            else:
                found += mend(self.con, data[starts[first] : ends[stop - 1]], rhythm)[0]
        yield self.listed(found)

    def listed(self, found: Mended) -> pa.Table:
        """A table of rows already cut."""
        numbers = list(range(self.row + 1, self.row + 1 + len(found)))
        self.row += len(found)
        self.broken = self.broken or any(reason for _, reason in found)
        return table_of(numbers, [text for text, _ in found], [reason for _, reason in found])

    def _valid_each(self, data: bytes, starts: Positions, ends: Positions) -> npt.NDArray[np.bool_]:
        read = [decoded(data[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        whole = [text if reason is None else None for text, reason in read]
        return json_valid(self.con, pa.array(whole, pa.string()))


def prove_lines(con: duckdb.DuckDBPyConnection, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Tables of lines that each hold a JSON value (JSONL), those that do not mended or given a problem."""
    for table in tables:
        column = table[TEXT].combine_chunks()
        valid = json_valid(con, column)
        if valid.all():
            yield table
            continue
        numbers: list[int] = []
        found: Mended = []
        for row, text, reason, ok in zip(
            table[ROW].to_pylist(), column.to_pylist(), table[PROBLEM].to_pylist(), valid.tolist(), strict=True
        ):
            mended = [(text, reason)] if ok or reason else mend(con, text.encode(), None)[0]
            found += mended
            numbers += [row] * len(mended)
        yield table_of(numbers, [text for text, _ in found], [reason for _, reason in found])


@dataclass(frozen=True)
class Rhythm:
    """How rows of a document begin, for finding the next one behind damage.

    `pattern` matches where an object may begin; where nested objects begin alike, `keys` are those of a row, of which a
    match must have at least half. Without `keys` a match is certain.
    """

    pattern: re.Pattern[str]
    keys: frozenset[str] = frozenset()

    def accepts(self, text: str, at: int) -> bool:
        """Whether a row begins at this match."""
        if not self.keys:
            return True
        try:
            value = _DECODER.raw_decode(text, at)[0]
        except (ValueError, RecursionError):
            return False
        return isinstance(value, dict) and 2 * len(self.keys & value.keys()) >= len(self.keys)

    def first(self, text: str) -> int | None:
        """Where the first row in the text begins."""
        return next((found.start() for found in self.pattern.finditer(text) if self.accepts(text, found.start())), None)


def mend(con: duckdb.DuckDBPyConnection, span: bytes, rhythm: Rhythm | None, final: bool = True) -> tuple[Mended, int]:
    """Cut a span that is not JSON into (value, None) and (text that cannot be read, reason), in order.

    Drops trailing commas, makes NaN null and a lone surrogate U+FFFD; cuts after complete values, and behind damage
    where the next row begins. Returns the rows and how many bytes they took: all when `final`, else up to the
    last row, which may go on behind the span.
    """
    text = span.decode("utf-8", errors="surrogateescape")
    marks = [found.start() for found in rhythm.pattern.finditer(text)] if rhythm else []
    found: Mended = []
    at = 0
    while (at := _skipped(text, at)) < len(text):
        following = bisect.bisect_right(marks, at)
        # A row may hold another that begins like a row, so look two marks further; not at all rows, to stay linear.
        certain = rhythm is not None and not rhythm.keys
        limit = marks[following + 2] if certain and following + 2 < len(marks) else len(text)
        end, reason = _value_end(text[at:limit] if limit < len(text) or at else text)
        if certain and text[at] == '"' and following < len(marks) and at + end > marks[following]:
            end, reason = 0, "is not valid JSON: a quote stands before a row"
        if end and text[at] == "[" and rhythm is not None:
            end, reason = 0, "is a list and no row"
        if end:
            found.append(_whole(text[at : at + end]))
            at += end
            continue
        after = next((mark for mark in marks[following:] if rhythm and rhythm.accepts(text, mark)), len(text))
        if after == len(text) and not final:
            break
        piece = text[at:after].rstrip(_STRIPPED)
        repaired = _repaired(piece)
        if _value_end(repaired)[0] == len(repaired):
            found.append(_whole(repaired))
        else:
            found.append((_printable(piece), _whole(piece)[1] or reason))
        at = after
    return _proven(con, found), len(span) if at >= len(text) else len(text[:at].encode("utf-8", "surrogateescape"))


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in _STRIPPED:
        at += 1
    return at


def _value_end(text: str) -> tuple[int, str]:
    """Length of the JSON value the text begins with, or 0 and the reason."""
    try:
        return _DECODER.raw_decode(text)[1], ""
    except RecursionError:
        return 0, "is nested too deep to be read"
    except ValueError as error:
        return 0, f"is not valid JSON: {error}"


def _whole(piece: str) -> tuple[str, str | None]:
    """The piece, or what can be shown of it and the reason when it holds bytes that are not UTF-8."""
    for at, character in enumerate(piece if not piece.isascii() else ""):
        if "\udc80" <= character <= "\udcff":
            reason = f"byte 0x{ord(character) - 0xDC00:02X} after {at} characters is not valid UTF-8"
            return _printable(piece), reason
    return piece, None


def _printable(piece: str) -> str:
    return piece[:CLIP].encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def _repaired(text: str) -> str:
    text = _OUTSIDE_STRINGS.sub(lambda found: found[1] or ("null" if found[2] else ""), text)
    return _SURROGATES.sub(lambda found: found[1] or "\\ufffd", text)


def _proven(con: duckdb.DuckDBPyConnection, found: Mended) -> Mended:
    """Values Python reads and DuckDB does not (NaN, a lone surrogate) repaired, or given a reason."""
    valid = json_valid(con, pa.array([text if reason is None else None for text, reason in found], pa.string()))
    doubtful = [at for at, (_, reason) in enumerate(found) if reason is None and not valid[at]]
    repaired = [_repaired(found[at][0]) for at in doubtful]
    for at, text, ok in zip(doubtful, repaired, json_valid(con, pa.array(repaired, pa.string())), strict=True):
        found[at] = (text, None) if ok else (found[at][0][:CLIP], "is not valid JSON")
    return found
