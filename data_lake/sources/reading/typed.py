"""JSON rows straight to typed Arrow columns, for the rows of a format that look as most of them do.

Arrow's reader takes half the time of anything else here and gives up at the first value of another type: a batch it
cannot read is read the careful way.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.json

from data_lake.sources.base import PROBLEM, TEXT

# A batch is read in so many parts at once.
_PARTS = 2
_ROWS_PER_PART = 2000


def typed(pieces: pa.Table, schema: pa.Schema, is_strict: bool = False) -> pa.Table | None:
    """The members `schema` names, one row per piece; None when a piece has a problem or is not of this shape.

    Members the schema lacks are ignored (when `is_strict` they are another shape), absent ones null. Pieces need not
    have been proven to be JSON.
    """
    if pieces[PROBLEM].null_count < len(pieces):
        return None
    column = pieces[TEXT].combine_chunks()
    size = max(_ROWS_PER_PART, -(-len(column) // _PARTS))
    parts = [column.slice(at, size) for at in range(0, len(column), size)]
    with ThreadPoolExecutor(_PARTS) as readers:
        read = list(readers.map(lambda part: _read(part, schema, is_strict), parts))
    found = [table for table in read if table is not None]
    return pa.concat_tables(found).combine_chunks() if found and len(found) == len(parts) else None


def _read(column: pa.Array, schema: pa.Schema, is_strict: bool) -> pa.Table | None:
    _, offsets, data = column.buffers()
    positions = memoryview(offsets).cast("i")
    first, last = positions[column.offset], positions[column.offset + len(column)]
    try:
        table = pyarrow.json.read_json(
            pa.BufferReader(data.slice(first, last - first)),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=max(last - first, 1) + 1),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=schema,
                unexpected_field_behavior="error" if is_strict else "ignore",
                newlines_in_values=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    # Two objects in one piece, or one over two, would move every row after them.
    return table if len(table) == len(column) and table.schema.names == schema.names else None
