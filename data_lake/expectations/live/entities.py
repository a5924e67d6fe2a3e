"""What is expected of every entity of the live world in raw/.

A bound says what is plausible, not what is allowed: a row outside is kept, shown and traced to its landing file. What
every row must hold to be kept at all is its contract's matter. Expectations of raw/ warn, since models may yet choose
another source's row. The exception is a newest snapshot that lacks a whole channel: no later snapshot says it is back.
"""

from __future__ import annotations

from data_lake.expectations.expectation import VOLUME, Expectation, holds, known, seconds, snapshots, value
from data_lake.expectations.live.coverage import COVERAGE, KNOWN_CHANNELS, KNOWN_STREAMS, VIEWERS_LIKE_PEOPLE

MAX_VIEWERS = 10_000_000
DAY_SECONDS = 86_400
# A list of many pages is stamped with its first page's time; the clocks of a platform and of this machine differ.
CLOCK_SKEW_SECONDS = 3_600
# Marathons of a week are real; what lasts longer than this is a wrong clock.
MAX_STREAM_SECONDS = 30 * DAY_SECONDS

EVENT_TYPES = (
    "follow", "subscription", "resubscription", "gift", "raid", "donation", "cheer", "superchat", "hype",
    "platform_started", "platform_stopped",
    # Payments that never arrived: kept under names of their own, so that no sum of donations holds them.
    "donation_failed", "donation_pending", "donation_cancelled", "donation_canceled", "donation_declined",
    "donation_expired",
    # A running total that was set back: an amount below zero.
    "donation_correction",
)  # fmt: skip
ACTION_TYPES = ("ban", "timeout", "delete", "unban", "clear")

