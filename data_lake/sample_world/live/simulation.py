"""A seeded simulator: three channels of two creators over a year, written as the exports of two real tools.

Creator A streams on Twitch, creator B on Twitch and YouTube at once. TwitchDownloader chat files and Streampai tables
go to landing/; above `DIRECT_ABOVE_SCALE` chat, samples and events go straight to raw/ (the files then hold the rest).
The same seed gives the same bytes. Only the command line and tests import this package; the product never reads truth/.

What was planted lies in truth/, one Parquet file per kind; times are UTC, ids are the platforms':

- streams: one row per broadcast and channel: true start, end, average and peak viewers, messages, main category and
  subject, `special` (26_hours, minute_45), what the slot was drawn to attract (`draw`).
- subjects: windows of broadcasts with the subject people wrote about.
- moments: what was exciting; viewers rise at `viewers_from`, chat follows between `chat_from` and `chat_to`.
- raids: with the viewers brought, the newcomers who wrote, and how many of them were given a lasting tie.
- anomalies: spikes, surges, drop-offs and holes; `cause` names the explanation the data holds, null for none. A moment
  is also a chat_surge. The start and end of a broadcast are not listed.
- spells: toxic stretches, copypasta, spam bots. sanctions: bans and timeouts. bots: known ones and spammers.
- viewers: one row per account and channel with its latent loyalty, tastes and dates, and what it wrote in all.
- churners: those of them who left within the world: abruptly, fading (`signs_from`) or banned.
- effects: the numbers behind viewers, chat, raids and growth. exports: the files, with what is wrong about them.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from data_lake import landing
from data_lake.layout import Layout
from data_lake.sample_world.live.audience import Curve, draw_curve, take_samples
from data_lake.sample_world.live.chat import simulate_chat, weight
from data_lake.sample_world.live.community import House
from data_lake.sample_world.live.events import notices, simulate_events
from data_lake.sample_world.live.exports_streampai import write_exports
from data_lake.sample_world.live.exports_twitch import comments_json, plan_snapshots, write_chat_files
from data_lake.sample_world.live.incidents import plan_incidents
from data_lake.sample_world.live.people import make_accounts, make_ties
from data_lake.sample_world.live.raw_rows import RawRows
from data_lake.sample_world.live.relay import Relay
from data_lake.sample_world.live.schedule import Broadcast, plan_broadcasts
from data_lake.sample_world.live.spells import automatic_count
from data_lake.sample_world.live.truth import Truth
from data_lake.sample_world.live.world import CHANNELS, CREATORS, LAST_DAY, RELAY, TWITCH_TOOL, Settings

__all__ = ["SampleWorld", "write_sample_world"]


@dataclass(frozen=True)
class SampleWorld:
    """What was written: rows by kind (as they happened, not as exported twice), the days covered, the landing files."""

    counts: Mapping[str, int]
    first_day: date
    last_day: date
    files: tuple[str, ...]


def write_sample_world(
    layout: Layout,
    *,
    seed: int = 7,
    scale: float = 1.0,
    days: int = 400,
    progress: Callable[[float], None] | None = None,
) -> SampleWorld:
    """Simulate a world of `days` days ending 2026-10-31 and write it into a lake.

    `scale` multiplies messages (400,000) and viewers (6,000), whatever the days; `progress` gets the share done.
    Raises ValueError for a scale above ten million messages or fewer than two weeks.
    """
    world = _World(layout, Settings(seed, scale, days))
    with tempfile.TemporaryDirectory() as folder:
        world.write(Path(folder), progress or (lambda _: None))
    return SampleWorld(dict(world.counts), world.settings.first_day, LAST_DAY, tuple(world.files))


class _World:
    def __init__(self, layout: Layout, settings: Settings) -> None:
        self.layout, self.settings = layout, settings
        self.counts: Counter[str] = Counter()
        self.files: list[str] = []
        self.truth = Truth(settings)
        self.broadcasts = plan_broadcasts(settings)
        plan_incidents(settings, self.broadcasts)
        accounts = make_accounts(settings)
        ties = make_ties(settings, accounts, self.broadcasts)
        self.houses = {
            c.channel_id: House.open(settings, c, ties[c.channel_id], accounts[c.platform]) for c in CHANNELS
        }
        self.relays = {c.index: Relay(settings, c, accounts, self.broadcasts) for c in CREATORS}
        self.raw = RawRows(layout) if settings.is_direct else None

    def write(self, folder: Path, progress: Callable[[float], None]) -> None:
        curves, per_weight = self._curves()
        done, total = 0, sum(b.duration_s for b in self.broadcasts)
        for broadcast in self.broadcasts:
            self._broadcast(folder, broadcast, curves, per_weight)
            done += broadcast.duration_s
            progress(0.9 * done / total)
        if self.raw:
            self.raw.finish(self.relays.values())
        for relay in self.relays.values():
            for path, exported_at, note in write_exports(relay, folder):
                self._file(RELAY, path, exported_at, note)
        for house in self.houses.values():
            self.truth.add_people(house, self.broadcasts)
        self.truth.add_bots(self.houses[CHANNELS[0].channel_id])
        self.truth.add_effects()
        self.truth.write(self.layout.truth)
        self.counts["viewers"] = sum(int((h.messages > 0).sum()) for h in self.houses.values())
        progress(1.0)

    def _curves(self) -> tuple[dict[tuple[int, str], Curve], dict[str, float]]:
        """The viewers of every broadcast and channel, and by channel the messages per unit of `weight`."""
        curves: dict[tuple[int, str], Curve] = {}
        weights: Counter[str] = Counter()
        automatic = 0.0
        for b in self.broadcasts:
            for channel in b.creator.channels:
                curve = curves[b.number, channel.channel_id] = draw_curve(self.settings, b, channel)
                weights[channel.channel_id] += weight(b, channel, curve)  # type: ignore[assignment]
                automatic += automatic_count(b, channel)
        # In the smallest worlds bots would else write half of what was asked for.
        messages = max(self.settings.messages - automatic, 0.3 * self.settings.messages)
        return curves, {c.channel_id: messages * c.message_share / weights[c.channel_id] for c in CHANNELS}

    def _broadcast(
        self, folder: Path, b: Broadcast, curves: dict[tuple[int, str], Curve], per_weight: dict[str, float]
    ) -> None:
        relay = self.relays[b.creator.index]
        own = {c.channel_id: curves[b.number, c.channel_id] for c in b.creator.channels}
        samples = take_samples(self.settings, b, own)
        self.counts["streams"] += len(own)
        self.counts["viewer_counts"] += len(samples.at) * len(own)
        relay.add_broadcast(b, None if self.raw else samples)
        if self.raw:
            self.raw.add_samples(b, samples)
        for channel in b.creator.channels:
            house, curve = self.houses[channel.channel_id], own[channel.channel_id]
            expected = per_weight[channel.channel_id] * weight(b, channel, curve)
            chat = simulate_chat(self.settings, house, b, curve, expected)
            house.note(b, chat)
            events = simulate_events(self.settings, house, b, chat, curve)
            self.counts["chat_messages"] += len(chat)
            self.counts["stream_events"] += sum(e.kind != "gift_announced" for e in events)
            self.counts["moderation_actions"] += len(chat.sanctions)
            relay.add_people(house, b, chat)
            relay.add_events(house, b, events)
            said = notices(house, events) if channel.platform == "twitch" else []
            if self.raw:
                self.raw.add_chat(house, b, chat, said, events, relay)
            elif relay.has_chat(b, channel):
                relay.add_chat(house, b, chat)
            if channel.platform == "twitch":
                comments = [] if self.raw else comments_json(self.settings, house, b, chat, said)
                again = b is relay.broadcasts[0]
                snapshots = plan_snapshots(self.settings, b, curve.average, again=again)
                for snapshot, (path, exported_at) in zip(
                    snapshots, write_chat_files(folder, house, b, snapshots, comments), strict=True
                ):
                    late = snapshot.at - b.end_s > 10 * 86_400
                    self._file(
                        TWITCH_TOOL, path, exported_at, "duplicate" if snapshot.is_again else "late" if late else ""
                    )
            self.truth.add_stream(house, b, curve, chat)

    def _file(self, source: str, path: Path, exported_at: datetime, note: str) -> None:
        self.files.append(path.name)
        self.truth.add_export(source, path.name, exported_at, note)
        landing.add(self.layout, path, source=source, sidecar={"exported_at": exported_at}, move=True)
