"""A log of Twitch's IRC, in any of its forms, to rows: what is plain by the fast path, the rest by the slow path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.live.irc import DOCUMENT, RAW_ELEMENT
from data_lake.sources.live.irc.coverage import Coverage
from data_lake.sources.live.irc.elements import raw_lines, read_elements
from data_lake.sources.live.irc.fast_path import fast_rows
from data_lake.sources.live.irc.fields import read_lines
from data_lake.sources.live.irc.rows import EVENTS, MESSAGES, MODERATION, ROOM_STATES, ROOMS, SETTINGS, TIMED
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.captures import Capture, capture_rows, stated_captures
from data_lake.sources.reading.chat import Viewers, cheers_of
from data_lake.sources.reading.columns import constant, last_of_each
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.emotes import with_names
from data_lake.sources.reading.heads import are_json_lines
from data_lake.sources.reading.repair import prove_lines, session
from data_lake.sources.reading.sidecars import stated_text
from data_lake.sources.reading.splitting import ahead, split_lines, table_of

# How messages begin; nothing inside them does.
_BEGINS = re.compile(rb'\{\s*"text"\s*:\s*"')


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield chat_messages, stream_events, moderation_actions, and at the end chat_captures, channels and viewers.

    A line that is no IRC message, has no time or an unknown command is a bad row of chat_messages.
    """
    try:
        captures = stated_captures(export.sidecar)
    except ValueError as error:
        yield Problem(None, str(error))
        return
    problems: list[Problem] = []
    blocks = read_utf8(export.path, problems, stated_text(export.sidecar, "encoding"))
    first = next(blocks, b"")
    start = first[:65536].decode("utf-8", errors="replace").lstrip()
    stream = chain([first], blocks)
    is_raw = False
    with session() as con:
        if (document := DOCUMENT.match(start)) and RAW_ELEMENT.match(start[document.end() :]):
            tables, is_raw = _raw_elements(stream), True
        elif document:
            begins = _BEGINS if _BEGINS.search(first[:65536]) else None
            tables = split_elements(con.cursor(), stream, "messages", begins)
        elif are_json_lines(start):
            tables = prove_lines(con.cursor(), split_lines(stream))
        else:
            tables, is_raw = split_lines(stream), True
        log = _Log(con, export.sidecar)
        for table in ahead(tables):
            yield from log.rows(table, is_raw)
        yield from problems
        yield from log.captures(captures)
        yield from log.snapshots()


def _raw_elements(blocks: Iterator[bytes]) -> Iterator[pa.Table]:
    """A table of pieces that are the raw lines of `{"messages": [line, ...]}`; the service keeps less than a thousand.

    Of a damaged document every whole line is kept.
    """
    text = b"".join(blocks).decode("utf-8", errors="replace")
    try:
        listed = json.loads(text)["messages"]
    except (ValueError, RecursionError):
        listed = [_unquoted(found[0]) for found in _LISTED.finditer(text)]
    is_line = [isinstance(line, str) for line in listed]
    lines = [line if ok else json.dumps(line) for line, ok in zip(listed, is_line, strict=True)]
    reasons = [None if ok else "is not a line of IRC but another JSON value" for ok in is_line]
    yield table_of(list(range(1, len(lines) + 1)), lines, reasons)


_LISTED = re.compile(r'"[@:](?:[^"\\\n]|\\.)*"(?=\s*[,\]])')


def _unquoted(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]


