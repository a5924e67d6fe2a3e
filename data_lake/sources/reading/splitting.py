"""Blocks of UTF-8 to rows of text: lines, and the Arrow table every splitter yields.

A table of pieces has `_row` (int64, 1-based position in the file), `_text` (string, the row as it stands) and
`_problem` (string, null for a row that can be read on). Memory is bounded by the batch, whatever the size of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.reading.spans import Positions, texts

BATCH_BYTES = 8 << 20
# A row longer than this is damage (a lost quote or brace), not data: the largest real ones are some 100 KB.
PIECE_BYTES = 16 << 20
# Original text kept of a row that cannot be read, in characters.
CLIP = 1 << 16

_FEED, _RETURN = 10, 13
_IS_BLANK = np.isin(np.arange(256), (9, 32))

PIECES = pa.schema([(ROW, pa.int64()), (TEXT, pa.string()), (PROBLEM, pa.string())])


def is_utf8(column: pa.Array) -> bool:
    """Whether every string of the column is well-formed UTF-8."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def pieces(column: pa.Array, rows: Positions) -> pa.Table:
    """The table of strings known to be good, each at its row."""
    return pa.table([pa.array(rows, pa.int64()), column, pa.nulls(len(rows), pa.string())], schema=PIECES)


def checked_pieces(data: bytes, starts: Positions, ends: Positions, rows: Positions) -> pa.Table:
    """The table of the substrings data[start:end], each at its row; those that are not UTF-8 carry a problem."""
    column = texts(data, starts, ends)
    if is_utf8(column):
        return pieces(column, rows)
    read = [decoded(data[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return table_of(rows.tolist(), [text for text, _ in read], [reason for _, reason in read])


def table_of(rows: list[int], kept: list[str], reasons: list[str | None]) -> pa.Table:
    """A table of pieces from lists."""
    return pa.table({ROW: rows, TEXT: kept, PROBLEM: reasons}, schema=PIECES)


def decoded(piece: bytes) -> tuple[str, str | None]:
    """Text of a piece, and why it cannot be read on if it is not UTF-8 (then clipped, its bad bytes replaced)."""
    try:
        return piece.decode("utf-8"), None
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} of the row (0x{piece[error.start]:02X}) is not valid UTF-8"
        return piece[: 4 * CLIP].decode("utf-8", errors="replace")[:CLIP], reason


def batches(blocks: Iterable[bytes], batch_bytes: int = BATCH_BYTES) -> Iterator[bytes]:
    """Blocks joined until they hold at least `batch_bytes`."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= batch_bytes:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def split_lines(blocks: Iterable[bytes], batch_bytes: int = BATCH_BYTES) -> Iterator[pa.Table]:
    """Tables of pieces, one per line, in order; `_row` is the line number, blank lines are counted and left out.

    A line over 16 MB becomes one piece with a problem and the start of its text.
    """
    line = 0  # lines that are complete
    held = b""
    overlong = False
    for chunk in batches(blocks, batch_bytes):
        data = held + chunk if held else chunk
        if overlong:
            _, feed, data = data.partition(b"\n")
            held, overlong, line = b"", not feed, line + len(feed)
        feeds = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == _FEED)
        if len(feeds):
            yield from _lines(data, feeds, line)
            line += len(feeds)
        held = data[int(feeds[-1]) + 1 :] if len(feeds) else data
        if len(held) > PIECE_BYTES:
            text = held[: 4 * CLIP].decode("utf-8", errors="replace")[:CLIP]
            yield table_of([line + 1], [text], [f"the line is longer than {PIECE_BYTES >> 20} MB"])
            held, overlong = b"", True
    if held and not overlong:
        yield from _lines(held, np.array([len(held)]), line)


def _lines(data: bytes, ends: Positions, before: int) -> Iterator[pa.Table]:
    """The lines of data that end at `ends`, at a line feed or the end of the file each."""
    octets = np.frombuffer(data, dtype=np.uint8)
    starts = np.concatenate([[0], ends[:-1] + 1])
    ends = ends - ((octets[np.maximum(ends - 1, 0)] == _RETURN) & (ends > starts))
    keep = ends > starts
    for at in np.flatnonzero(keep & _IS_BLANK[octets[np.minimum(starts, len(data) - 1)]]).tolist():
        keep[at] = bool(data[starts[at] : ends[at]].strip())
    rows = before + 1 + np.arange(len(starts))
    if keep.all():
        yield checked_pieces(data, starts, ends, rows)
    elif keep.any():
        yield checked_pieces(data, starts[keep], ends[keep], rows[keep])


def ahead(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same tables, the next one made in a thread while the caller uses the last."""
    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = maker.submit(next, tables, None)
        while (table := coming.result()) is not None:
            coming = maker.submit(next, tables, None)
            yield table
