"""Lines of a Chatterino day log to messages, moderation and events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.live.chatterino import HEADING
from data_lake.sources.live.chatterino.fast_path import fast_rows
from data_lake.sources.live.chatterino.log import BATCH_BYTES, Log, heading, stated
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.chat import by_login, said_by
from data_lake.sources.reading.columns import constant, one_row, text_where_broken, where
from data_lake.sources.reading.sidecars import stated_text
from data_lake.sources.reading.splitting import split_lines
from data_lake.sources.reading.twitch_notices import Notices

# RE2 for Arrow. Two spaces: one is a bracketed time since the start of a stream (see `chat_text`).
LINE = r"^\[[0-2]\d:[0-5]\d:[0-5]\d\]  "
NAME = r"(?P<login>[^\s:()]+)(?:\((?P<shown>[^)]+)\))?"
# A bound inside the expression makes it several times as slow.
LONGEST_NAME = 60
SAID = r": (?P<text>(?s:.*))"

_ACTIONS = {
    "ban": (r"(?P<user>\w+) has been permanently banned\.", r"(?P<mod>\w+) banned (?P<user>\w+)\."),
    "timeout": (
        r"(?P<user>\w+) has been timed out for (?P<length>(?:\d+[wdhms] ?)+)\.",
        r"(?P<mod>\w+) timed out (?P<user>\w+) for (?P<length>(?:\d+[wdhms] ?)+)\.",
    ),
    "unban": (r"(?P<mod>\w+) (?:unbanned|untimedout) (?P<user>\w+)\.",),
    "clear": (r"Chat has been cleared by a moderator\.", r"(?P<mod>\w+) cleared the chat\."),
    "delete": (r"(?P<mod>\w+) deleted message from (?P<user>\w+) saying",),
}
_SENTENCES = [(kind, re.compile(text)) for kind, texts in _ACTIONS.items() for text in texts]
_RAID = re.compile(r"(?P<count>\d{1,7}) raiders from (?P<user>\w+) have joined")
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
# What Chatterino says about its connection and the room.
_SILENT = re.compile(
    r"(?:joined|parted|connected|disconnected|reconnected|joining|now in |this room is |this chat is |announcement$|"
    r"\w+ is (?:now )?(?:live|offline)|users (?:joined|parted)|live now|login expired)",
    re.IGNORECASE,
)


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield chat_messages, moderation_actions and stream_events, and a snapshot of the channel.

    A line that is neither a message nor a sentence known here is a bad row of chat_messages.
    """
    problems: list[Problem] = []
    encoding = stated_text(export.sidecar, "encoding")
    try:
        log = stated(export, heading(export, encoding))
    except ValueError as error:
        yield Problem(None, str(error))
        return
    if log.day is None or log.zone is None:
        missing = ["date (such as 2026-01-31)"] * (log.day is None) + ["time_zone (such as Europe/Berlin)"] * (
            log.zone is None
        )
        yield Problem(None, f"the log has local times of day only: write {' and '.join(missing)} into its sidecar "
                      f"{export.path.name}.yml")  # fmt: skip
    notices = Notices("\x1f".join([log.platform, log.channel_id, str(log.day)]))
    for lines in split_lines(read_utf8(export.path, problems, encoding), BATCH_BYTES):
        yield from _rows(lines, log, notices)
    yield from problems
    yield Rows("channels", one_row(platform=log.platform, channel_id=log.channel_id, login=log.login))


