"""TwitchDownloader chat JSON, schemas 1.0.0 to 1.4.0: one file per VOD, plain or gzipped."""

from data_lake.sources.live.twitch_downloader.reader import SOURCE

__all__ = ["SOURCE"]
