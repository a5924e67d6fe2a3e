"""TwitchDownloader chat JSON, schemas 1.0.0 to 1.4.0: one file per VOD, plain or gzipped."""

from __future__ import annotations

import re

from data_lake.sources.base import Evidence, Head, Source, reader_of

_COMMENTS = re.compile(r'"comments"\s*:\s*\[')
_OFFSET = re.compile(r'"content_offset_seconds"\s*:')
_BESIDE = re.compile(r'"(?:FileInfo|streamer|video)"\s*:\s*\{')
_VERSION = re.compile(r'"Major"\s*:\s*"?(\d+)"?\s*,\s*"Minor"\s*:\s*"?(\d+)"?\s*,\s*"Patch"\s*:\s*"?(\d+)')


def recognise(head: Head) -> str | None:
    """What the file is, if it is a TwitchDownloader chat."""
    if not head.text.lstrip().startswith("{"):
        return None
    beside = {member[0].split('"')[1] for member in _BESIDE.finditer(head.text)}
    comments = _COMMENTS.search(head.text) is not None
    if not ((comments and _OFFSET.search(head.text)) or (comments and beside) or {"FileInfo", "streamer"} <= beside):
        return None
    version = _VERSION.search(head.text)
    return f"TwitchDownloader chat JSON, schema {'.'.join(version.groups()) if version else '1.0.0'}"


SOURCE = Source(
    name="twitch_downloader",
    world="live",
    version=4,
    entities=(
        "channels",
        "streams",
        "stream_segments",
        "chat_captures",
        "chat_messages",
        "stream_events",
        "viewers",
    ),
    evidence=Evidence.MARK,
    trust=80,
    looks_for='TwitchDownloader chat JSON: an object with "comments" (each with "content_offset_seconds"), "streamer"',
    recognise=recognise,
    parse=reader_of(__name__),
)
