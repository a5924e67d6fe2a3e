"""YouTube live chat as yt-dlp writes it: `<title> [<video>].live_chat.json`, one JSON object per line."""

from data_lake.sources.live.yt_dlp_live_chat.reader import SOURCE

__all__ = ["SOURCE"]
