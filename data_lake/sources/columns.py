"""What several chat formats need beside reading: small columns, the viewers of a file, how its rows are laid out.

What a column means does not belong here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Rows


def last_of_each(table: pa.Table, key: str) -> pa.Table:
    """The last row of each value of a column, in the order of the rows."""
    codes = table[key].combine_chunks().dictionary_encode()
    last = np.zeros(len(codes.dictionary), dtype=np.int64)
    last[codes.indices.to_numpy()] = np.arange(len(table))
    return table.take(np.sort(last))


def where(condition: Any, text: str) -> Any:
    """The text where the condition holds, null elsewhere."""
    return pc.if_else(pc.fill_null(condition, False), pa.scalar(text), pa.scalar(None, pa.string()))


def holds_name(lists: pa.Array, name: str) -> pa.Array:
    """Whether each list of structs holds one whose `name` is that; false for an empty list."""
    fits = pc.equal(pc.struct_field(lists.flatten(), "name"), name).to_numpy(zero_copy_only=False)
    found = np.zeros(len(lists), dtype=np.bool_)
    found[pc.list_parent_indices(lists).to_numpy()[fits.astype(np.bool_)]] = True
    return pa.array(found)


def constant(value: str | None, count: int) -> pa.Array:
    """A column of one text, or of nulls."""
    return pa.repeat(pa.scalar(value, pa.string()), count)


def one_row(**columns: Any) -> pa.Table:
    """One row: text, but for columns of times and days."""
    types = {"started_date": pa.date32(), ROW: pa.int64()}
    return pa.table(
        {
            name: pa.array([value], pa.timestamp("us") if name.endswith("_at") else types.get(name, pa.string()))
            for name, value in {**columns, ROW: 1, TEXT: None, PROBLEM: None}.items()
        }
    )


def are_json_lines(start: str) -> bool:
    """Whether most of the first whole lines of a file are JSON objects, each on a line of its own."""
    lines = [line.strip() for line in start.split("\n")]
    whole = [line for line in (lines[:-1] if len(lines) > 1 else lines)[:20] if line]
    return sum(line.startswith("{") and line.endswith("}") for line in whole) * 2 > len(whole)


class Viewers:
    """The viewers seen in one file, each as seen last."""

    def __init__(self) -> None:
        self._seen: pa.Table | None = None

    def note(self, rows: pa.Table, viewer_id: str, login: str, display_name: str) -> None:
        """Take up the viewers of good rows; the names are those of the columns that say who they are."""
        has_id = pc.invert(pc.fill_null(pc.starts_with(rows[viewer_id], "login:"), True))
        columns = {"viewer_id": viewer_id, "login": login, "display_name": display_name, ROW: ROW}
        seen = pa.table({name: rows[column] for name, column in columns.items()})
        seen = last_of_each(seen.filter(pc.and_(pc.is_null(rows[PROBLEM]), has_id)), "viewer_id")
        self._seen = seen if self._seen is None else last_of_each(pa.concat_tables([self._seen, seen]), "viewer_id")

    def looks(self, platform: str) -> list[Rows]:
        """One look at each viewer; no rows when there are none."""
        if self._seen is None or not len(self._seen):
            return []
        count = len(self._seen)
        looks = self._seen.append_column("platform", constant(platform, count))
        return [
            Rows(
                "viewers",
                looks.append_column(TEXT, constant(None, count)).append_column(PROBLEM, constant(None, count)),
            )
        ]
