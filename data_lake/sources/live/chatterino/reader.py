"""Lines of a Chatterino log to messages, moderation and events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.live.chatterino import CLOCK, HEADING
from data_lake.sources.live.chatterino.days import Heading
from data_lake.sources.live.chatterino.fast_path import clocks_of, fast_rows
from data_lake.sources.live.chatterino.log import BATCH_BYTES, Log, heading, stated
from data_lake.sources.live.chatterino.sentences import MAY_BE_TOLD, Sentences
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.captures import capture_rows
from data_lake.sources.reading.chat import by_login, said_by
from data_lake.sources.reading.columns import constant, one_row, text_where_broken, where
from data_lake.sources.reading.sidecars import moment, stated_text
from data_lake.sources.reading.spans import Mask, octets_of, stands
from data_lake.sources.reading.splitting import split_lines
from data_lake.sources.reading.twitch_notices import Notices

# RE2 for Arrow. A localised name stands before the login, or (in older versions) behind it in brackets.
NAME = r"(?:(?P<localised>[^\s:]*[^\x00-\x7f\s:][^\s:]*) )?(?P<login>[^\s:()]+)(?:\((?P<shown>[^)]+)\))?"
_LOGIN = r"^[a-z0-9_]{1,25}$"
# A bound inside the expression makes it several times as slow.
LONGEST_NAME = 60
SAID = r": (?P<text>(?s:.*))"


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield chat_messages, moderation_actions and stream_events, a snapshot of the channel, and chat_captures.

    A line that is neither a message nor a sentence known here is a bad row of chat_messages.
    """
    problems: list[Problem] = []
    encoding = stated_text(export.sidecar, "encoding")
    try:
        log = stated(export, heading(export, encoding))
    except ValueError as error:
        yield Problem(None, str(error))
        return
    if not log.has_day or log.zone is None:
        missing = ["date (such as 2026-01-31)"] * (not log.has_day) + ["time_zone (such as Europe/Berlin)"] * (
            log.zone is None
        )
        yield Problem(None, f"the log has local times of day only: write {' and '.join(missing)} into its sidecar "
                      f"{export.path.name}.yml")  # fmt: skip
    notices = Notices("\x1f".join([log.platform, log.channel_id, log.stream_id or export.name]))
    for lines in split_lines(read_utf8(export.path, problems, encoding), BATCH_BYTES):
        yield from _rows(lines, log, notices)
    yield from problems
    yield Rows("channels", one_row(platform=log.platform, channel_id=log.channel_id, login=log.login))
    yield from capture_rows(log.captures(), log.platform, log.channel_id, log.stream_id)


def _rows(lines: pa.Table, log: Log, notices: Notices) -> Iterator[Rows]:
    text = lines[TEXT].combine_chunks()
    clock = clocks_of(text)
    headings, is_heading = _headings(text)
    moments, logged_at = log.days.moments(clock, headings)
    sent_at = log.in_utc(moments)
    log.note(headings, logged_at, sent_at)
    messages, is_fast = fast_rows(text, lines, sent_at, log)
    if len(messages):
        yield Rows("chat_messages", messages)
    is_left = ~(is_fast | is_heading | (pc.binary_length(text).to_numpy() == 0))
    if is_left.any():
        left = pa.array(is_left)
        yield from _other_rows(
            lines.filter(left).combine_chunks(), pa.array(~np.isnan(clock[is_left])), sent_at.filter(left), log, notices
        )


def _headings(text: pa.StringArray) -> tuple[list[Heading], Mask]:
    """The headings of a batch, and which lines they are."""
    octets, starts, _ = octets_of(text)
    is_heading = stands(octets, starts, b"# S")
    headings = []
    for place in np.flatnonzero(is_heading).tolist():
        parts = HEADING.match(text[place].as_py())
        is_heading[place] = parts is not None
        try:
            if parts and (at := moment(f"{parts['day']} {parts['clock']}")):
                headings.append(Heading(place, at, is_end=parts["kind"] == "Stop"))
        except ValueError:
            is_heading[place] = False
    return headings, is_heading


def _other_rows(
    lines: pa.Table, is_timed: pa.BooleanArray, sent_at: pa.TimestampArray, log: Log, notices: Notices
) -> Iterator[Rows]:
    """Rows of the lines that are no plain messages; headings are not among them."""
    text, problem = lines[TEXT].combine_chunks(), lines[PROBLEM].combine_chunks()
    line = pc.if_else(is_timed, text, pa.scalar(None, pa.string()))
    rest = pc.replace_substring_regex(line, CLOCK, "", max_replacements=1)
    message = said_by(rest, NAME, SAID)
    login, localised, shown = (pc.struct_field(message, name) for name in ("login", "localised", "shown"))
    is_name = pc.and_(
        pc.less_equal(pc.utf8_length(login), LONGEST_NAME),
        pc.or_(pc.equal(localised, ""), pc.match_substring_regex(login, _LOGIN)),
    )
    said = pc.struct_field(message, "text")
    sentences = Sentences(notices)
    may_be_told = pc.indices_nonzero(pc.and_(is_name, pc.match_substring_regex(said, MAY_BE_TOLD)))
    told = [
        place
        for place, writer, words in zip(
            may_be_told.to_pylist(), *(c.take(may_be_told).to_pylist() for c in (login, said)), strict=True
        )
        if sentences.is_told(place, writer, words)
    ]
    is_message = pc.fill_null(is_name, False).to_numpy(zero_copy_only=False).copy()
    is_sentence = (
        ~is_message & is_timed.to_numpy(zero_copy_only=False) & problem.is_null().to_numpy(zero_copy_only=False)
    )
    is_message[told] = False
    at = pa.array(np.flatnonzero(is_sentence))
    for place, sentence, written_at in zip(
        *(a.to_pylist() for a in (at, rest.take(at), sent_at.take(at))), strict=True
    ):
        sentences.read(place, sentence, written_at)
    problem = pc.coalesce(
        problem,
        where(pc.invert(is_timed), "the line does not begin with a time of day in brackets"),
        where(pc.is_null(sent_at), "the day or the time zone of the log is not known"),
        where(
            pc.is_in(pa.array(range(len(text)), pa.int64()), pa.array(sentences.unknown, pa.int64())),
            "is neither a message nor a sentence known here",
        ),
    )
    name = pc.if_else(pc.equal(localised, ""), pc.if_else(pc.equal(shown, ""), login, shown), localised)
    rows = pa.table(
        {
            "platform": constant(log.platform, len(text)),
            "channel_id": constant(log.channel_id, len(text)),
            "stream_id": constant(log.stream_id, len(text)),
            "sent_at": sent_at,
            **by_login(login),
            "viewer_display_name": name,
            "text": said,
            "message_type": constant("chat", len(text)),
            ROW: lines[ROW],
            TEXT: text_where_broken(problem, text),
            PROBLEM: problem,
        }
    )
    yield Rows("chat_messages", rows.filter(pc.or_(pa.array(is_message), pc.is_valid(problem))))
    good = pc.is_null(problem).to_pylist()
    for entity, placed in (("moderation_actions", sentences.actions), ("stream_events", sentences.events)):
        kept = sorted(((place, row) for place, row in placed if good[place]), key=lambda placed: placed[0])
        if kept:
            yield Rows(entity, _table_of(rows, kept))


_TYPES = dict.fromkeys(
    ("viewer_id", "viewer_login", "event_type", "tier", "gift_group_id", "gift_recipient_id", "message_text", "extra",
     "action_type", "target_viewer_id", "moderator_id", "reason"), pa.string())  # fmt: skip
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
