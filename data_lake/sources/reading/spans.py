"""Parts of strings by their places in one buffer: whole columns are cut and compared by numpy, without a string each.

A place is a position in `octets`, the bytes of all rows one after another; those of many rows stand in one array. What
is read behind the end is zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Octets = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

NOWHERE = np.iinfo(np.int64).max  # a place behind all others
_WORD = 8
_LOWEST = np.array([(1 << 8 * count) - 1 for count in range(_WORD + 1)], dtype=np.uint64)  # masks of so many bytes
_INLINE = 12  # bytes of a short string that an Arrow string view holds itself
_HALF = np.uint64(32)


def octets_of(column: pa.StringArray) -> tuple[Octets, Positions, Positions]:
    """The bytes of a column of strings, and where each begins and ends; a null is an empty one."""
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    octets = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    return octets, bounds[:-1], bounds[1:]


def words(octets: Octets, at: Positions) -> Words:
    """The eight bytes from each place on, the first as the lowest."""
    if len(octets) < _WORD:
        octets = np.concatenate([octets, np.zeros(_WORD, dtype=np.uint8)])
    last = len(octets) - _WORD
    loaded = np.ndarray(last + 1, dtype="<u8", buffer=octets, strides=(1,))
    near = np.flatnonzero(at > last)
    if not len(near):
        return loaded[at]
    read = loaded[np.minimum(at, last)]
    missing = np.minimum(at[near] - last, _WORD)
    read[near] = (read[near] >> (8 * np.minimum(missing, _WORD - 1)).astype(np.uint64)) & _LOWEST[_WORD - missing]
    return read


def texts(data: bytes | Octets, starts: Positions, ends: Positions) -> pa.StringArray:
    """The substrings data[start:end] as an Arrow string column, without a Python object each. UTF-8 is not checked."""
    octets = np.frombuffer(data, dtype=np.uint8)
    lengths = ends - starts
    views = np.empty((len(starts), 2), dtype="<u8")
    # A string view is its length, four bytes, and the rest of a short string or the place of a long one.
    views[:, 0] = lengths.astype(np.uint64) | ((words(octets, starts) & _LOWEST[np.minimum(lengths, _WORD)]) << _HALF)
    views[:, 1] = starts.astype(np.uint64) << _HALF
    short = np.flatnonzero(lengths <= _INLINE)
    views[short, 1] = words(octets, starts[short] + 4) & _LOWEST[np.maximum(lengths[short] - 4, 0)]
    column = pa.Array.from_buffers(pa.string_view(), len(starts), [None, pa.py_buffer(views), pa.py_buffer(data)])
    return column.cast(pa.string())


def stands(octets: Octets, at: Positions, literal: bytes) -> Mask:
    """Whether the literal stands at each place."""
    fits = np.ones(len(at), dtype=np.bool_)
    for first in range(0, len(literal), _WORD):
        part = literal[first : first + _WORD]
        is_part = (words(octets, at + first) & _LOWEST[len(part)]) == np.uint64(int.from_bytes(part, "little"))
        fits &= is_part
    return fits


def byte_at(octets: Octets, at: Positions) -> Octets:
    """The byte at each place."""
    return np.asarray(octets[np.minimum(at, len(octets) - 1)] * (at < len(octets)), dtype=np.uint8)


def next_of(found: Positions, at: Positions) -> Positions:
    """The first of the places `found` (ascending) at or behind each place; NOWHERE where there is none."""
    return np.append(found, NOWHERE)[np.searchsorted(found, at)]


def holding(octets: Octets, starts: Positions, needles: Sequence[bytes]) -> Positions:
    """The rows, ascending, that hold any of the needles; rows begin at `starts` and follow one another.

    Most batches hold none: that costs a search of the whole buffer and nothing per row.
    """
    data = octets.tobytes()
    rows: set[int] = set()
    for needle in needles:
        at = data.find(needle)
        while at >= 0:
            rows.add(int(np.searchsorted(starts, at, side="right")) - 1)
            at = data.find(needle, at + 1)
    return np.array(sorted(rows), dtype=np.int64)