def _rows(lines: pa.Table, log: Log, notices: Notices) -> Iterator[Rows]:
    text = lines[TEXT].combine_chunks()
    messages, is_fast = fast_rows(text, lines, log)
    if len(messages):
        yield Rows("chat_messages", messages)
    if is_fast.all():
        return
    lines = lines.filter(pa.array(~is_fast)).combine_chunks()
    text = lines[TEXT].combine_chunks()
    is_heading = pc.or_(pc.match_substring_regex(text, HEADING.pattern), pc.equal(text, ""))
    lines = lines.filter(pc.invert(is_heading)).combine_chunks()
    text, problem = lines[TEXT].combine_chunks(), lines[PROBLEM].combine_chunks()
    is_line = pc.match_substring_regex(text, LINE)
    line = pc.if_else(is_line, text, pa.scalar(None, pa.string()))
    rest = pc.utf8_slice_codeunits(line, len("[00:00:00]  "))
    message = said_by(rest, NAME, SAID)
    is_name = pc.less_equal(pc.utf8_length(pc.struct_field(message, "login")), LONGEST_NAME)
    message = pc.if_else(is_name, message, pa.scalar(None, message.type))
    sent_at = log.moments(pc.utf8_slice_codeunits(line, 1, len("[00:00:00")))
    login, shown = pc.struct_field(message, "login"), pc.struct_field(message, "shown")
    is_said = pc.and_(is_line, pc.is_null(message))
    sentences = _Sentences(log, notices)
    at = pc.indices_nonzero(pc.and_(is_said, pc.is_null(problem)))
    for place, sentence, moment in zip(*(a.to_pylist() for a in (at, rest.take(at), sent_at.take(at))), strict=True):
        sentences.read(place, sentence, moment)
    problem = pc.coalesce(
        problem,
        where(pc.invert(is_line), "the line does not begin with [HH:MM:SS] and two spaces"),
        where(pc.is_null(sent_at), "the day or the time zone of the log is not known"),
        where(
            pc.is_in(pa.array(range(len(text)), pa.int64()), pa.array(sentences.unknown, pa.int64())),
            "is neither a message nor a sentence known here",
        ),
    )
    rows = pa.table(
        {
            "platform": constant(log.platform, len(text)),
            "channel_id": constant(log.channel_id, len(text)),
            "stream_id": constant(log.stream_id, len(text)),
            "sent_at": sent_at,
            **by_login(login),
            "viewer_display_name": pc.if_else(pc.equal(shown, ""), login, shown),
            "text": pc.struct_field(message, "text"),
            "message_type": constant("chat", len(text)),
            ROW: lines[ROW],
            TEXT: text_where_broken(problem, text),
            PROBLEM: problem,
        }
    )
    yield Rows("chat_messages", rows.filter(pc.or_(pc.is_valid(message), pc.is_valid(problem))))
    good = pc.is_null(problem).to_pylist()
    for entity, placed in (("moderation_actions", sentences.actions), ("stream_events", sentences.events)):
        kept = [(place, row) for place, row in placed if good[place]]
        if kept:
            yield Rows(entity, _table_of(rows, kept))


class _Sentences:
    """Reads the lines that are no messages: rows of moderation and events, and which sentences are unknown."""

    def __init__(self, log: Log, notices: Notices) -> None:
        self._log, self._notices = log, notices
        self.actions: list[tuple[int, dict[str, Any]]] = []
        self.events: list[tuple[int, dict[str, Any]]] = []
        self.unknown: list[int] = []

    def read(self, place: int, sentence: str, moment: datetime | None) -> None:
        for kind, pattern in _SENTENCES:
            if match := pattern.match(sentence):
                self.actions.append((place, _action(kind, match.groupdict())))
                return
        seconds = (datetime.combine(date(2000, 1, 1), time()) if moment is None else moment).timestamp()
        events = self._notices.read("", sentence, seconds)
        if events is not None:
            for event in events:
                row = {**asdict(event), "viewer_id": _id(event.viewer), "gift_recipient_id": _id(event.recipient)}
                row["viewer_login"] = event.viewer.lower() if event.viewer else None
                self.events.append((place, row))
        elif raid := _RAID.match(sentence):
            row = {"event_type": "raid", "raid_viewer_count": int(raid["count"]), "viewer_id": _id(raid["user"])}
            self.events.append((place, {**row, "viewer_login": raid["user"].lower()}))
        elif not _SILENT.match(sentence):
            self.unknown.append(place)


def _id(name: str | None) -> str | None:
    return f"login:{name.lower()}" if name else None


def _action(kind: str, groups: dict[str, str | None]) -> dict[str, Any]:
    parts = re.findall(r"(\d+)([wdhms])", groups.get("length") or "")
    return {
        "action_type": kind,
        "target_viewer_id": _id(groups.get("user")),
        "moderator_id": _id(groups.get("mod")),
        "duration_seconds": float(sum(int(n[:9]) * _SECONDS[unit] for n, unit in parts)) if parts else None,
    }


_TYPES = dict.fromkeys(
    ("viewer_id", "viewer_login", "event_type", "tier", "gift_group_id", "gift_recipient_id", "message_text", "extra",
     "action_type", "target_viewer_id", "moderator_id"), pa.string())  # fmt: skip
_TYPES |= {name: pa.int64() for name in ("month_count", "gift_count", "raid_viewer_count")}
_TYPES["duration_seconds"] = pa.float64()


def _table_of(rows: pa.Table, placed: list[tuple[int, dict[str, Any]]]) -> pa.Table:
    about = rows.select(["platform", "channel_id", "stream_id", "sent_at", ROW, TEXT, PROBLEM])
    table = about.take(pa.array([place for place, _ in placed], pa.int64()))
    table = table.rename_columns(["occurred_at" if name == "sent_at" else name for name in table.column_names])
    for name, kind in _TYPES.items():
        if any(name in row for _, row in placed):
            table = table.append_column(name, pa.array([row.get(name) for _, row in placed], kind))
    return table