ENTITIES: dict[str, tuple[Expectation, ...]] = {
    "channel_owners": (
        holds(
            "time_zone_is_known",
            "time_zone",
            "The time zone of a creator is one that the IANA database knows.",
            "time_zone in (select name from pg_timezone_names())",
        ),
        VOLUME,
    ),
    "api_calls": (
        value("response_ms", "A call is answered within 10 minutes.", 0, 600_000),
        value("retry_count", "A page is asked for at most 100 times.", 0, 100),
        VOLUME,
    ),
    "bans": (
        value(
            "age_seconds",
            "A ban began before it was seen.",
            -CLOCK_SKEW_SECONDS,
            sql=seconds("banned_at", "observed_at"),
        ),
        VOLUME,
        KNOWN_CHANNELS,
    ),
    "channel_snapshots": (
        value("row_count", "A list of a channel has between 0 and 1 billion rows.", 0, 1e9),
        value(
            "length_seconds",
            "A snapshot of a list ends after it starts and takes at most a day.",
            0,
            DAY_SECONDS,
            sql=seconds("observed_at", "ended_at"),
        ),
        VOLUME,
        KNOWN_CHANNELS,
    ),
    "channel_roles": (VOLUME, KNOWN_CHANNELS),
    "follows": (
        value(
            "age_seconds",
            "A follow began before it was seen.",
            -CLOCK_SKEW_SECONDS,
            sql=seconds("followed_at", "observed_at"),
        ),
        VOLUME,
        KNOWN_CHANNELS,
    ),
    "subscriptions": (VOLUME, KNOWN_CHANNELS),
    "channels": (
        value("follower_count", "Followers lie between 0 and 1 billion.", 0, 1e9),
        value("subscriber_count", "Subscribers lie between 0 and 1 billion.", 0, 1e9),
        value("total_view_count", "Views of all time lie between 0 and 1 trillion.", 0, 1e12),
        value("age_seconds", "A channel was created before it was seen.", 0, sql=seconds("created_at", "observed_at")),
        VOLUME,
    ),
    "streams": (
        value(
            "length_seconds",
            "A stream ends after it starts and lasts at most 30 days.",
            0,
            MAX_STREAM_SECONDS,
            sql=seconds("started_at", "ended_at"),
        ),
        value(
            "seconds_to_poll",
            "A stream starts before it is seen (an hour of clock skew aside).",
            -CLOCK_SKEW_SECONDS,
            sql=seconds("started_at", "observed_at"),
        ),
        value("vod_view_count", "Views of a recording lie between 0 and 10 billion.", 0, 1e10),
        VOLUME,
        *snapshots("streams", blocking=True),
    ),
    "stream_segments": (
        value(
            "length_seconds",
            "A segment ends after it starts and lasts at most 30 days.",
            0,
            MAX_STREAM_SECONDS,
            sql=seconds("segment_started_at", "segment_ended_at"),
        ),
        VOLUME,
        KNOWN_STREAMS,
    ),
    "viewer_counts": (
        value("viewer_count", "Concurrent viewers lie between 0 and 10 million.", 0, MAX_VIEWERS),
        value("bitrate_kbps", "The input bitrate lies between 0 and 200 megabits per second.", 0, 200_000),
        VOLUME,
        *COVERAGE,
    ),
    "chat_captures": (
        value(
            "length_seconds",
            "A stretch of chat ends after it starts, on the same day.",
            0,
            DAY_SECONDS,
            sql=seconds("covered_from", "covered_to"),
        ),
        KNOWN_CHANNELS,
    ),
    "chat_counts": (
        value("message_count", "A minute has between 0 and 1 million messages.", 0, 1e6),
        value("emote_count", "A minute has between 0 and 10 million emotes.", 0, 1e7),
        VOLUME,
        *COVERAGE,
    ),
    "chat_messages": (
        value("text_length", "A message has at most 5,000 characters.", 0, 5_000, sql="length(text)"),
        value("bits_count", "A message carries at most 1 million bits.", 0, 1e6),
        value(
            "emote_end",
            "Every emote ends within its message.",
            0,
            sql='length(text) - 1 - list_max(list_transform(emotes, lambda e: e."end"))',
        ),
        VOLUME,
        VIEWERS_LIKE_PEOPLE,
        *COVERAGE,
    ),
    "stream_events": (
        known("event_type", "An event is of a type that the models count.", EVENT_TYPES),
        value("raid_viewer_count", "A raid brings between 0 and 1 million viewers.", 0, 1e6),
        value("gift_count", "A gift holds between 0 and 10,000 subscriptions.", 0, 10_000),
        value("month_count", "A subscription is between 0 and 240 months old.", 0, 240),
        value("amount", "An amount lies within 100 million of its currency; corrections are negative.", -1e8, 1e8),
        holds(
            "currency_is_iso",
            "currency",
            "A currency is three capital letters.",
            "regexp_full_match(currency, '[A-Z]{3}')",
        ),
        VOLUME,
        *COVERAGE,
    ),
    "moderation_actions": (
        known("action_type", "An action is of a type that the models count.", ACTION_TYPES),
        value("duration_seconds", "A timeout lasts at most a year.", 0, 366 * DAY_SECONDS),
        VOLUME,
        *COVERAGE,
    ),
    "chatter_presence": (VOLUME, *COVERAGE),
    "viewers": (
        value(
            "age_seconds",
            "An account was created before it was seen.",
            0,
            sql=seconds("created_at", "observed_at"),
        ),
        VOLUME,
    ),
    "clips": (
        value("duration_seconds", "A clip lasts at most 10 minutes.", 0, 600),
        value("vod_offset_seconds", "A clip starts within 30 days of its recording's start.", 0, MAX_STREAM_SECONDS),
        value("view_count", "Views of a clip lie between 0 and 1 billion.", 0, 1e9),
        VOLUME,
        *snapshots("clips", blocking=False),
    ),
    "scheduled_streams": (
        value(
            "length_seconds",
            "A planned stream ends after it starts and lasts at most 30 days.",
            0,
            MAX_STREAM_SECONDS,
            sql=seconds("starts_at", "ends_at"),
        ),
        VOLUME,
    ),
    "videos": (
        value("duration_seconds", "A video lasts at most 30 days.", 0, MAX_STREAM_SECONDS),
        value("view_count", "Views of a video lie between 0 and 20 billion.", 0, 2e10),
        value("like_count", "Likes of a video lie between 0 and 1 billion.", 0, 1e9),
        VOLUME,
        *snapshots("videos", blocking=True),
    ),
}
