"""The input formats of the lake: the registry, and which of them a file is in.

To add one: a module with a `SOURCE` (see `base`), and its name in the tuple below. The order decides where two
formats claim a file: the more particular one first.
"""

from __future__ import annotations

from pathlib import Path

from data_lake.sources.any import tabular
from data_lake.sources.base import Export, Head, Problem, Rows, Source
from data_lake.sources.live import (
    chat_downloader,
    chat_text,
    chatterino,
    helix_videos,
    irc,
    streampai,
    twitch_dashboard,
    twitch_downloader,
    twitch_helix,
    yt_dlp_live_chat,
)
from data_lake.sources.reading.blocks import read_head

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        tabular.SOURCE,  # only where a person has put mappings beside the file
        twitch_downloader.SOURCE,
        streampai.SOURCE,
        twitch_helix.SOURCE,  # before helix_videos: a pull of videos holds that format's pages
        helix_videos.SOURCE,
        chat_downloader.SOURCE,
        yt_dlp_live_chat.SOURCE,
        irc.SOURCE,
        chatterino.SOURCE,
        twitch_dashboard.SOURCE,
        chat_text.SOURCE,
    )
}


class UnknownFormat(Exception):
    """No source knows the content of a file; the message is a sentence for the person who added it."""


def recognise(path: Path) -> tuple[Source, str]:
    """The source that reads a file, and what the file is in words; judged by content, not by name.

    Raises UnknownFormat when no source knows it, OSError when it cannot be opened.
    """
    head = read_head(path)
    if not head.raw:
        raise UnknownFormat(f"{path.name} is empty")
    for source in SOURCES.values():
        what = source.recognise(head)
        if what is not None:
            return source, what
    looked_for = "; ".join(source.looks_for for source in SOURCES.values())
    raise UnknownFormat(f"{path.name} is in no format known here; looked for: {looked_for}")


__all__ = ["SOURCES", "Export", "Head", "Problem", "Rows", "Source", "UnknownFormat", "recognise"]
