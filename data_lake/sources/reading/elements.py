"""Elements of a JSON array of any size, in flat memory, whatever is broken in between.

Boundaries are guessed first and proven afterwards: every piece is checked by the JSON parser, so a wrong guess costs
time and never a row. With `row_start`, a pattern of how an element of the format begins, they are found by that
pattern: in well-formed JSON a quote inside a string is escaped, so text such as `{"_id":"` stands only where an object
begins. Elsewhere, and behind the last match, they are found by the depth of brackets. Nothing recurses with the nesting
of the data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import duckdb
import numpy as np
import pyarrow as pa

from data_lake.sources.reading.members import CLOSE_ARRAY, OPEN_OBJECT, Brackets, Members, opens
from data_lake.sources.reading.repair import SEPARATORS, Mended, Prover, Rhythm, mend
from data_lake.sources.reading.spans import Positions
from data_lake.sources.reading.splitting import BATCH_BYTES, CLIP, PIECE_BYTES, batches, decoded

_FIRST_KEY = re.compile(r'\{\s*("[^"\\]{1,64}")\s*:')
_SAMPLE_BYTES = 1 << 18
_SUSPECT_BYTES = 4 << 20
_AFTER_ARRAY = re.compile(rb'\s*(?:,\s*"|,?\s*\}|\Z)')
_OVERLAP = 4096
_IS_SEPARATOR = np.isin(np.arange(256), list(SEPARATORS))


def split_elements(
    con: duckdb.DuckDBPyConnection,
    blocks: Iterable[bytes],
    key: str | None = None,
    row_start: re.Pattern[bytes] | None = None,
    members: Members | None = None,
    batch_bytes: int = BATCH_BYTES,
) -> Iterator[pa.Table]:
    """Tables of pieces (see `splitting`), one row per element of the array under the top-level `key`.

    Elements are objects; what else stands in the array carries a problem. Without `key` the document itself is the
    array. `_row` counts elements from 1; wherever `_problem` is null, `_text` is JSON as DuckDB reads it, which allows
    trailing commas and NaN. `members` takes up the small members before the array and, once the tables are read, those
    behind it; its `found` stays false when there is no such array. `row_start` must begin with the opening brace and
    match no nested object.
    """
    beside = members if members is not None else Members()
    stream = iter(blocks)
    first = _until_top_array(stream, beside) if key is None else beside.until_array(stream, key, row_start)
    if not beside.found:
        return
    elements = _Elements(Prover(con), row_start, in_object=key is not None)
    yield from elements.tables(batches(chain([first], stream), batch_bytes))
    while elements.behind is not None:
        # Only after damage may what looks like a row behind the end be one: the end was part of the damage.
        rhythm = elements.rhythm if row_start is not None or elements.prover.broken else None
        again = beside.after_array(chain([elements.behind], stream), rhythm)
        if again is None:
            return
        yield elements.prover.listed([("", "the list seems to end here, and goes on: what stood between is lost")])
        yield from elements.tables(batches(chain([again], stream), batch_bytes))


def _until_top_array(stream: Iterator[bytes], beside: Members) -> bytes:
    before = b""
    for block in stream:
        before = (before + block).lstrip()
        if before:
            beside.found = before.startswith(b"[")
            return before[1:]
    return b""


@dataclass
class _Cut:
    """Complete elements at the start of a text: data[starts:ends], and what `state` the rest from `rest` on is in."""

    starts: Positions
    ends: Positions
    rest: int
    state: str  # 'more': the rest is incomplete; 'end': the array ended before it; 'damage'


@dataclass
class _Elements:
    prover: Prover
    row_start: re.Pattern[bytes] | None
    in_object: bool
    behind: bytes | None = None  # what was read behind the closing bracket of the array
    rhythm: Rhythm | None = None

    def tables(self, source: Iterator[bytes]) -> Iterator[pa.Table]:
        """All elements; sets `behind` when the end of the array was found."""
        held = b""
        hunting = False
        self.behind = None
        while True:
            chunk = next(source, None)
            data, final = held + (chunk or b""), chunk is None
            if hunting and self.rhythm:
                found = re.compile(self.rhythm.pattern.pattern.encode()).search(data)
                data, hunting = (data[found.start() :], False) if found else (data[-_OVERLAP:], True)
            if not hunting:
                data = yield from self._complete(data, final)
                if self.behind is not None:
                    return
                if len(data) > PIECE_BYTES:
                    reason = f"no end was found within {PIECE_BYTES >> 20} MB"
                    yield self.prover.listed([(decoded(data[: 4 * CLIP])[0][:CLIP], reason)])
                    data, hunting = data[-_OVERLAP:], True
            if final:
                if not hunting and data.strip(SEPARATORS):
                    yield self.prover.listed(self._last(data))
                return
            held = data

    def _learn(self, sample: bytes) -> None:
        """How rows begin: as the format says, else as the longest object among the first of the sample does."""
        if self.row_start is not None:
            self.rhythm = Rhythm(re.compile(self.row_start.pattern.decode()))
        if self.rhythm is not None:
            return
        text = sample[:_SAMPLE_BYTES].decode("utf-8", errors="replace")
        longest = 0
        for first in islice(_FIRST_KEY.finditer(text), 200):
            try:
                value, end = json.JSONDecoder().raw_decode(text, first.start())
            except (ValueError, RecursionError):
                continue
            if end - first.start() > longest:
                longest = end - first.start()
                self.rhythm = Rhythm(re.compile(r"\{\s*" + re.escape(first[1]) + r"\s*:"), frozenset(value))

    def _complete(self, data: bytes, final: bool) -> Generator[pa.Table, None, bytes]:
        """Yield the elements that are complete; returns what is left."""
        starts = ends = np.zeros(0, dtype=np.int64)
        after = 0  # where the last row begins that a pattern tells
        if self.row_start is not None:
            self._learn(data)
            marks = np.fromiter((found.start() for found in self._pattern(data).finditer(data)), dtype=np.int64)
            if len(marks) > 1:
                after = int(marks[-1])
                if data[: int(marks[0])].strip(SEPARATORS):
                    marks = np.concatenate([[0], marks])
                starts, ends = marks[:-1], _trimmed(data, marks[1:])
        while True:
            cut = self._cut(data[after:], final)
            if len(cut.ends):
                self._learn(data)
            starts, ends = np.concatenate([starts, cut.starts + after]), np.concatenate([ends, cut.ends + after])
            yield from self.prover.rows(data, starts, ends, self.rhythm)
            data = data[after + cut.rest :]
            starts, ends, after = starts[:0], ends[:0], 0
            if cut.state == "end":
                self.behind = data
            # A lost quote hides every end behind it: an element this long, or open at the end of the file, is damage.
            is_damaged = cut.state == "damage" or (cut.state == "more" and (final or len(data) > _SUSPECT_BYTES))
            if not is_damaged or self.row_start is not None:
                return data
            if not final and len(data) < _SAMPLE_BYTES:
                return data  # the next row, by which damage is told from data, may not be here yet
            self._learn(data)
            found, taken = mend(self.prover.con, data, self.rhythm, final=False)
            if not taken:
                return data
            if found:
                yield self.prover.listed(found)
            data = data[taken:]

    def _pattern(self, data: bytes) -> re.Pattern[bytes]:
        """How a row begins; without room for white space if the data has none there, which is faster.

        Rows it then misses are found when the piece that holds them is mended.
        """
        assert self.row_start is not None
        tight = re.compile(self.row_start.pattern.replace(rb"\s*", b""))
        return tight if tight.match(data.lstrip(SEPARATORS)) else self.row_start

    def _cut(self, data: bytes, final: bool) -> _Cut:
        positions, depths, kinds = Brackets().scan(data)
        below = np.flatnonzero(depths < 0)
        stop = int(below[0]) if len(below) else len(depths)
        opening = opens(kinds[:stop])
        first = np.flatnonzero(opening & (depths[:stop] == 1))
        last = np.flatnonzero(~opening & (depths[:stop] == 0))
        alike = (kinds[first[: len(last)]] == OPEN_OBJECT) & (kinds[last] == OPEN_OBJECT + 2)
        whole = len(last) if alike.all() else int(np.argmin(alike))
        starts, ends = positions[first[:whole]], positions[last[:whole]] + 1
        rest = int(ends[-1]) if whole else 0
        starts, ends = _with_strays(data, starts, ends)
        if whole < len(last):
            return _Cut(starts, ends, rest, "damage")
        if stop == len(depths) or whole < len(first):
            return _Cut(starts, ends, rest, "more" if stop == len(depths) else "damage")
        end = int(positions[stop])
        following = data[end + 1 : end + 1 + _OVERLAP]
        if not following.strip() and not final:
            return _Cut(starts, ends, rest, "more")
        expected = _AFTER_ARRAY.match(following) if self.in_object else not following.strip()
        if kinds[stop] != CLOSE_ARRAY or not expected or data[rest:end].strip(SEPARATORS):
            return _Cut(starts, ends, rest, "damage")
        return _Cut(starts, ends, end + 1, "end")

    def _last(self, data: bytes) -> Mended:
        """What is left when the file ends inside the array."""
        self._learn(data)
        found, _ = mend(self.prover.con, data, self.rhythm)
        return [(text, f"the file ends inside the list; {why}" if why else None) for text, why in found]


def _trimmed(data: bytes, ends: Positions) -> Positions:
    """Ends of the pieces whose successors begin at `ends`, without the comma and white space between them."""
    octets = np.frombuffer(data, dtype=np.uint8)
    ends = ends.copy()
    while True:
        separated = _IS_SEPARATOR[octets[ends - 1]]
        if not separated.any():
            return ends
        ends -= separated


def _with_strays(data: bytes, starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
    """Elements widened over what stands between them and is no separator, so that nothing is dropped unseen."""
    if not len(starts):
        return starts, ends
    starts, ends = starts.copy(), ends.copy()
    if data[: int(starts[0])].strip(SEPARATORS):
        starts[0] = 0
    for at, (end, start) in enumerate(zip(ends[:-1].tolist(), starts[1:].tolist(), strict=True)):
        if start - end != 1 and data[end:start].strip(SEPARATORS):
            ends[at] = start
    return starts, ends
