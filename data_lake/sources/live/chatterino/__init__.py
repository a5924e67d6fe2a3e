"""Chatterino's logs: `<channel>-<YYYY-MM-DD>.log` for a day, `<channel>-<stream id>.log` for a stream.

    # Start logging at 2026-01-31 18:00:00 CET
    [18:00:05] someone: hello
    [18:00:06] アンナ anna_two: konnichiwa
    [18:00:09] someone has been timed out for 10m.

Lines have the person's local time of day, in any of the forms the program offers, and no ids, date or zone. The day
comes from the sidecar (`date`), the headings or the file name; the zone from the sidecar (`time_zone`, such as
Europe/Berlin) or a heading in UTC; the channel from the sidecar or the file name. Until 2023 two blanks stood before a
name that is not localised.
"""

from __future__ import annotations

import re

from data_lake.sources.base import Evidence, Head, Source, UnknownFormat, reader_of

# Older versions wrote the zone of `Stop` without a blank before it.
HEADING = re.compile(
    r"^# (?P<kind>Start|Stop) logging at (?P<day>\d{4}-\d\d-\d\d) (?P<clock>\d\d:\d\d:\d\d) ?(?P<zone>\S*)"
)
# RE2 for Arrow, and the same for Python's re: the settings are h:mm to hh:mm:ss.zzz, with or without am or pm.
CLOCK = (
    r"^\[(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d(?:\.\d{1,3})?))?(?: (?P<half>[AaPp])[Mm])?\] {1,2}"
)
FILE_NAME = re.compile(
    r"^(?:(?P<channel>\w{1,25})-)?(?:(?P<day>\d{4}-\d\d-\d\d)|(?<=-)(?P<stream>\d{8,14}))\.(?P<suffix>log|txt)"
)
_OF_ITS_OWN = re.compile(
    r"^\[\d\d:\d\d:\d\d\]  \S|\] {1,2}\w+ has been (?:timed out for (?:\d+[dhms] ?)+|permanently banned)\. ?$"
    r"|^\[\d{1,2}:\d\d(?::\d\d(?:\.\d{3})?)? [AaPp][Mm]\] "
)
_WHAT = "a Chatterino day log"


def recognise(head: Head) -> str | None:
    """'a Chatterino day log' when most of the first lines are a local time and more, and something says whose.

    That is a heading, the name the program gives its files, or a line as only Chatterino writes it: a time in brackets
    and a name may also be the time since the start of a stream. Raises UnknownFormat for a log without times.
    """
    lines = [line for line in head.text.splitlines()[:50] if line.strip()]
    headings = sum(HEADING.match(line) is not None for line in lines)
    timed = sum(re.match(CLOCK, line) is not None for line in lines)
    if headings and headings < len(lines) and not timed:
        raise UnknownFormat(
            f"{head.name} is a Chatterino log whose lines have no time, so nothing says when they were written: choose "
            "a 'Log file timestamp format' in its settings (Moderation, Logs) for the logs to come"
        )
    if headings and headings + timed > len(lines) // 2:
        return _WHAT
    name = FILE_NAME.match(head.name)
    is_named = name is not None and name["suffix"] == "log"
    is_one = is_named or any(_OF_ITS_OWN.search(line) for line in lines)
    return _WHAT if lines and timed * 5 >= len(lines) * 4 and is_one else None


SOURCE = Source(
    name="chatterino",
    world="live",
    version=3,
    entities=("chat_messages", "chat_captures", "moderation_actions", "stream_events", "channels"),
    evidence=Evidence.SHAPE,
    trust=20,
    looks_for="a Chatterino log: lines of [HH:MM:SS] name: text under '# Start logging at', or in <channel>-<day>.log",
    recognise=recognise,
    parse=reader_of(__name__),
)
