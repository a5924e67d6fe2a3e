"""What is expected of the live world's tables about to be published.

A value that only a mistake of ours can put outside its range stops the publishing; one that an input can, however odd,
is shown with its rows and published. Accounting identities and uniqueness are dbt tests.
"""

from __future__ import annotations

from data_lake.expectations.expectation import VOLUME, published, seconds, value
from data_lake.expectations.live.coverage import MAX_VIEWER_DAY_MESSAGES
from data_lake.expectations.live.entities import DAY_SECONDS, MAX_STREAM_SECONDS, MAX_VIEWERS
from data_lake.expectations.suites import TableSuite

AUDIENCE = (
    value("average_viewers", "Average concurrent viewers lie between 0 and 10 million.", 0, MAX_VIEWERS),
    value("peak_viewers", "Peak concurrent viewers lie between 0 and 10 million.", 0, MAX_VIEWERS),
)
BROADCAST = (
    *AUDIENCE,
    value("live_seconds", "A broadcast lasts between 0 seconds and 30 days.", 0, MAX_STREAM_SECONDS),
    published("observed_ratio", "The observed share of a broadcast lies between 0 and 1.", 0, 1),
    value("hours_watched", "A broadcast is watched for between 0 and 1 billion hours.", 0, 1e9),
    value("message_count", "A broadcast has between 0 and 1 billion messages.", 0, 1e9),
    value("gift_count", "A broadcast has between 0 and 10 million gifted subscriptions.", 0, 1e7),
)

TABLES: dict[str, TableSuite] = {
    "fct_stream_minutes": TableSuite(
        ("platform", "stream_id", "minute_at"),
        "minute_at",
        (
            *AUDIENCE,
            published("observed_seconds", "At most 60 seconds of a minute are observed.", 0, 60),
            value("message_count", "A minute has between 0 and 1 million messages.", 0, 1e6),
            VOLUME,
        ),
    ),
    "fct_streams": TableSuite(
        ("broadcast_id",),
        None,
        (*BROADCAST, value("platform_count", "A broadcast goes to between 1 and 20 platforms.", 1, 20)),
    ),
    "fct_stream_platforms": TableSuite(("broadcast_id", "platform"), None, BROADCAST),
    "fct_stream_views": TableSuite(
        ("platform", "stream_id", "observed_at"),
        None,
        (
            value("view_count", "Views of a recording lie between 0 and 10 billion.", 0, 1e10),
            published("view_growth", "Views of a recording never fall between snapshots.", 0, 1e10),
        ),
    ),
    "fct_viewer_days": TableSuite(
        ("event_date", "platform", "channel_id", "viewer_id"),
        "last_activity_at",
        (
            published(
                "activity_seconds",
                "The first and the last activity of a viewer's day lie within that day.",
                0,
                DAY_SECONDS,
                sql=seconds("first_activity_at", "last_activity_at"),
            ),
            value("stream_count", "A viewer is in at most 1,000 streams of a channel a day.", 0, 1_000),
            value(
                "message_count",
                f"A viewer sends at most {MAX_VIEWER_DAY_MESSAGES:,} messages to a channel a day.",
                0,
                MAX_VIEWER_DAY_MESSAGES,
            ),
            VOLUME,
        ),
    ),
    "fct_chat_messages": TableSuite(
        ("platform", "message_id"),
        "sent_at",
        (
            value("text_length", "A message has at most 5,000 characters.", 0, 5_000, sql="length(text)"),
            value("bits_count", "A message carries at most 1 million bits.", 0, 1e6),
            published(
                "seconds_of_day",
                "A message lies in the day it is filed under.",
                0,
                DAY_SECONDS - 1e-6,
                sql="(epoch_us(sent_at) - epoch_us(event_date::timestamp)) / 1e6",
            ),
            VOLUME,
        ),
    ),
}
