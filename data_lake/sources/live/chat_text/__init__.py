"""Plain chat logs: TwitchDownloader text and lines that begin with a time and a name."""

from data_lake.sources.live.chat_text.reader import SOURCE

__all__ = ["SOURCE"]
