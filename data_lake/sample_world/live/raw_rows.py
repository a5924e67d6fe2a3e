"""Rows of a large world written straight to raw/: what the sources would read from its exports, without the exports.

A day is written once everything that can touch it is known, so that memory does not grow with the world. What the two
tools say about a message or event is what their sources would say (see data_lake/sources).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.contracts import contract
from data_lake.layout import Layout
from data_lake.sample_world.clock import moment
from data_lake.sample_world.live.audience import Samples
from data_lake.sample_world.live.community import Chat, Community
from data_lake.sample_world.live.events import Event, Notice
from data_lake.sample_world.live.exports_streampai import PLATFORM_COLUMNS
from data_lake.sample_world.live.people import Ints
from data_lake.sample_world.live.relay import Relay, stamps
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import RELAY, TWITCH_TOOL
from data_lake.sample_world.settings import uuids
from data_lake.sources.base import PROBLEM, ROW, TEXT
from data_lake.sources.reading.chat import cheers_of
from data_lake.store import write_partition

LANDING_FILE = "sample_world"
NOTICE_KINDS = ("sub", "resub", "gift_announced", "gift", "raid")
NOTICE_EVENTS = {"sub": "subscription", "resub": "resubscription", "subgift": "gift", "raid": "raid"}


class RawRows:
    """Rows waiting for their day to be complete."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._waiting: dict[tuple[str, date, str], list[pa.Table]] = defaultdict(list)
        self._notices: list[dict[str, Any]] = []

    def add_samples(self, b: Broadcast, samples: Samples) -> None:
        """One row per sample and platform column, as the relay's table has them: 0 where nobody streams."""
        self._flush_before(moment(b.start_s).date())
        count = len(samples.at)
        own = {c.platform: samples.viewers[c.channel_id] for c in b.creator.channels}
        at = pa.array(samples.at * 1_000_000).cast(pa.timestamp("us"))
        for platform in PLATFORM_COLUMNS:
            self._add(
                "viewer_counts",
                RELAY,
                "observed_at",
                b.end_s,
                platform=pa.array([platform] * count),
                channel_id=pa.array([f"stream:{b.livestream_id}"] * count),
                observed_at=at,
                stream_id=pa.array([b.livestream_id] * count),
                viewer_count=pa.array(own.get(platform, np.zeros(count, np.int64))),
                bitrate_kbps=pa.array(samples.bitrate),
            )

    def add_chat(
        self,
        community: Community,
        b: Broadcast,
        chat: Chat,
        notices: Sequence[Notice],
        events: Sequence[Event],
        relay: Relay,
    ) -> None:
        """The messages by each tool that reads this chat, and the notices of Twitch."""
        if community.channel.platform == "twitch":
            kept = np.flatnonzero(~chat.hidden)
            seconds = np.floor(chat.at[kept]).astype(np.int64)
            self._messages(
                community,
                b,
                chat,
                kept,
                TWITCH_TOOL,
                (b.start_s + seconds) * 1_000_000,
                community.channel.channel_id,
                f"vod:{b.vod_id}",
                "",
            )
            self._add_notices(community, b, notices, events)
        if relay.has_chat(b, community.channel):
            kept, at = np.arange(len(chat)), np.array(stamps(b, chat.at), np.int64)
            self._messages(
                community, b, chat, kept, RELAY, at, f"stream:{b.livestream_id}", b.livestream_id, "streampai:"
            )

    def _messages(
        self,
        community: Community,
        b: Broadcast,
        chat: Chat,
        kept: Ints,
        source: str,
        at: Ints,
        channel: str,
        stream: str,
        prefix: str,
    ) -> None:
        accounts, phrases, count = community.accounts, community.phrases, len(kept)
        ids = uuids(np.random.default_rng([b.start_s, len(source), len(community.channel.platform)]), count)
        people, person = np.unique(chat.account[kept], return_inverse=True)
        phrase_numbers, phrase = np.unique(chat.phrase[kept], return_inverse=True)
        badges = [chat.badges.get(a, ()) for a in people.tolist()]
        native = source == TWITCH_TOOL
        texts = [phrases.texts[p] for p in phrase_numbers.tolist()]
        provider = community.channel.platform
        spans = [
            [{"name": n, "id": e, "provider": provider, "start": f, "end": t} for n, e, f, t in emotes]
            if emotes
            else []
            for emotes in (phrases.spans[p] for p in phrase_numbers.tolist())
        ]
        types = {c.name: c.type for c in contract("chat_messages").arrow_schema}

        def by_person(values: list[Any], type_: pa.DataType | None = None) -> pa.Array:
            return pa.array(values, type_).take(pa.array(person))

        messages = {
            "platform": pa.array([community.channel.platform] * count),
            "message_id": pa.array([prefix + i for i in ids] if prefix else ids),
            "sent_at": pa.array(at).cast(pa.timestamp("us")),
            "channel_id": pa.array([channel] * count),
            "stream_id": pa.array([stream] * count),
            "viewer_id": by_person([accounts.ids[a] for a in people.tolist()]),
            "viewer_login": by_person([accounts.logins[a] for a in people.tolist()]),
            "viewer_display_name": by_person([accounts.names[a] for a in people.tolist()]),
            "offset_seconds": pa.array(np.floor(chat.at[kept])) if native else pa.nulls(count, pa.float64()),
            "text": pa.array(texts, pa.string()).take(pa.array(phrase)),
            "emotes": pa.array(spans, types["emotes"]).take(pa.array(phrase)),
            "badges": by_person([[{"name": n, "version": v} for n, v in own] for own in badges], types["badges"])
            if native
            else pa.nulls(count, types["badges"]),
            "message_type": pa.array(["action" if native and a else "chat" for a in chat.is_action[kept].tolist()]),
            "is_action": pa.array(chat.is_action[kept]) if native else pa.nulls(count, pa.bool_()),
            "bits_count": pa.array([_bits(t) if native else None for t in texts], pa.int64()).take(pa.array(phrase)),
            "is_moderator": by_person([("moderator", "1") in own for own in badges]),
            "is_subscriber": by_person(
                [any(n == "subscriber" for n, _ in own) if native else None for own in badges], pa.bool_()
            ),
            "is_vip": by_person([("vip", "1") in own if native else None for own in badges], pa.bool_()),
        }
        self._add("chat_messages", source, "sent_at", b.end_s, **messages)
        empty = {ROW: pa.int64(), TEXT: pa.string(), PROBLEM: pa.string()}
        for cheers in cheers_of(
            pa.table({**messages, **{name: pa.nulls(count, kind) for name, kind in empty.items()}})
        ):
            rows = cheers.table.drop_columns(list(empty)).to_pylist()
            self._notices += [{**row, "extracted_at": moment(b.end_s)} for row in rows]

    def _add_notices(
        self, community: Community, b: Broadcast, notices: Sequence[Notice], events: Sequence[Event]
    ) -> None:
        accounts = community.accounts
        ids = iter(uuids(np.random.default_rng([b.start_s, 3]), len(notices)))
        group, announced = "", 0
        announced_events = [e for e in events if e.kind in NOTICE_KINDS]
        for n, e in zip(notices, announced_events, strict=True):
            id_ = next(ids)
            if e.kind == "gift_announced":
                group, announced = f"synthetic:{id_}", e.count
                continue
            is_announced = e.kind == "gift" and announced > 0
            announced -= is_announced
            self._notices.append(
                {
                    "platform": "twitch",
                    "event_id": id_,
                    "occurred_at": moment(b.start_s + int(n.at)),
                    "channel_id": community.channel.channel_id,
                    "stream_id": f"vod:{b.vod_id}",
                    "viewer_id": accounts.ids[n.account],
                    "viewer_login": accounts.logins[n.account],
                    "event_type": NOTICE_EVENTS[n.kind],
                    "tier": e.tier or None,
                    "month_count": e.months if e.kind == "resub" else None,
                    "gift_count": e.count if e.kind == "gift" else None,
                    "gift_group_id": group if is_announced else None,
                    "gift_recipient_id": f"login:{accounts.logins[e.other]}" if e.kind == "gift" else None,
                    "raid_viewer_count": e.count if e.kind == "raid" else None,
                    "message_text": n.text if e.kind == "raid" else e.text or None,
                    "extracted_at": moment(b.end_s),
                }
            )

    def finish(self, relays: Iterable[Relay]) -> None:
        """Write the events and every day still waiting; the relay keeps only what its export files must still say."""
        self._write_events(TWITCH_TOOL, self._notices)
        rows: list[dict[str, Any]] = []
        for relay in relays:
            kept = [i for i, row in enumerate(relay.events.rows) if row[1] == "stream_updated"]
            chosen = set(kept)
            pairs = zip(relay.events.at, relay.events.rows, strict=True)
            rows += [_relay_event(at, row) for i, (at, row) in enumerate(pairs) if i not in chosen]
            relay.events.at = [relay.events.at[i] for i in kept]
            relay.events.rows = [relay.events.rows[i] for i in kept]
        self._write_events(RELAY, rows)
        self._flush_before(date.max)

    def _write_events(self, source: str, rows: list[dict[str, Any]]) -> None:
        by_day: dict[date, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            by_day[row["occurred_at"].date()].append({"source": source, "landing_file": LANDING_FILE, **row})
        schema = contract("stream_events").arrow_schema
        for day, own in by_day.items():
            self._waiting["stream_events", day, source].append(pa.Table.from_pylist(own, schema=schema))

    def _add(self, entity: str, source: str, event_time: str, extracted_s: int, **columns: pa.Array) -> None:
        table = pa.table(columns)
        count = table.num_rows
        table = table.append_column("source", pa.array([source] * count, pa.string()))
        table = table.append_column("landing_file", pa.array([LANDING_FILE] * count, pa.string()))
        table = table.append_column(
            "extracted_at", pa.array([extracted_s * 1_000_000] * count).cast(pa.timestamp("us"))
        )
        days = pc.cast(table[event_time], pa.date32())
        for day in pc.unique(days).to_pylist():
            self._waiting[entity, day, source].append(table.filter(pc.equal(days, day)))

    def _flush_before(self, day: date) -> None:
        """Write the days before this one: broadcasts come by their start and write nothing earlier."""
        for key in sorted(k for k in self._waiting if k[1] < day):
            entity, own_day, source = key
            write_partition(self._layout, entity, own_day, source, pa.concat_tables(self._waiting.pop(key)))


def _relay_event(at: int, row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of the relay's stream_events as its source reads it."""
    id_, kind, data, author, livestream, platform, _ = row
    members = json.loads(data)
    own = kind not in ("platform_started", "platform_stopped")
    login = members.get("username") or members.get("raider_name")
    months = int(members["months"]) if members.get("months") else None
    return {
        "platform": platform,
        "event_id": f"streampai:{id_}",
        "occurred_at": moment(at / 1_000_000),
        "channel_id": f"stream:{livestream}",
        "stream_id": livestream,
        "viewer_id": author if own else None,
        "viewer_login": login.lower() if own and login else None,
        "event_type": "resubscription" if kind == "subscription" and months and months > 1 else kind,
        "tier": members.get("tier"),
        "month_count": months,
        "raid_viewer_count": int(members["viewer_count"]) if members.get("viewer_count") else None,
        "amount": None if members.get("amount") is None else Decimal(members["amount"]),
        "currency": members.get("currency"),
        "message_text": members.get("message"),
        "extracted_at": moment(at / 1_000_000),
    }


def _bits(text: str) -> int:
    return int(text[5:].split(" ", 1)[0]) if text.startswith("Cheer") else 0
