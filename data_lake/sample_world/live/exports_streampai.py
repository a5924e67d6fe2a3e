"""The relay's tables as exported about monthly: what each held at that moment, and the files they are written to.

An export holds the rows since some days before the export before it, so exports overlap; one is made in mid-stream, one
comes late, and one stream's chat only arrives in a file of its own weeks later. Gathering the rows belongs to `relay`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from data_lake.sample_world.clock import moment
from data_lake.sample_world.live.people import Ints
from data_lake.sample_world.live.relay import Export, Relay
from data_lake.sample_world.live.world import Channel
from data_lake.sample_world.tables import Field, json_text, write_table

PLATFORM_COLUMNS = ("youtube", "twitch", "facebook", "kick")
TITLE_REVISED_AFTER_S = 3 * 86_400
LATE_US = 50 * 86_400_000_000
# The file formats of a table, in turn from export to export: the large ones mostly Parquet.
FORMATS = {
    "livestreams": ("csv", "jsonl"),
    "livestream_metrics": ("parquet", "parquet", "csv", "parquet", "jsonl"),
    "stream_events": ("parquet", "parquet", "jsonl", "parquet", "csv"),
    "stream_viewers": ("parquet", "csv"),
    "banned_viewers": ("csv", "jsonl"),
    "donations": ("jsonl", "csv"),
    "streaming_account": ("jsonl", "csv", "parquet"),
}


def write_exports(relay: Relay, folder: Path) -> Iterator[tuple[Path, datetime, str]]:
    """Write every export of a creator; yields each file with when it was exported and what is special about it."""
    exports = relay.exports()
    for export in exports:
        for name, fields in tables_of(relay, export).items():
            suffix = FORMATS[name][export.number % len(FORMATS[name])]
            yield _write(relay, folder, name, export.at, suffix, fields, "")
    if relay.late_events.at:
        at = min(max(relay.late_events.at) + LATE_US, exports[-1].at)
        yield _write(relay, folder, "stream_events", at, "jsonl", relay.event_fields(relay.late_events, 0, at), "late")


def _write(
    relay: Relay, folder: Path, table: str, at: int, suffix: str, fields: Sequence[Field], note: str
) -> tuple[Path, datetime, str]:
    exported = moment(at / 1_000_000)
    if suffix == "jsonl" and not len(fields[0].values):
        # JSON lines without rows are an empty file, which says not even what it is.
        suffix = "csv"
    mark = f"_{note}" if note else ""
    path = folder / f"{relay.creator.channels[0].login}_{table}_{exported.date().isoformat()}{mark}.{suffix}"
    write_table(path, fields)
    return path, exported, note


def tables_of(relay: Relay, export: Export) -> dict[str, list[Field]]:
    """All tables of an export, by name."""
    tables = {
        "livestreams": _livestreams(relay, export),
        "stream_events": relay.event_fields(relay.events, export.first, export.at),
        "stream_viewers": _viewers(relay, export),
        "banned_viewers": _bans(relay, export),
        "donations": _donations(relay, export),
        "streaming_account": _accounts(relay, export),
    }
    if relay.samples:
        tables["livestream_metrics"] = _metrics(relay, export)
    return tables


def _livestreams(relay: Relay, export: Export) -> list[Field]:
    chosen = [b for b in relay.broadcasts if b.start_s * 1_000_000 < export.at and b.end_s * 1_000_000 >= export.first]
    now = export.at // 1_000_000
    revised = [now >= b.end_s + TITLE_REVISED_AFTER_S for b in chosen]
    return [
        Field("id", "text", [b.livestream_id for b in chosen]),
        Field(
            "title",
            "text",
            [b.title if done else b.title_before or b.title for b, done in zip(chosen, revised, strict=True)],
        ),
        Field("description", "text", [None] * len(chosen)),
        Field("category", "text", [b.category for b in chosen]),
        Field("subcategory", "text", [None] * len(chosen)),
        Field("language", "text", ["en"] * len(chosen)),
        Field("tags", "list", [["English", b.category.replace(" ", "")] for b in chosen]),
        Field("started_at", "second", [b.start_s * 1_000_000 for b in chosen]),
        Field("ended_at", "second", [b.end_s * 1_000_000 if b.end_s <= now else None for b in chosen]),
        Field("user_id", "text", [relay.creator.user_id] * len(chosen)),
    ]


def _metrics(relay: Relay, export: Export) -> list[Field]:
    ids: list[str] = []
    parts: dict[str, list[Ints]] = {name: [] for name in ("at", "bitrate", *PLATFORM_COLUMNS)}
    for broadcast, samples in relay.samples:
        if broadcast.end_s * 1_000_000 < export.first or broadcast.start_s * 1_000_000 >= export.at:
            continue
        keep = (samples.at * 1_000_000 >= export.first) & (samples.at * 1_000_000 < export.at)
        count = int(keep.sum())
        ids += [broadcast.livestream_id] * count
        parts["at"].append(samples.at[keep])
        parts["bitrate"].append(samples.bitrate[keep])
        streamed = {c.platform: samples.viewers[c.channel_id][keep] for c in relay.creator.channels}
        for platform in PLATFORM_COLUMNS:
            parts[platform].append(streamed.get(platform, np.zeros(count, np.int64)))
    columns = {name: np.concatenate(p) if p else np.empty(0, np.int64) for name, p in parts.items()}
    order = np.arange(len(ids))
    if export.number % 3 == 1:
        order = relay.settings.rng("shuffled", relay.creator.index, export.number).permutation(order)
    columns = {name: values[order] for name, values in columns.items()}
    return [
        Field("livestream_id", "text", [ids[i] for i in order.tolist()]),
        Field("created_at", "second", (columns["at"] * 1_000_000).tolist()),
        *(Field(f"{p}_viewers", "integer", columns[p].tolist()) for p in PLATFORM_COLUMNS),
        Field("input_bitrate_kbps", "integer", columns["bitrate"].tolist()),
    ]


def _viewers(relay: Relay, export: Export) -> list[Field]:
    """Everyone the relay saw since the first moment of the export. The table's own key lacks the platform."""
    rows: list[tuple[str, int, int, int]] = []
    for platform, accounts in relay.accounts.items():
        size = len(accounts.ids)
        first, last = np.full(size, np.iinfo(np.int64).max), np.zeros(size, np.int64)
        for where, who, times in relay.seen:
            if where != platform:
                continue
            started = times[0] < export.at
            np.minimum.at(first, who[started], times[0][started])
            np.maximum.at(last, who[started], np.minimum(times[1][started], export.at - 1))
        rows += [(platform, int(a), int(first[a]), int(last[a])) for a in np.flatnonzero(last >= export.first)]
    names = {p: a.names for p, a in relay.accounts.items()}
    ids = {p: a.ids for p, a in relay.accounts.items()}
    return [
        Field("viewer_id", "text", [ids[p][a] for p, a, _, _ in rows]),
        Field("user_id", "text", [relay.creator.user_id] * len(rows)),
        Field("platform", "text", [p for p, _, _, _ in rows]),
        Field("display_name", "text", [names[p][a] for p, a, _, _ in rows]),
        Field("first_seen_at", "microsecond", [r[2] for r in rows]),
        Field("last_seen_at", "microsecond", [r[3] for r in rows]),
        Field("is_moderator", "boolean", [a in relay.moderators[p] for p, a, _, _ in rows]),
        Field("is_patreon", "boolean", [a in relay.patrons[p] for p, a, _, _ in rows]),
        Field("ai_summary", "text", [None] * len(rows)),
    ]


