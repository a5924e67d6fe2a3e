"""The live world from its first broadcast to its last: what happens, who exports it, and the truth about it."""

from __future__ import annotations

from collections import Counter

from data_lake.sample_world.base import Progress
from data_lake.sample_world.live.audience import Curve, draw_curve, take_samples
from data_lake.sample_world.live.chat import simulate_chat, weight
from data_lake.sample_world.live.community import Community
from data_lake.sample_world.live.events import notices_of, simulate_events
from data_lake.sample_world.live.exports_streampai import write_exports
from data_lake.sample_world.live.exports_twitch import comments_json, plan_snapshots, write_chat_files
from data_lake.sample_world.live.incidents import plan_incidents
from data_lake.sample_world.live.people import make_accounts, make_ties
from data_lake.sample_world.live.raw_rows import RawRows
from data_lake.sample_world.live.relay import Relay
from data_lake.sample_world.live.schedule import Broadcast, plan_broadcasts
from data_lake.sample_world.live.spells import automatic_count
from data_lake.sample_world.live.truth import Truth
from data_lake.sample_world.live.world import CHANNELS, CREATORS, RELAY, TWITCH_TOOL, LiveSettings
from data_lake.sample_world.output import Output


def write(output: Output, settings: LiveSettings, progress: Progress) -> None:
    """Simulate the live world of these settings and write it."""
    _Simulation(output, settings).run(progress)


class _Simulation:
    def __init__(self, output: Output, settings: LiveSettings) -> None:
        self.output, self.settings = output, settings
        self.counts = output.counts
        self.truth = Truth(settings, output)
        self.broadcasts = plan_broadcasts(settings)
        plan_incidents(settings, self.broadcasts)
        accounts = make_accounts(settings)
        ties = make_ties(settings, accounts, self.broadcasts)
        self.communities = {
            c.channel_id: Community.open(settings, c, ties[c.channel_id], accounts[c.platform]) for c in CHANNELS
        }
        self.relays = {c.index: Relay(settings, c, accounts, self.broadcasts) for c in CREATORS}
        self.raw = RawRows(output.layout) if settings.is_direct else None

    def run(self, progress: Progress) -> None:
        curves, per_weight = self._curves()
        done, total = 0, sum(b.duration_s for b in self.broadcasts)
        for broadcast in self.broadcasts:
            self._broadcast(broadcast, curves, per_weight)
            done += broadcast.duration_s
            progress(0.9 * done / total)
        if self.raw:
            self.raw.finish(self.relays.values())
        for relay in self.relays.values():
            for path, exported_at, note in write_exports(relay, self.output.folder):
                self.output.land(RELAY, path, exported_at, note)
        for community in self.communities.values():
            self.truth.add_people(community, self.broadcasts)
        self.truth.add_bots(self.communities[CHANNELS[0].channel_id])
        self.truth.add_effects()
        self.truth.write()
        self.counts["viewers"] = sum(int((c.messages > 0).sum()) for c in self.communities.values())
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

    def _broadcast(self, b: Broadcast, curves: dict[tuple[int, str], Curve], per_weight: dict[str, float]) -> None:
        relay = self.relays[b.creator.index]
        own = {c.channel_id: curves[b.number, c.channel_id] for c in b.creator.channels}
        samples = take_samples(self.settings, b, own)
        self.counts["streams"] += len(own)
        self.counts["viewer_counts"] += len(samples.at) * len(own)
        relay.add_broadcast(b, None if self.raw else samples)
        if self.raw:
            self.raw.add_samples(b, samples)
        for channel in b.creator.channels:
            community, curve = self.communities[channel.channel_id], own[channel.channel_id]
            expected = per_weight[channel.channel_id] * weight(b, channel, curve)
            chat = simulate_chat(self.settings, community, b, curve, expected)
            community.note(b, chat)
            events = simulate_events(self.settings, community, b, chat, curve)
            self.counts["chat_messages"] += len(chat)
            self.counts["stream_events"] += sum(e.kind != "gift_announced" for e in events)
            self.counts["moderation_actions"] += len(chat.sanctions)
            relay.add_people(community, b, chat)
            relay.add_events(community, b, events)
            notices = notices_of(community, events) if channel.platform == "twitch" else []
            if self.raw:
                self.raw.add_chat(community, b, chat, notices, events, relay)
            elif relay.has_chat(b, channel):
                relay.add_chat(community, b, chat)
            if channel.platform == "twitch":
                comments = [] if self.raw else comments_json(self.settings, community, b, chat, notices)
                again = b is relay.broadcasts[0]
                snapshots = plan_snapshots(self.settings, b, curve.average, again=again)
                for snapshot, (path, exported_at) in zip(
                    snapshots, write_chat_files(self.output.folder, community, b, snapshots, comments), strict=True
                ):
                    late = snapshot.at - b.end_s > 10 * 86_400
                    note = "duplicate" if snapshot.is_again else "late" if late else ""
                    self.output.land(TWITCH_TOOL, path, exported_at, note)
            self.truth.add_stream(community, b, curve, chat)
