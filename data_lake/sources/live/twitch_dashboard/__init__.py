"""The daily CSV of Twitch's creator dashboard (Channel Analytics): viewers, minutes and revenue of a channel per day.

It is the only history of viewers a streamer can import. It names neither channel nor currency: the sidecar states
`channel_id` or `channel_login`, and `currency`. The dashboard's monthly revenue summary looks alike but counts months:
it is refused.
"""

from __future__ import annotations

from data_lake.sources.base import Evidence, Head, Source, UnknownFormat, reader_of
from data_lake.sources.live.twitch_dashboard.header import REFUSAL, columns_of, is_daily, is_monthly


def recognise(head: Head) -> str | None:
    """'daily figures of a Twitch channel' by the header. Raises UnknownFormat, with the reason, for the monthly one."""
    columns = columns_of(head.text)
    if is_monthly(columns):
        raise UnknownFormat(f"{head.name}: {REFUSAL}")
    return "daily figures of a Twitch channel (dashboard CSV)" if is_daily(columns) else None


SOURCE = Source(
    name="twitch_dashboard",
    world="live",
    version=1,
    entities=("channel_daily_metrics",),
    evidence=Evidence.SHAPE,
    trust=40,
    looks_for="the daily CSV of the Twitch dashboard: a header with Date, Average Viewers, Max Viewers, ... Revenue",
    recognise=recognise,
    parse=reader_of(__name__),
)
