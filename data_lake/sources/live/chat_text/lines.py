"""Lines of a chat log to time, name and text.

Fast path: lines of `[H:MM:SS] name: text` are cut where their colons stand. Slow path: the others, by an expression.
A test holds both equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.live.chat_text import HEAD, SAID
from data_lake.sources.reading.chat import said_by
from data_lake.sources.reading.clocks import CLOCK_BYTES, seconds_of_hour
from data_lake.sources.reading.spans import NOWHERE, Mask, byte_at, octets_of, texts

# A bound inside the expression makes it several times as slow.
LONGEST_NAME = 100
# Epoch numbers of this many or more are milliseconds, and then microseconds (seconds reach 1e11 in the year 5138).
MILLISECONDS, MICROSECONDS = 10**11, 10**14

_TIMESTAMP = pa.timestamp("us")
_BRACKET, _COLON, _SPACE, _ZERO = np.frombuffer(b"[: 0", dtype=np.uint8)
_SPACES = np.isin(np.arange(256), list(b"\t\n\f\r "))


@dataclass(frozen=True)
class Lines:
    """Columns of the same length: who said what when, and whether a line begins with a time and a name (`fits`).

    `offset` is in seconds since the start of the stream (float64), `sent_at` a moment (us), null where neither the line
    nor the sidecar says; `lacks_start` holds where the line is timed from a start that is not known.
    """

    name: pa.StringArray
    text: pa.StringArray
    offset: pa.DoubleArray
    sent_at: pa.TimestampArray
    lacks_start: pa.BooleanArray
    fits: pa.BooleanArray

    def columns(self) -> list[pa.Array]:
        return [self.name, self.text, self.offset, self.sent_at, self.lacks_start, self.fits]


def read_lines(lines: pa.StringArray, started_at: datetime | None) -> Lines:
    """Time, name and text of each line; `started_at` is naive UTC, None when it is not known."""
    fast, is_fast = _fast_path(lines, started_at)
    if is_fast.all():
        return fast
    slow = _slow_path(lines.filter(pa.array(~is_fast)), started_at)
    order = pa.array(np.argsort(np.concatenate([np.flatnonzero(is_fast), np.flatnonzero(~is_fast)])))
    parts = zip(fast.columns(), slow.columns(), strict=True)
    return Lines(*(pa.concat_arrays(part).take(order) for part in parts))


def _fast_path(lines: pa.StringArray, started_at: datetime | None) -> tuple[Lines, Mask]:
    """The lines with a time since the start as most logs write it, and which they are."""
    octets, starts, ends = octets_of(lines)
    colons = np.append(np.flatnonzero(octets == _COLON), [NOWHERE] * 3)
    nth = np.searchsorted(colons, starts)
    first = colons[nth]
    rows = np.flatnonzero((first < ends) & (first - starts >= 2) & (first - starts <= 5))
    starts, first, ends = starts[rows], first[rows], ends[rows]
    seconds, fits = seconds_of_hour(octets, first)
    colon = colons[nth[rows] + 2]  # behind the two of the time, the next one ends the name
    name = first + CLOCK_BYTES
    fits &= (octets[starts] == _BRACKET) & (colon < ends) & (colon > name) & (colon - name <= LONGEST_NAME)
    hour_digits = first - starts - 1
    for place in range(int(hour_digits.max(initial=0))):
        digit = octets[first - 1 - np.minimum(place, hour_digits)] - _ZERO  # below zero it wraps to more than 9
        fits &= (digit <= 9) | (place >= hour_digits)
        seconds += np.where(place < hour_digits, digit.astype(np.int64) * 3600 * 10**place, 0)
    kept = np.flatnonzero(fits)
    kept = kept[~_SPACES[octets[name[kept]]]]
    name, colon, ends, seconds = name[kept], colon[kept], ends[kept], seconds[kept]
    text = colon + 1
    text += (text < ends) & (byte_at(octets, text) == _SPACE)
    is_fast = np.zeros(len(lines), dtype=np.bool_)
    is_fast[rows[kept]] = True
    sent_at = pc.add(pa.scalar(started_at, _TIMESTAMP), pa.array(seconds * 1_000_000).cast(pa.duration("us")))
    return (
        Lines(
            name=texts(octets, name, colon),
            text=texts(octets, text, ends),
            offset=pa.array(seconds.astype(np.float64)),
            sent_at=sent_at,
            lacks_start=pa.array(np.full(len(kept), started_at is None)),
            fits=pa.array(np.ones(len(kept), dtype=np.bool_)),
        ),
        is_fast,
    )


def _slow_path(lines: pa.StringArray, started_at: datetime | None) -> Lines:
    parts = said_by(lines, HEAD, SAID)
    field = {name: pc.struct_field(parts, name) for name in (f.name for f in parts.type)}
    offset, sent_at = _times(field, started_at)
    return Lines(
        name=field["name"],
        text=field["text"],
        offset=offset,
        sent_at=sent_at,
        lacks_start=pc.and_(pc.is_valid(offset), pc.is_null(sent_at)),
        fits=pc.fill_null(pc.less_equal(pc.utf8_length(field["name"]), LONGEST_NAME), False),
    )


def _times(field: dict[str, pa.Array], started_at: datetime | None) -> tuple[pa.Array, pa.Array]:
    """(offset_seconds, sent_at) of each line, null where the line or the sidecar does not say."""
    hours = _number(field["hours"], pa.int64())
    negative = pc.starts_with(field["hours"], "-")
    clock = pc.add(pc.multiply(_number(field["minutes"], pa.float64()), 60.0), _number(field["seconds"], pa.float64()))
    magnitude = pc.add(pc.multiply(pc.abs(hours).cast(pa.float64()), 3600.0), clock)
    offset = pc.if_else(negative, pc.negate(magnitude), magnitude)
    epoch = _number(field["epoch"], pa.int64())
    scaled = pc.if_else(
        pc.less(epoch, MILLISECONDS),
        pc.multiply(epoch, 1_000_000),
        pc.if_else(pc.less(epoch, MICROSECONDS), pc.multiply(epoch, 1000), epoch),
    )
    stated = pc.strptime(field["utc"], format="%Y-%m-%d %H:%M:%S", unit="us", error_is_null=True)
    absolute = pc.coalesce(stated, scaled.cast(_TIMESTAMP))
    start = pa.scalar(started_at, _TIMESTAMP)
    since = pc.multiply(offset, 1_000_000.0).cast(pa.int64(), safe=False).cast(pa.duration("us"))
    sent_at = pc.coalesce(absolute, pc.add(start, since))
    elapsed = pc.divide(pc.subtract(absolute, start).cast(pa.int64()).cast(pa.float64()), 1_000_000.0)
    return pc.coalesce(offset, elapsed), sent_at


def _number(digits: pa.Array, to: pa.DataType) -> pa.Array:
    """The digits as numbers; null where the part of the line is absent, which extract_regex gives as ''."""
    return pc.if_else(pc.equal(digits, ""), pa.scalar(None, pa.string()), digits).cast(to)