@dataclass
class _Log:
    """The rows of one log, and what is known of its channels and viewers so far."""

    con: duckdb.DuckDBPyConnection
    sidecar: Mapping[str, Any]
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)  # as in the table of that name
    viewers: Viewers = field(default_factory=Viewers)
    coverage: Coverage = field(default_factory=Coverage)

    def __post_init__(self) -> None:
        self.con.execute("create temp table rooms (channel varchar primary key, known_id varchar)")

    def rows(self, pieces: pa.Table, is_raw: bool) -> Iterator[Rows | Problem]:
        """The rows of a batch of lines or elements."""
        lines = pieces[TEXT].combine_chunks() if is_raw else raw_lines(self.con, pieces)
        fast, is_fast = fast_rows(pieces, lines)
        spoken = [fast.select(_SPOKEN.names).cast(_SPOKEN)] if fast is not None else []
        if fast is not None:
            stated = stated_text(self.sidecar, "stream_id")
            self._note_rooms(fast)
            messages = fast.drop_columns(["channel"]).append_column("stream_id", constant(stated, len(fast)))
            yield from self._messages(messages.append_column("platform", constant("twitch", len(fast))))
            pieces = pieces.filter(pa.array(~is_fast))
        if len(pieces):
            (read_lines if is_raw else read_elements)(self.con, pieces)
            spoken.append(self.con.execute(TIMED).to_arrow_table().cast(_SPOKEN))
        if is_raw:
            self.coverage.note(pieces, pa.concat_tables(spoken))
        if not len(pieces):
            return
        self.con.execute(f"insert or replace into rooms {ROOMS}")
        self.rooms = dict(self.con.execute("from rooms").fetchall())
        messages, unnamed = with_names(self._read(MESSAGES))
        yield from unnamed
        yield from self._messages(messages)
        for entity, query in (("stream_events", EVENTS), ("moderation_actions", MODERATION)):
            rows = self._read(query)
            if rows.num_rows:
                yield Rows(entity, rows)
        for state in self._read(ROOM_STATES).to_pylist():
            said = {name: state[name] for name in SETTINGS if state[name] is not None}
            self.settings.setdefault(state["channel_id"], {}).update(said)

    def _messages(self, messages: pa.Table) -> Iterator[Rows]:
        self.viewers.note(messages, "viewer_id", "viewer_login", "viewer_display_name")
        at = messages.schema.get_field_index("badges")
        yield Rows("chat_messages", messages.set_column(at, "badges", badges_of(messages["badges"])))
        yield from cheers_of(messages)

    def _note_rooms(self, messages: pa.Table) -> None:
        last = last_of_each(messages.select(["channel", "channel_id", ROW]).sort_by(ROW), "channel")
        seen = dict(zip(last["channel"].to_pylist(), last["channel_id"].to_pylist(), strict=True))
        if seen.items() <= self.rooms.items():
            return
        self.rooms |= seen
        self.con.register("seen", last.drop_columns([ROW]))
        self.con.execute("insert or replace into rooms from seen")
        self.con.unregister("seen")

    def captures(self, stated: list[Capture]) -> Iterator[Rows]:
        """What the log covers of the channels whose ids it tells: as the sidecar states, else as its own lines say."""
        stream_id, channel_id = (stated_text(self.sidecar, name) for name in ("stream_id", "channel_id"))
        if stated:
            for known_id in [channel_id] if channel_id else sorted(set(self.rooms.values())):
                yield from capture_rows(stated, "twitch", known_id, stream_id)
            return
        for channel, captures in self.coverage.captures().items():
            if channel in self.rooms:
                yield from capture_rows(captures, "twitch", self.rooms[channel], stream_id)

    def snapshots(self) -> Iterator[Rows]:
        """One snapshot of each channel, with the last settings of its room, and of each viewer, as last seen."""
        logins = {known_id: channel for channel, known_id in self.con.execute("from rooms order by channel").fetchall()}
        ids = sorted({*logins, *self.settings})
        channels = {
            "platform": ["twitch"] * len(ids),
            "channel_id": ids,
            "login": [logins.get(i) or (i.removeprefix("login:") if i.startswith("login:") else None) for i in ids],
            "extra": [json.dumps(self.settings[i], sort_keys=True) if self.settings.get(i) else None for i in ids],
            ROW: [1] * len(ids),
            TEXT: [None] * len(ids),
            PROBLEM: [None] * len(ids),
        }
        if ids:
            yield Rows("channels", pa.table(channels, schema=_CHANNELS))
        yield from self.viewers.snapshots("twitch")

    def _read(self, query: str) -> pa.Table:
        stated = {name: stated_text(self.sidecar, name) for name in ("channel_id", "stream_id") if f"${name}" in query}
        return self.con.execute(query, stated).to_arrow_table()


_SPOKEN = pa.schema([(ROW, pa.int64()), ("channel", pa.string()), ("sent_at", pa.timestamp("us"))])
_CHANNELS = pa.schema(
    [(name, pa.string()) for name in ("platform", "channel_id", "login", "extra")]
    + [(ROW, pa.int64()), (TEXT, pa.string()), (PROBLEM, pa.string())]
)


def badges_of(column: pa.ChunkedArray) -> pa.Array:
    """Badges as `name/version,...` to lists, empty where there are none; each combination is read once."""
    codes = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    worn = [[badge.split("/", 1) for badge in text.split(",") if badge] for text in codes.dictionary.to_pylist()]
    pairs = [
        [{"name": name, "version": version[0] if version else None} for name, *version in badges] for badges in worn
    ]
    return pa.array(pairs, pa.list_(pa.struct([("name", pa.string()), ("version", pa.string())]))).take(codes.indices)
