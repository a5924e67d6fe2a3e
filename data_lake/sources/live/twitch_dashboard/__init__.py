"""The daily CSV of Twitch's creator dashboard (Channel Analytics): viewers, minutes and revenue of a channel."""

from data_lake.sources.live.twitch_dashboard.reader import SOURCE

__all__ = ["SOURCE"]
