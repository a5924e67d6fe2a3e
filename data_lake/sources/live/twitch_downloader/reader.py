"""A TwitchDownloader file to rows, comments in batches.

The comments stream past in batches; what stands beside them is read by `video`, the comments themselves by `comments`.
Embedded images are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, Export, Problem, Rows
from data_lake.sources.live.twitch_downloader.comments import Comments, first_comment
from data_lake.sources.live.twitch_downloader.pages import LastPage, are_pages, comments_of
from data_lake.sources.live.twitch_downloader.start import starts_of
from data_lake.sources.live.twitch_downloader.video import MEMBERS, Video
from data_lake.sources.reading.blocks import read_head, read_utf8
from data_lake.sources.reading.captures import Stretches, capture_rows
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.members import Members
from data_lake.sources.reading.repair import session

# A comment begins with its id; what follows it depends on the version. Badges and emoticons begin with `_id` too.
ROW_START = re.compile(rb'\{\s*"_id"\s*:\s*"[^"]*"\s*,\s*"(?:created_at|channel_id|content_type|updated_at)"')


def read(export: Export) -> Iterator[Rows | Problem]:
    """Rows of channels, streams, stream_segments, chat_captures, chat_messages, stream_events and viewers."""
    problems: list[Problem] = []
    with session() as con:
        beside = Members()
        if are_pages(read_head(export.path).text):
            yield from _of_pages(export, con, problems)
            yield from problems
            return

        def comments() -> Iterator[pa.Table]:
            return split_elements(con.cursor(), read_utf8(export.path, problems), "comments", ROW_START, beside)

        tables = comments()
        first = next(tables, None)
        if "video" not in beside.values(*MEMBERS):
            # It may stand behind the comments, whose times need it.
            for _ in tables:
                pass
            around, beside = beside, Members()
            problems.clear()
            tables = comments()
            first = next(tables, None)
        else:
            around = beside
        video, faults = Video.read(around.values(*MEMBERS), partial(first_comment, con, first), starts_of(first))
        yield from faults
        if not around.found:
            yield Problem(None, "there is no list of comments in the file", "")
        if around.damaged:
            yield Problem(None, "the part before the comments is damaged; what could be read of it was kept")
        rows = Comments(con, video).rows(chain([first] if first is not None else [], tables))
        rows = _with_coverage(rows, video, lambda: bool(around.values("_next").get("_next")))
        yield from (_stamped(part, video) for part in chain(video.rows(), rows))
    yield from problems


def _of_pages(export: Export, con: duckdb.DuckDBPyConnection, problems: list[Problem]) -> Iterator[Rows | Problem]:
    """The rows of Twitch's own pages: nothing stands beside the comments, which say channel and VOD."""
    last = LastPage()
    tables = comments_of(con, read_utf8(export.path, problems), ROW_START, last)
    first = next(tables, None)
    video, faults = Video.read({}, partial(first_comment, con, first), starts_of(first))
    yield from faults
    rows = Comments(con, video).rows(chain([first] if first is not None else [], tables))
    rows = _with_coverage(rows, video, lambda: last.goes_on)
    yield from (_stamped(part, video) for part in chain(video.rows(), rows))


def _with_coverage(
    rows: Iterator[Rows | Problem], video: Video, goes_on: Callable[[], bool]
) -> Iterator[Rows | Problem]:
    """The rows, and of pages that end before their VOD does (asked behind the rows) what they cover."""
    stretches = Stretches()
    for part in rows:
        if isinstance(part, Rows) and part.entity == "chat_messages":
            stretches.lines(part.table.filter(pc.is_null(part.table[PROBLEM]))["sent_at"])
        yield part
    if video.channel_id and video.stream_id and goes_on():
        stretches.end()
        yield from capture_rows(stretches.captures(), "twitch", video.channel_id, video.stream_id)


def _stamped(part: Rows | Problem, video: Video) -> Rows | Problem:
    """The rows with the time the file says it was written; where it does not, the sidecar's is taken."""
    if isinstance(part, Problem) or video.observed_at is None:
        return part
    when = pa.repeat(pa.scalar(video.observed_at, pa.timestamp("us")), len(part.table))
    table = part.table.append_column("extracted_at", when)
    return Rows(part.entity, table.append_column("observed_at", when) if part.entity == "viewers" else table)
