"""Chatterino's day logs: `<channel>-<YYYY-MM-DD>.log`, lines of `[HH:MM:SS]  name: text` in the person's local time.

    # Start logging at 2026-01-31 18:00:00 CET
    [18:00:05]  someone: hello
    [18:00:09]  someone has been timed out for 10m.

No line has ids, a date or a zone. The day comes from the sidecar (`date`), the file name or the heading; the zone from
the sidecar (`time_zone`, such as Europe/Berlin) or a heading in UTC; the channel from the sidecar or the file name.
"""

from __future__ import annotations

import re

from data_lake.sources.base import Evidence, Head, Source, reader_of

HEADING = re.compile(r"^# (?:Start|Stop) logging at (\d{4}-\d\d-\d\d) [\d:]+ ?(\S*)")
_LINE = re.compile(r"\[\d\d:\d\d:\d\d\]  \S")


def recognise(head: Head) -> str | None:
    """'a Chatterino log' when most of the first lines are a time of day in brackets, two spaces and more."""
    lines = [line for line in head.text.splitlines()[:50] if line.strip()]
    fitting = sum(_LINE.match(line) is not None or HEADING.match(line) is not None for line in lines)
    return "a Chatterino day log" if lines and fitting * 5 >= len(lines) * 4 else None


SOURCE = Source(
    name="chatterino",
    world="live",
    version=1,
    entities=("chat_messages", "moderation_actions", "stream_events", "channels"),
    evidence=Evidence.LIKENESS,
    trust=20,
    looks_for="a Chatterino log: lines of [HH:MM:SS], two spaces, name: text",
    recognise=recognise,
    parse=reader_of(__name__),
)
