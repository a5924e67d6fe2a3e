"""JSON rows straight to typed Arrow columns, for the rows of a format that look as most of them do.

Arrow's reader takes half the time of anything else here and gives up at the first value of another type: a batch it
cannot read takes the slow path.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from data_lake.sources.base import PROBLEM, TEXT

# A batch is read in so many parts at once.
_PARTS = 2
_ROWS_PER_PART = 2000
_OPEN_OBJECT, _CLOSE_OBJECT = 0x7B, 0x7D


def typed(pieces: pa.Table, schema: pa.Schema, is_strict: bool = False) -> pa.Table | None:
    """The members `schema` names, one row per piece; None when a piece has a problem or is not of this shape.

    Members the schema lacks are ignored (when `is_strict` they are another shape), absent ones null. Pieces need not
    have been proven to be JSON: a table says that each is one object.
    """
    if pieces[PROBLEM].null_count < len(pieces):
        return None
    column = pieces[TEXT].combine_chunks()
    if not _look_like_objects(column):
        return None
    size = max(_ROWS_PER_PART, -(-len(column) // _PARTS))
    parts = [column.slice(at, size) for at in range(0, len(column), size)]
    with ThreadPoolExecutor(_PARTS) as readers:
        tables = list(readers.map(lambda part: _read(part, schema, is_strict), parts))
    whole = [table for table in tables if table is not None]
    return pa.concat_tables(whole).combine_chunks() if whole and len(whole) == len(parts) else None


def _look_like_objects(column: pa.StringArray) -> bool:
    """Whether every piece begins with { and ends with }.

    Arrow 25 dies of a `null` in the place of the first row, and takes one further down for a row.
    """
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    starts, ends = bounds[:-1], bounds[1:]
    if column.null_count or not (ends - starts > 1).all():
        return False
    octets = np.frombuffer(data, dtype=np.uint8)
    return bool((octets[starts] == _OPEN_OBJECT).all() and (octets[ends - 1] == _CLOSE_OBJECT).all())


def _read(column: pa.StringArray, schema: pa.Schema, is_strict: bool) -> pa.Table | None:
    # A piece that ends inside a string is an error at the line feed, one that ends inside an object is one at the next
    # piece's brace: as many objects as pieces are one in each.
    lines = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column), "\n")
    text = lines[0].as_buffer()
    try:
        table = pyarrow.json.read_json(
            pa.BufferReader(text),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=text.size + 1),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=schema,
                unexpected_field_behavior="error" if is_strict else "ignore",
                newlines_in_values=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table if len(table) == len(column) and table.schema.names == schema.names else None
