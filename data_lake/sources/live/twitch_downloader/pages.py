"""Comments of a VOD as Twitch's own pages have them (rechat), in whatever a downloader made of the pages.

A page is `{"comments": [...], "_next": ...}`. Files hold one page, pages in a list or one per line, or the comments of
all pages in a list or one per line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain

import duckdb
import pyarrow as pa

from data_lake.sources.base import PROBLEM, TEXT
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.repair import prove_lines
from data_lake.sources.reading.splitting import split_lines, table_of

_EXPLODED = f"""
    with pieces as (
        select row_number() over () as nth, {TEXT}, {PROBLEM},
            case when {PROBLEM} is null then json_extract({TEXT}, '$.comments') end as comments
        from batch
    ),
    every as (
        select nth, {PROBLEM},
            unnest(case when is_page then json_extract(comments, '$[*]')::varchar[] else [{TEXT}] end) as {TEXT},
            unnest(range(case when is_page then json_array_length(comments)::bigint else 1 end)) as place
        from (select *, coalesce(json_type(comments) = 'ARRAY', false) as is_page from pieces)
    )
    select {TEXT}, {PROBLEM} from every order by nth, place"""


def are_pages(start: str) -> bool:
    """Whether a file that begins so is a list, or one JSON value per line, and not one object."""
    first, _, rest = start.strip().partition("\n")  # other ends of lines can stand in an object that was damaged
    return first.startswith("[") or (
        first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip()[:1] == "{"
    )


class LastPage:
    """The last page of a file."""

    def __init__(self) -> None:
        self.text = ""

    @property
    def goes_on(self) -> bool:
        """Whether it names a page behind it, which the file does not have."""
        try:
            page = json.loads(self.text)
        except (ValueError, RecursionError):
            return False
        return isinstance(page, dict) and isinstance(page.get("comments"), list) and bool(page.get("_next"))


def comments_of(
    con: duckdb.DuckDBPyConnection, blocks: Iterable[bytes], row_start: re.Pattern[bytes], last: LastPage
) -> Iterator[pa.Table]:
    """Tables of pieces (see `splitting`), one row per comment, numbered through the file; keeps the last page."""
    stream = iter(blocks)
    first = next(stream, b"")
    start = first[:65536].decode("utf-8", errors="replace")
    joined = chain([first], stream)
    if start.lstrip().startswith("["):
        is_of_comments = row_start.match(start.lstrip()[1:].lstrip().encode()) is not None
        tables = split_elements(con.cursor(), joined, row_start=row_start if is_of_comments else None)
    else:
        tables = prove_lines(con.cursor(), split_lines(joined))
    count = 0
    mapping = con.cursor()  # of its own: pieces are cut beside the mapping of those before
    for table in tables:
        last.text = (table[TEXT][-1].as_py() if len(table) else None) or last.text
        mapping.register("batch", table)
        exploded = mapping.execute(_EXPLODED).to_arrow_table()
        numbers = list(range(count + 1, count + 1 + len(exploded)))
        count += len(exploded)
        yield table_of(numbers, exploded[TEXT].to_pylist(), exploded[PROBLEM].to_pylist())
