"""The columns of the dashboard's CSV, and which of its files a header belongs to."""

from __future__ import annotations

from data_lake.sources.reading.heads import delimiter_of

COUNTS = {"max viewers": "max_viewers", "unique viewers": "unique_viewers", "follows": "follow_count",
          "chat messages": "chat_message_count"}  # fmt: skip
NUMBERS = {
    "average viewers": "average_viewers",
    "minutes streamed": "minutes_streamed",
    "minutes watched": "minutes_watched",
}
REVENUES = {"sub revenue": "subscription_revenue", "prime revenue": "prime_revenue",
            "gifted subs revenue": "gifted_subscription_revenue", "bits revenue": "bits_revenue",
            "ad revenue": "ad_revenue"}  # fmt: skip
OTHER_REVENUES = ("turbo revenue", "game sales revenue", "extensions revenue", "bounties revenue",
                  "experimental revenue", "other bits interactions revenue")  # fmt: skip
TOTAL = "total revenue"
# What only the monthly summary has, and what only the daily file has.
MONTHLY = ("ad breaks (minutes)", "total paid subs", "total gifted subs")
DAILY = ("average viewers", "max viewers", "unique viewers", "minutes watched", "follows", "chat messages")

REFUSAL = (
    "this is Twitch's monthly revenue summary ('Total Paid Subs', 'Ad Breaks (Minutes)'): its rows are months and "
    "would be taken for days; export the daily Channel Analytics CSV instead"
)


def columns_of(text: str) -> list[str]:
    """The columns of the first line that is not empty, in lower case."""
    header = next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")
    return [field.strip().strip('"').strip().lower() for field in header.split(delimiter_of(header))]


def is_monthly(columns: list[str]) -> bool:
    """Whether a header is the monthly summary's."""
    return "date" in columns and any(c in columns for c in MONTHLY) and not any(c in columns for c in DAILY)


def is_daily(columns: list[str]) -> bool:
    """Whether a header is the daily file's."""
    columns_of_daily = {*DAILY, "minutes streamed", *REVENUES, *OTHER_REVENUES, TOTAL}
    return "date" in columns and any(c in columns for c in DAILY[:2]) and len(columns_of_daily & {*columns}) >= 2