def _bans(relay: Relay, export: Export) -> list[Field]:
    chosen = relay.bans.between(export.first, export.at)
    rows = [relay.bans.rows[i] for i in chosen]
    at = [relay.bans.at[i] for i in chosen]
    lifted = [r[7] if r[7] is not None and r[7] < export.at else None for r in rows]
    active = [gone is None and (r[6] is None or r[6] > export.at) for r, gone in zip(rows, lifted, strict=True)]
    return [
        Field("id", "text", [r[0] for r in rows]),
        Field("user_id", "text", [relay.creator.user_id] * len(rows)),
        Field("platform", "text", [r[1] for r in rows]),
        Field("viewer_username", "text", [r[2] for r in rows]),
        Field("viewer_platform_id", "text", [r[3] for r in rows]),
        Field("reason", "text", [r[4] for r in rows]),
        Field("duration_seconds", "integer", [r[5] for r in rows]),
        Field("expires_at", "microsecond", [r[6] for r in rows]),
        Field("is_active", "boolean", active),
        Field("platform_ban_id", "text", [None] * len(rows)),
        Field("unbanned_at", "microsecond", lifted),
        Field("banned_by_user_id", "text", [relay.creator.user_id] * len(rows)),
        Field("livestream_id", "text", [r[8] for r in rows]),
        Field("inserted_at", "microsecond", at),
        Field("updated_at", "microsecond", [gone or t for gone, t in zip(lifted, at, strict=True)]),
    ]


