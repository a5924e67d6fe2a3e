"""The sample world's truth as Helix would show it at any moment: for the demo, and for whoever needs a full channel."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from data_lake.sample_world.clock import moment
from data_lake.sample_world.live.audience import draw_curve
from data_lake.sample_world.live.incidents import plan_incidents
from data_lake.sample_world.live.people import BANNED, TOURIST, Accounts, Ties, make_accounts, make_ties
from data_lake.sample_world.live.schedule import Broadcast, plan_broadcasts
from data_lake.sample_world.live.words import CATEGORY_IDS
from data_lake.sample_world.live.world import CHANNELS, Channel, LiveSettings
from tests.helix_rows import Row, ban, clip, live, planned, profile, stamp, subscriber, video
from tests.helix_rows import channel as channel_row
from tests.helix_server import World


class SampleHelix(World):
    """Twitch's channels of a sample world. What is asked for depends on the server's time."""

    def __init__(self, settings: LiveSettings) -> None:
        super().__init__()
        self.settings = settings
        self.broadcasts = plan_broadcasts(settings)
        plan_incidents(settings, self.broadcasts)
        self.channels = {c.channel_id: c for c in CHANNELS if c.platform == "twitch"}
        self._accounts: Accounts = make_accounts(settings)["twitch"]
        ties = make_ties(settings, make_accounts(settings), self.broadcasts)
        self._ties: dict[str, Ties] = {c: ties[c] for c in self.channels}
        self._curves = {
            (b.number, c.channel_id): draw_curve(settings, b, c)
            for b in self.broadcasts for c in b.creator.channels if c.platform == "twitch"
        }  # fmt: skip

    def of(self, channel_id: str) -> list[Broadcast]:
        """The broadcasts of a channel, by start."""
        channel = self.channels[channel_id]
        return [b for b in self.broadcasts if b.creator.index == channel.creator]

    def batch(self, path: str, now: datetime) -> list[Row]:
        if path == "users":
            return [{**profile(c.channel_id, c.login), "display_name": c.display_name} for c in self.channels.values()]
        if path == "channels":
            return [self._titled(c, now) for c in self.channels.values()]
        return [row for c in self.channels.values() for row in self._live(c, now)]

    def rows(self, path: str, channel: str, now: datetime) -> list[Row]:
        if channel not in self.channels:
            return []
        if path in ("videos", "clips", "schedule"):
            return {"videos": self._videos, "clips": self._clips, "schedule": self._schedule}[path](channel, now)
        ties, day = self._ties[channel], (self._seconds(now) - self.settings.first_s) / 86_400
        here = (ties.joined <= day) & (ties.left > day)
        if path == "channels/followers":
            chosen = np.flatnonzero(here & (ties.kind != TOURIST))
            order = chosen[np.argsort(-ties.joined[chosen], kind="stable")]
            return [{**self._user(ties, i), "followed_at": stamp(self._on(ties.joined[i]))} for i in order.tolist()]
        if path == "subscriptions":
            chosen = np.flatnonzero(here & (ties.subscribes_at <= day))
            return [{**subscriber(0, channel), **self._user(ties, i)} for i in chosen.tolist()]
        if path == "moderation/banned":
            chosen = np.flatnonzero((ties.leaving == BANNED) & (ties.left <= day))
            return [{**ban(0, stamp(self._on(ties.left[i]))), **self._user(ties, i)} for i in chosen.tolist()]
        role = {"moderation/moderators": ties.is_moderator, "channels/vips": ties.is_vip}.get(path)
        return [self._user(ties, i) for i in np.flatnonzero(here & role).tolist()] if role is not None else []

    def _user(self, ties: Ties, place: int) -> Row:
        account = int(ties.account[place])
        accounts = self._accounts
        login = accounts.logins[account]
        return {"user_id": accounts.ids[account], "user_login": login, "user_name": accounts.names[account]}

    def _on(self, day: float) -> datetime:
        return moment(self.settings.first_s + round(float(day) * 86_400))

    @staticmethod
    def _seconds(now: datetime) -> float:
        return (now - datetime(1970, 1, 1)).total_seconds()

    def _titled(self, channel: Channel, now: datetime) -> Row:
        begun = [b for b in self.of(channel.channel_id) if b.start_s <= self._seconds(now)]
        last = begun[-1] if begun else self.of(channel.channel_id)[0]
        row = channel_row(channel.channel_id, channel.login)
        about = {"broadcaster_name": channel.display_name, "title": last.title, "game_name": last.category}
        return {**row, **about, "game_id": str(CATEGORY_IDS[last.category])}

    def _live(self, channel: Channel, now: datetime) -> list[Row]:
        at = self._seconds(now)
        for b in self.of(channel.channel_id):
            if b.start_s <= at < b.end_s:
                seconds = np.array([at - b.start_s])
                viewers = round(float(self._curves[b.number, channel.channel_id](seconds)[0]))
                category = next(name for first, last, name in b.segments if first <= at - b.start_s < last)
                about = {"user_login": channel.login, "user_name": channel.display_name, "title": b.title}
                game = {"game_id": str(CATEGORY_IDS[category]), "game_name": category}
                row = live(channel.channel_id, self.stream_id(b), viewers, stamp(moment(b.start_s)))
                return [{**row, **about, **game}]
        return []

    @staticmethod
    def stream_id(broadcast: Broadcast) -> str:
        """Twitch's id of a broadcast; the archive has another."""
        return f"4{broadcast.vod_id}"

    def _videos(self, channel: str, now: datetime) -> list[Row]:
        rows = []
        for b in reversed(self.of(channel)):
            if b.end_s <= self._seconds(now):
                minutes, seconds = divmod(b.duration_s, 60)
                length = f"{minutes // 60}h{minutes % 60}m{seconds}s"
                one = video(int(b.vod_id), stamp(moment(b.start_s)), channel)
                login = self.channels[channel].login
                views = round(self._curves[b.number, channel].average * 2)
                about = {"title": b.title, "duration": length, "view_count": views, "user_login": login}
                rows.append({**one, **about, "user_name": login, "stream_id": self.stream_id(b)})
        return rows

    def _clips(self, channel: str, now: datetime) -> list[Row]:
        rows = []
        for b in self.of(channel):
            for number, one in enumerate(b.incidents.moments):
                made = moment(b.start_s + one.at + 40)
                if made <= now:
                    row = clip(number, made, channel)
                    about = {"id": f"Moment{b.vod_id}N{number}", "video_id": b.vod_id, "vod_offset": one.at}
                    rows.append({**row, **about, "title": f"{b.category} moment", "view_count": 10 + number})
        return sorted(rows, key=lambda row: row["created_at"])

    def _schedule(self, channel: str, now: datetime) -> list[Row]:
        ahead = [b for b in self.of(channel) if timedelta(0) < moment(b.start_s) - now < timedelta(days=7)]
        return [
            {**planned(b.livestream_id, stamp(moment(b.start_s)), stamp(moment(b.end_s))), "title": b.title}
            for b in ahead
        ]
