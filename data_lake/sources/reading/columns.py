"""Small columns that many formats make: constants, texts by condition, the last row of each key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT


def last_of_each(table: pa.Table, key: str) -> pa.Table:
    """The last row of each value of a column, in the order of the rows."""
    codes = table[key].combine_chunks().dictionary_encode()
    last = np.zeros(len(codes.dictionary), dtype=np.int64)
    last[codes.indices.to_numpy()] = np.arange(len(table))
    return table.take(np.sort(last))


def where(condition: Any, text: str) -> Any:
    """The text where the condition holds, null elsewhere."""
    return pc.if_else(pc.fill_null(condition, False), pa.scalar(text), pa.scalar(None, pa.string()))


def text_where_broken(problems: Any, texts: Any) -> Any:
    """The text of the rows with a problem; mostly there are none, and nothing is copied."""
    if problems.null_count == len(problems):
        return constant(None, len(texts))
    return pc.if_else(pc.is_valid(problems), texts, pa.scalar(None, pa.string()))


def holds_name(lists: pa.Array, name: str) -> pa.Array:
    """Whether each list of structs holds one whose `name` is that; false for an empty list."""
    fits = pc.equal(pc.struct_field(lists.flatten(), "name"), name).to_numpy(zero_copy_only=False)
    found = np.zeros(len(lists), dtype=np.bool_)
    found[pc.list_parent_indices(lists).to_numpy()[fits.astype(np.bool_)]] = True
    return pa.array(found)


def constant(value: str | None, count: int) -> pa.Array:
    """A column of one text, or of nulls."""
    if value is None:
        return pa.nulls(count, pa.string())
    text = value.encode()
    offsets = np.arange(count + 1, dtype=np.int32) * len(text)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text * count))


def one_row(**columns: Any) -> pa.Table:
    """One row: text, but for columns of times and days."""
    types = {"started_date": pa.date32(), ROW: pa.int64()}
    return pa.table(
        {
            name: pa.array([value], pa.timestamp("us") if name.endswith("_at") else types.get(name, pa.string()))
            for name, value in {**columns, ROW: 1, TEXT: None, PROBLEM: None}.items()
        }
    )