def _donations(relay: Relay, export: Export) -> list[Field]:
    chosen = relay.donations.between(export.first, export.at)
    rows = [relay.donations.rows[i] for i in chosen]
    refunded = [r[9] if r[9] is not None and r[9] < export.at else None for r in rows]
    status = [
        "completed" if r[4] == "refunded" and back is None else r[4] for r, back in zip(rows, refunded, strict=True)
    ]
    return [
        Field("id", "text", [r[0] for r in rows]),
        Field("user_id", "text", [relay.creator.user_id] * len(rows)),
        Field("livestream_id", "text", [r[10] for r in rows]),
        Field("provider", "text", [r[1] for r in rows]),
        Field("is_streampai", "boolean", [True] * len(rows)),
        Field("amount", "number", [r[2] for r in rows]),
        Field("currency", "text", [r[3] for r in rows]),
        Field("status", "text", status),
        Field("donor_name", "text", [r[5] for r in rows]),
        Field("message", "text", [r[6] for r in rows]),
        Field("processing_fee", "number", [r[7] for r in rows]),
        Field("net_amount", "number", [r[8] for r in rows]),
        Field("refunded_at", "microsecond", refunded),
        Field("inserted_at", "microsecond", [relay.donations.at[i] for i in chosen]),
    ]


def followers(relay: Relay, channel: Channel, at_s: int) -> int:
    """Followers of a channel: those of the first day, those who followed on air, and some who did in between."""
    days = (at_s - relay.settings.first_s) / 86_400
    on_air = sum(t < at_s for t in relay.followed[channel.channel_id])
    return channel.first_followers + on_air + round(days * channel.first_viewers * 0.01)


def _accounts(relay: Relay, export: Export) -> list[Field]:
    channels = relay.creator.channels
    refreshed_at = export.at - 1_800_000_000
    since = refreshed_at - 30 * 86_400_000_000
    views, unique = [], []
    for channel in channels:
        seen = [
            (w, t) for p, w, t in relay.seen if p == channel.platform and t.size and since <= t[0].min() < refreshed_at
        ]
        everyone = {int(a) for w, _ in seen for a in w}
        unique.append(len(everyone) * 3)
        views.append(sum(len(w) for w, _ in seen) * 5)
    count = len(channels)
    return [
        Field("user_id", "text", [relay.creator.user_id] * count),
        Field("platform", "text", [c.platform for c in channels]),
        Field(
            "extra_data",
            "json",
            [json_text({"uid": c.channel_id, "name": c.display_name, "nickname": c.login}) for c in channels],
        ),
        Field("follower_count", "integer", [followers(relay, c, refreshed_at // 1_000_000) for c in channels]),
        Field("sponsor_count", "integer", [len(relay.patrons[c.platform]) for c in channels]),
        Field("views_last_30d", "integer", views),
        Field("unique_viewers_last_30d", "integer", unique),
        Field("stats_last_refreshed_at", "microsecond", [refreshed_at] * count),
        Field("inserted_at", "microsecond", [(relay.settings.first_s - 86_400) * 1_000_000] * count),
    ]
