"""What Streampai, a multi-platform relay, gathers of one creator's broadcasts while the sample world runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data_lake.sample_world.live.audience import Samples
from data_lake.sample_world.live.community import Chat, Community, months_subscribed
from data_lake.sample_world.live.events import Event
from data_lake.sample_world.live.people import Accounts, Floats, Ints
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import TWO_TOOLS_DAYS, Channel, Creator, LiveSettings
from data_lake.sample_world.settings import uuids
from data_lake.sample_world.tables import Field, Kind, json_text

OVERLAP_S = 4 * 86_400


@dataclass
class Rows:
    """Rows of one table in the order they arose: their time (microseconds) and their values."""

    at: list[int] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, at: int, *values: Any) -> None:
        self.at.append(at)
        self.rows.append(values)

    def between(self, first: int, last: int) -> list[int]:
        """Positions of the rows of [first, last)."""
        times = np.array(self.at, np.int64)
        return np.flatnonzero((times >= first) & (times < last)).tolist()


@dataclass(frozen=True)
class Export:
    """One export of all tables: rows of [first, at)."""

    number: int
    first: int
    at: int


class Relay:
    """The relay's database of one creator; feed it broadcasts in order, then write its exports."""

    def __init__(
        self, settings: LiveSettings, creator: Creator, accounts: dict[str, Accounts], broadcasts: Sequence[Broadcast]
    ) -> None:
        self.settings, self.creator, self.accounts = settings, creator, accounts
        self.broadcasts = [b for b in broadcasts if b.creator is creator]
        self.events, self.bans, self.donations = Rows(), Rows(), Rows()
        self.samples: list[tuple[Broadcast, Samples]] = []
        self.seen: list[tuple[str, Ints, Ints]] = []
        self.moderators: dict[str, set[int]] = {p: set() for p in accounts}
        self.patrons: dict[str, set[int]] = {p: set() for p in accounts}
        self.followed: dict[str, list[int]] = {c.channel_id: [] for c in creator.channels}
        self._rng = settings.rng("relay ids", creator.index)
        self._ids: list[str] = []
        # One stream's chat on the last channel is missing from the regular exports.
        self.late = self.broadcasts[int(len(self.broadcasts) * 0.4)] if creator.index else None
        self.late_events = Rows()
        self.two_tools_from = settings.end_s - TWO_TOOLS_DAYS * 86_400

    def has_chat(self, broadcast: Broadcast, channel: Channel) -> bool:
        """Whether the relay was connected to this chat: always YouTube's, creator B's Twitch chat only lately."""
        return channel.platform == "youtube" or (self.creator.index == 1 and broadcast.start_s >= self.two_tools_from)

    def add_broadcast(self, broadcast: Broadcast, samples: Samples | None) -> None:
        """The relay's own events of a broadcast, and its samples unless they go elsewhere."""
        if samples is not None:
            self.samples.append((broadcast, samples))
        for channel in self.creator.channels:
            data = json_text({"type": "platform", "platform": channel.platform})
            for kind, at in (("platform_started", 0.4), ("platform_stopped", broadcast.duration_s - 0.2)):
                self._event(broadcast, at, kind, data, self.creator.user_id, channel.platform, None)
            for first, _, category in broadcast.segments[1:]:
                title = f"{category}: {broadcast.title.partition(': ')[2]}"
                data = json_text({"username": self.creator.name, "title": title, "description": None})
                self._event(
                    broadcast, first + 0.7, "stream_updated", data, self.creator.user_id, channel.platform, None
                )

    def _id(self) -> str:
        if not self._ids:
            self._ids = uuids(self._rng, 500)
        return self._ids.pop()

    def add_chat(self, community: Community, broadcast: Broadcast, chat: Chat) -> None:
        """Messages (those a moderator removed too), where the relay was connected to the chat."""
        accounts, phrases = community.accounts, community.phrases
        moderators = {a for a, b in chat.badges.items() if ("moderator", "1") in b}
        patrons = {a for a, b in chat.badges.items() if any(n == "subscriber" for n, _ in b)}
        names = {a: json_text(accounts.names[a]) for a in np.unique(chat.account).tolist()}
        into = self.late_events if broadcast is self.late else self.events
        into.at += stamps(broadcast, chat.at)
        livestream, platform = broadcast.livestream_id, community.channel.platform
        ids = accounts.ids
        yes_no = ("false", "true")
        for id_, account, phrase in zip(
            uuids(self._rng, len(chat)), chat.account.tolist(), chat.phrase.tolist(), strict=True
        ):
            message, emotes = phrases.relay_json(phrase)
            own = ids[account]
            data = (
                f'{{"type":"chat_message","message":{message},"username":{names[account]},"sender_channel_id":"{own}",'
                f'"is_moderator":{yes_no[account in moderators]},"is_patreon":{yes_no[account in patrons]},'
                f'"is_sent_by_streamer":false,"emotes":{emotes}}}'
            )
            into.rows.append((id_, "chat_message", data, own, livestream, platform, own))

    def add_people(self, community: Community, broadcast: Broadcast, chat: Chat) -> None:
        """Whom the relay saw writing, and whom moderators stopped."""
        platform, accounts = community.channel.platform, community.accounts
        order = np.argsort(chat.account, kind="stable")
        who, first = np.unique(chat.account[order], return_index=True)
        last = np.append(first[1:], len(order)) - 1
        times = np.array(stamps(broadcast, chat.at), np.int64)[order]
        self.seen.append(
            (platform, who, np.stack([times[first], times[last]]) if len(who) else np.empty((2, 0), np.int64))
        )
        self.moderators[platform] |= {a for a, b in chat.badges.items() if ("moderator", "1") in b}
        day = (broadcast.start_s - self.settings.first_s) / 86_400
        self.patrons[platform] |= set(community.ties.account[months_subscribed(community.ties, day) > 0].tolist())
        for s, id_ in zip(chat.sanctions, uuids(self._rng, len(chat.sanctions)), strict=True):
            at = stamps(broadcast, np.array([s.at]))[0]
            expires = None if s.duration is None else at + s.duration * 1_000_000
            # Every fifth ban is lifted four days later.
            lifted = at + 4 * 86_400_000_000 if s.duration is None and len(self.bans.at) % 5 == 4 else None
            self.bans.add(
                at,
                id_,
                platform,
                accounts.names[s.account],
                accounts.ids[s.account],
                s.reason,
                s.duration,
                expires,
                lifted,
                broadcast.livestream_id,
            )

    def add_events(self, community: Community, broadcast: Broadcast, events: Sequence[Event]) -> None:
        """Follows, subscriptions, raids and donations; the relay does not learn of gifts."""
        accounts, platform = community.accounts, community.channel.platform
        for e in events:
            name, own = accounts.names[e.account], accounts.ids[e.account]
            if e.kind == "donation":
                self._donation(broadcast, e, name)
                continue
            data: dict[str, object]
            if e.kind == "follow":
                kind, data = "follow", {"username": name.lower(), "display_name": name}
                self.followed[community.channel.channel_id].append(broadcast.start_s + int(e.at))
            elif e.kind in ("sub", "resub"):
                kind, data = (
                    "subscription",
                    {"username": name, "tier": e.tier, "months": str(e.months), "message": e.text or None},
                )
            elif e.kind == "raid":
                kind, data = "raid", {"raider_name": name, "viewer_count": str(e.count)}
            elif e.kind == "superchat":
                kind = "donation"
                data = {
                    "donor_name": name,
                    "amount": e.amount,
                    "currency": e.currency,
                    "message": e.text or None,
                    "platform_donation_id": f"LCC.{self._id()}",
                    "channel_id": own,
                    "amount_micros": str(round(float(e.amount) * 1_000_000)),
                }
            else:
                continue
            self._event(broadcast, e.at, kind, json_text({"type": kind, **data}), own, platform, own)

    def _event(
        self, b: Broadcast, at: float, kind: str, data: str, author: str, platform: str, viewer: str | None
    ) -> None:
        stamp = stamps(b, np.array([at]))[0]
        self.events.add(stamp, self._id(), kind, data, author, b.livestream_id, platform, viewer)

    def _donation(self, b: Broadcast, e: Event, name: str) -> None:
        at = stamps(b, np.array([e.at]))[0]
        fee = round(float(e.amount) * 0.029 + 0.3, 2)
        net = f"{max(float(e.amount) - fee, 0):.2f}"
        refunded = at + 3 * 86_400_000_000 if e.status == "refunded" else None
        self.donations.add(
            at,
            self._id(),
            "paypal",
            e.amount,
            e.currency,
            e.status,
            name,
            e.text or None,
            f"{fee:.2f}",
            net,
            refunded,
            b.livestream_id,
        )

    def exports(self) -> list[Export]:
        """When the tables were exported, the last just before the world ends."""
        settings = self.settings
        count = max(2, round(settings.days / 30.4))
        times = [settings.first_s + round(settings.days * 86_400 * (k + 1) / count) + 4 * 3600 for k in range(count)]
        times[-1] = settings.end_s - 300
        if count > 6:
            times[4] += 12 * 86_400
        middle = count // 2 - 1
        nearest = min(self.broadcasts, key=lambda b: abs(b.start_s - times[middle]))
        times[middle] = nearest.start_s + nearest.duration_s // 2
        times.sort()
        before = [settings.first_s - OVERLAP_S, *(t - OVERLAP_S for t in times[:-1])]
        return [
            Export(k, first * 1_000_000, at * 1_000_000)
            for k, (first, at) in enumerate(zip(before, times, strict=True))
        ]

    def event_fields(self, rows: Rows, first: int, last: int) -> list[Field]:
        """The columns of stream_events for the rows of [first, last)."""
        chosen = rows.between(first, last)
        columns = list(zip(*(rows.rows[i] for i in chosen), strict=True)) or [()] * 7
        kinds: tuple[Kind, ...] = ("text", "text", "json", "text", "text", "text", "text")
        names = ("id", "type", "data", "author_id", "livestream_id", "platform", "viewer_id")
        fields = [Field(n, k, c) for n, k, c in zip(names, kinds, columns, strict=True)]
        fields.append(Field("user_id", "text", [self.creator.user_id] * len(chosen)))
        fields.append(Field("was_displayed", "boolean", [c != "chat_message" for c in columns[1]]))
        fields.append(Field("inserted_at", "microsecond", [rows.at[i] for i in chosen]))
        return fields


def stamps(broadcast: Broadcast, at: Floats) -> list[int]:
    """Microseconds from 1970 of offsets into a broadcast; always within the offset's own second."""
    microseconds: list[int] = (broadcast.start_s * 1_000_000 + np.floor(at * 1e6).astype(np.int64)).tolist()
    return microseconds
