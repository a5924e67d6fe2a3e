"""Twitch chat as IRC: raw logs, and the JSON and ndjson of justlog and rustlog.

A raw log holds one IRCv3 message per line; the JSON form holds them under `messages`, the ndjson form one per line,
each with the raw line or (rustlog's basic form) with its tags only; the recent-messages service has raw lines under
`messages`. The file itself says when, who and, but for a few commands, in which channel; the sidecar may state
`channel_id` and `stream_id`.
"""

from __future__ import annotations

import re

from data_lake.sources.base import Evidence, Head, Source, reader_of
from data_lake.sources.live.irc.commands import SPEAKING

_LINE = re.compile(r"(?:@\S+ )?:\S+ (?:[A-Z]+|\d{3})(?: |$)|PING ")
_TAGGED = re.compile(r"^@\S*=\S* :\S+ (?:" + "|".join(SPEAKING) + ")", re.MULTILINE)
DOCUMENT = re.compile(r'\s*\{\s*(?:"error(?:_code)?"\s*:\s*(?:null|"[^"]*")\s*,\s*)*"messages"\s*:\s*\[')
# The recent-messages service answers with raw lines.
RAW_ELEMENT = re.compile(r'\s*"@[^"\s]*=[^"\s]* :')

_ELEMENT = re.compile(r'\s*\{(?=.*(?:tmi-sent-ts|room-id))(?=.*"(?:raw|tags)"\s*:)')


def recognise(head: Head) -> str | None:
    """What kind of IRC log it is: by lines with tags, or by messages with `raw` or `tags`."""
    if document := DOCUMENT.match(head.text):
        # The first elements may be cut off by the end of the head, so they are looked at as text.
        first = head.text[document.end() :][:20_000].replace("\n", " ")
        if RAW_ELEMENT.match(first):
            return "an answer of the recent-messages service (JSON of raw IRC)"
        return "a justlog or rustlog channel log (JSON)" if _ELEMENT.match(first) else None
    lines = [line for line in head.text.splitlines()[:50] if line.strip()]
    if lines and _ELEMENT.match(lines[0]):
        return "a justlog or rustlog channel log (ndjson)"
    fitting = sum(_LINE.match(line) is not None for line in lines)
    return "a raw IRC log of Twitch chat" if fitting * 5 >= len(lines) * 4 and _TAGGED.search(head.text) else None


SOURCE = Source(
    name="irc",
    world="live",
    version=5,
    entities=("chat_messages", "chat_captures", "stream_events", "moderation_actions", "channels", "viewers"),
    evidence=Evidence.SHAPE,
    trust=90,
    looks_for="lines of raw IRC with tags (@badges=...;tmi-sent-ts=... :name PRIVMSG #channel :text), or the JSON or "
    "ndjson of justlog or rustlog, whose messages have raw or tags",
    recognise=recognise,
    parse=reader_of(__name__),
)
