"""Chats as chat-downloader writes them, of YouTube and Twitch: a JSON array, or one item per line (JSONL).

Live Twitch items name their channel; all others say neither channel nor stream: the sidecar states `channel_id` (and
`channel_login`), `stream_id` (YouTube: the id of the video) or `vod_id`, and where known `stream_started_at`,
`stream_ended_at`, `stream_title`. The site is told by the items, or by `platform` in the sidecar.
"""

from __future__ import annotations

import re

from data_lake.sources.base import Evidence, Head, Source, UnknownFormat, reader_of

_START = re.compile(r"\s*(?:\[\s*)?\{")
_KEYS = [re.compile(rf'"{key}"\s*:') for key in
         ("message_type", "author", "timestamp", "time_in_seconds", "time_text", "action_type")]  # fmt: skip


# Items of the tool's first versions: the author is a name, and nothing says what kind of item it is.
_OLDER = re.compile(
    r'\s*\[\s*\{(?=[^{}\[\]]{0,2000}"author"\s*:\s*")(?=[^{}\[\]]{0,2000}"time_in_seconds"\s*:)(?=[^{}\[\]]{0,2000}"message"\s*:)'
)


def recognise(head: Head) -> str | None:
    """'a chat-downloader chat' when the JSON begins with items that have a message_type and an author or a time."""
    if not _START.match(head.text):
        return None
    if _OLDER.match(head.text) and not _KEYS[0].search(head.text):
        raise UnknownFormat(
            f"{head.name} is a chat of chat-replay-downloader, as chat-downloader was called until 2020: its items say "
            "neither id nor kind; download the chat again with chat-downloader, or read it with a mapping (tabular)"
        )
    if not _KEYS[0].search(head.text):
        return None
    if sum(key.search(head.text) is not None for key in _KEYS[1:]) < 2:
        return None
    return f"a chat-downloader chat ({'JSON' if head.text.lstrip().startswith('[') else 'JSONL'})"


SOURCE = Source(
    name="chat_downloader",
    world="live",
    version=4,
    entities=(
        "chat_captures",
        "chat_messages",
        "stream_events",
        "moderation_actions",
        "channels",
        "streams",
        "viewers",
    ),
    evidence=Evidence.SHAPE,
    trust=75,
    looks_for='chat-downloader JSON or JSONL: items with "message_type" and "author" or "timestamp"',
    recognise=recognise,
    parse=reader_of(__name__),
)
