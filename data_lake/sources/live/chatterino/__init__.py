"""Chatterino's day logs: `<channel>-<YYYY-MM-DD>.log`, lines of `[HH:MM:SS]  name: text` in the person's local time."""

from data_lake.sources.live.chatterino.reader import SOURCE

__all__ = ["SOURCE"]
