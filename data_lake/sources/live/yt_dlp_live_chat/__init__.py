"""YouTube live chat as yt-dlp writes it: `<title> [<video>].live_chat.json`, one JSON object per line.

`--write-subs --sub-langs live_chat` gives a replay of the chat or, while the stream is on, a live capture; other tools
write the same actions as one array. The file says neither channel nor video: the video is read from yt-dlp's file name,
or both from the sidecar (`channel_id`, `stream_id`, and where known `channel_login`, `stream_title`,
`stream_started_at`, `stream_ended_at`). Without `channel_id` the rows belong to the channel of that stream.
"""

from __future__ import annotations

import re

from data_lake.sources.base import Evidence, Head, Source, reader_of

_LINE = re.compile(
    r'\s*(?:\[\s*)?\{.{0,400}?"(?:replayChatItemAction|addChatItemAction|addLiveChatTickerItemAction|markChatItemAsDeletedAction|'
    r'markChatItemsByAuthorAsDeletedAction|replaceChatItemAction|addBannerToLiveChatCommand)"\s*:\s*\{'
)


def recognise(head: Head) -> str | None:
    """'a YouTube live chat (yt-dlp)' when the first lines are live chat actions."""
    is_list = head.text.lstrip().startswith("[")
    lines = [" ".join(head.text[:4096].split())] if is_list else head.text.splitlines()[:20]
    lines = [line for line in lines if line.strip()]
    fitting = sum(_LINE.match(line) is not None for line in lines)
    if not lines or (not _LINE.match(lines[0]) and fitting * 2 < len(lines)):
        return None
    return "a YouTube live chat (yt-dlp live_chat JSON), " + ("live capture" if '"isLive"' in head.text else "replay")


SOURCE = Source(
    name="yt_dlp_live_chat",
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
    trust=70,
    looks_for='lines of JSON with "replayChatItemAction" or "addChatItemAction" (yt-dlp live_chat)',
    recognise=recognise,
    parse=reader_of(__name__),
)
