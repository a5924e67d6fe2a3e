"""Twitch chat as IRC: raw logs, and the JSON and ndjson of justlog and rustlog."""

from data_lake.sources.live.irc.reader import SOURCE

__all__ = ["SOURCE"]
