"""Plain chat logs: TwitchDownloader text and lines that begin with a time and a name.

    [H:MM:SS] name: message                      time since the start of the stream
    [YYYY-MM-DD HH:MM:SS UTC] name: message
    <epoch seconds or milliseconds> name: message, with or without the brackets

Such a log has no ids, no channel and often no date. Its sidecar states `platform`, `channel_id` or `channel_login`,
and, where known, `stream_id` or `vod_id`, `stream_started_at` (needed for times since the start), `stream_ended_at` and
`stream_title`.
"""

from __future__ import annotations

import re

from data_lake.sources.base import Evidence, Head, Source, reader_of

# RE2 for Arrow, and the same for Python's re. One space after a bracketed time: two are Chatterino's time of day.
HEAD = (
    r"(?:\[(?P<hours>-?\d{1,4}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d(?:\.\d{1,6})?)\]"
    r"|\[(?P<utc>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC\]"
    r"|[\[<]?(?P<epoch>\d{9,16})(?:\.\d{1,6})?[\]>]?)"
    r" (?P<name>[^\s:][^:]*)"
)

SAID = r": ?(?P<text>(?s:.*))"
LINE = f"^{HEAD}{SAID}$"
EXPECTED = "[H:MM:SS] name: message, [YYYY-MM-DD HH:MM:SS UTC] name: message, or epoch seconds name: message"


def recognise(head: Head) -> str | None:
    """'a chat log' when most of the first lines are a time, a name and a message."""
    lines = [line for line in head.text.splitlines()[:50] if line.strip()]
    if not lines:
        return None
    fitting = sum(re.match(LINE, line) is not None for line in lines)
    return "a chat log as text (TwitchDownloader or plain)" if fitting * 5 >= len(lines) * 4 else None


SOURCE = Source(
    name="chat_text",
    world="live",
    version=3,
    entities=("channels", "streams", "chat_captures", "chat_messages", "stream_events"),
    evidence=Evidence.LIKENESS,
    trust=10,
    looks_for=f"lines such as {EXPECTED}",
    recognise=recognise,
    parse=reader_of(__name__),
)
