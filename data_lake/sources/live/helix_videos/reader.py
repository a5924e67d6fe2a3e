"""Pages of videos to rows of streams, videos and channels."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.members import Members
from data_lake.sources.reading.repair import prove_lines, session
from data_lake.sources.reading.sidecars import stated_text
from data_lake.sources.reading.splitting import split_lines
from data_lake.sources.reading.twitch_videos import STREAM_ROWS, VIDEO_ROWS, VIDEOS


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield a snapshot of each archived stream, of each other video, and of each channel.

    `observed_at` is left to the sidecar's `exported_at`: the answer does not say when it was given. A video that cannot
    be read is a bad row of streams.
    """
    problems: list[Problem] = []
    channels: dict[str, tuple[int, str | None, str | None]] = {}
    with session() as con:
        for pieces in _pieces(con, export, problems):
            con.register("pieces", pieces)
            con.execute(VIDEOS)
            con.unregister("pieces")
            for entity, query in (("streams", STREAM_ROWS), ("videos", VIDEO_ROWS)):
                table = con.execute(query).to_arrow_table()
                if table.num_rows:
                    yield Rows(entity, table)
            for channel, *named in con.execute(
                f"select channel_id, arg_max({ROW}, {ROW}), arg_max(login, {ROW}), arg_max(display_name, {ROW}) "
                "from videos where problem is null group by channel_id order by min(_row)"
            ).fetchall():
                channels[channel] = (named[0], named[1], named[2])
    yield from problems
    if channels:
        yield Rows("channels", _channel_rows(channels))


def _pieces(con: duckdb.DuckDBPyConnection, export: Export, problems: list[Problem]) -> Iterator[pa.Table]:
    """Tables of pieces: videos, or pages of them."""
    encoding = stated_text(export.sidecar, "encoding")
    members = Members()
    yield from split_elements(con.cursor(), read_utf8(export.path, problems, encoding), members=members)
    if members.found:
        return
    problems.clear()
    if _has_many_pages(export, encoding):
        yield from prove_lines(con.cursor(), split_lines(read_utf8(export.path, problems, encoding)))
        return
    members = Members()
    yield from split_elements(con.cursor(), read_utf8(export.path, problems, encoding), key="data", members=members)
    if not members.found:
        problems.append(Problem(None, "there is no list of videos: neither an array nor an object with 'data'"))


def _has_many_pages(export: Export, encoding: str | None) -> bool:
    """Whether the file holds one object per line: the second line that is not empty begins one."""
    lines_read: list[str] = []
    for lines in split_lines(read_utf8(export.path, [], encoding)):
        lines_read += lines.column(TEXT).slice(0, 2).to_pylist()
        if len(lines_read) > 1:
            return lines_read[0].startswith('{"') and lines_read[0].endswith("}") and lines_read[1].startswith('{"')
    return False


def _channel_rows(channels: dict[str, tuple[int, str | None, str | None]]) -> pa.Table:
    rows, logins, names = zip(*channels.values(), strict=True)
    return pa.table(
        {
            "platform": pa.repeat("twitch", len(rows)),
            "channel_id": list(channels),
            "login": pa.array(logins, pa.string()),
            "display_name": pa.array(names, pa.string()),
            ROW: pa.array(rows, pa.int64()),
            TEXT: pa.nulls(len(rows), pa.string()),
            PROBLEM: pa.nulls(len(rows), pa.string()),
        }
    )
