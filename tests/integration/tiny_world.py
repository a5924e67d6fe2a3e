"""Two streams on Twitch, one over midnight, and a third of which nothing was seen for a week, as rows of raw/.

Two tools exported the chat, and on the last day somebody took another snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from data_lake.contracts import contract
from data_lake.layout import Layout
from tests.builders import day, message, put, sample, stream

Row = dict[str, Any]

DAYS = [day(f"2026-01-{n}") for n in (28, 29, 30)]
# The day before nothing is seen of the third stream for a week.
HOLE = day("2026-01-22")
MESSAGES = [
    *[message(f"m{n}", f"2026-01-28 23:{n:02}:05", f"text {n}", f"v{n % 3}", stream_id=None) for n in range(50, 60)],
    *[message(f"n{n}", f"2026-01-29 00:{n:02}:05", f"text {n}", f"v{n % 4}", stream_id=None) for n in range(0, 10)],
    *[message(f"p{n}", f"2026-01-30 20:{n:02}:05", f"text {n}", f"v{n % 5}", stream_id="s2") for n in range(0, 20)],
]
COPIES = [
    {**row, "message_id": f"streampai:{row['message_id']}", "sent_at": row["sent_at"].replace(microsecond=5000)}
    for row in MESSAGES[8:14]
]
IN_THE_HOLE = message("in the hole", "2026-01-24 12:00", channel_id="c2", stream_id=None)
SAMPLES = [
    *[sample(f"2026-01-22 20:{n:02}", 5, stream_id="s3", channel_id="c2") for n in range(9)],
    *[sample(f"2026-01-29 20:{n:02}", 5, stream_id="s3", channel_id="c2") for n in range(9)],
    *[sample(f"2026-01-28 23:{n:02}", 10 + n, stream_id="s1") for n in range(50, 60)],
    *[sample(f"2026-01-29 00:{n:02}", 70 - n, stream_id="s1") for n in range(0, 10, 2)],
    *[sample(f"2026-01-30 20:{n:02}", 100, stream_id="s2") for n in range(0, 20, 3)],
]
SNAPSHOTS = [
    stream("s1", "2026-01-28 23:50", "2026-01-29 00:12"),
    stream("s2", "2026-01-30 20:00", "2026-01-30 20:20"),
    stream("s1", "2026-01-28 23:50", "2026-01-29 00:08", "2026-01-30 23:00", title="another title"),
]
ENTITIES: dict[tuple[str, str], list[Row]] = {
    ("chat_messages", "twitch_downloader"): [IN_THE_HOLE, *MESSAGES],
    ("chat_messages", "streampai"): COPIES,
    ("viewer_counts", "streampai"): SAMPLES,
    ("streams", "streampai"): SNAPSHOTS,
}


def day_of(entity: str, row: Row) -> date:
    moment = row[contract(entity).event_time]
    return moment.date()  # type: ignore[no-any-return]


def arrive(lake: Layout, wanted: Callable[[str, date], bool]) -> None:
    """Write the rows that `wanted` says of their entity and day into raw/."""
    for (entity, source), rows in ENTITIES.items():
        due = [row for row in rows if wanted(entity, day_of(entity, row))]
        if due:
            put(lake, entity, *due, source=source)
