"""Pages of the Twitch Helix API's `GET /videos`: the archives of streams, uploads and highlights.

A page `{"data": [...], "pagination": {...}}`, several of them (one per line, or in an array), or the bare array of
videos. An archive is a snapshot of its stream; anything else is a snapshot of a video. A stream whose archive was cut
into several videos is one stream: it begins with its first part, ends with its last, and has the views of all.
"""

from __future__ import annotations

from data_lake.sources.base import Evidence, Head, Source, reader_of

KEYS = ("id", "user_id", "user_login", "published_at", "viewable", "duration")


def recognise(head: Head) -> str | None:
    """'Twitch videos' when the JSON begins with an object that has the members of a Helix video."""
    start = head.text.lstrip("\ufeff \t\r\n")
    if not start.startswith(("{", "[")) or not all(f'"{key}"' in start for key in KEYS):
        return None
    return "Twitch videos (Helix GET /videos)"


SOURCE = Source(
    name="helix_videos",
    world="live",
    version=2,
    entities=("channels", "streams", "videos"),
    evidence=Evidence.SHAPE,
    trust=95,
    looks_for='the JSON of Twitch GET /videos: objects with "user_id", "published_at", "viewable" and "duration"',
    recognise=recognise,
    parse=reader_of(__name__),
)
