"""TwitchDownloader chat JSON, schemas 1.0.0 to 1.4.0, and Twitch's own pages of comments: one file per VOD."""

from __future__ import annotations

import re

from data_lake.sources.base import Evidence, Head, Source, reader_of

_COMMENTS = re.compile(r'"comments"\s*:\s*\[')
_OFFSET = re.compile(r'"content_offset_seconds"\s*:')
# A page, a comment, or a list of one of them.
_PAGE = re.compile(
    r'(?:\[\s*)?\{\s*"(?:comments"\s*:\s*\[|_next"|_id"\s*:\s*"[^"]*"\s*,\s*"(?:created_at|channel_id|updated_at)")'
)
_BESIDE = re.compile(r'"(?:FileInfo|streamer|video)"\s*:\s*\{')
_VERSION = re.compile(r'"Major"\s*:\s*"?(\d+)"?\s*,\s*"Minor"\s*:\s*"?(\d+)"?\s*,\s*"Patch"\s*:\s*"?(\d+)')


def recognise(head: Head) -> str | None:
    """What the file is, if it is a TwitchDownloader chat."""
    start = head.text.lstrip()
    if _PAGE.match(start) and _OFFSET.search(head.text) and not _BESIDE.search(head.text):
        return "Twitch's pages of the comments of a VOD (rechat)"
    if not start.startswith("{"):
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
    version=6,
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
    looks_for='TwitchDownloader chat JSON: an object with "comments" (each with "content_offset_seconds"), "streamer"; '
    "or Twitch's pages of such comments",
    recognise=recognise,
    parse=reader_of(__name__),
)
