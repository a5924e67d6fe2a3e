"""What was planted in the live world, as rows of the truth tables that the package's docstring lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_lake.sample_world.clock import moment
from data_lake.sample_world.live import words
from data_lake.sample_world.live.audience import Curve
from data_lake.sample_world.live.chat import RAID_CHAT_S, chat_window, moment_emote
from data_lake.sample_world.live.community import Chat, Community
from data_lake.sample_world.live.people import BOTS, KINDS, LEAVINGS, STAYS
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.truth_tables import COLUMNS
from data_lake.sample_world.live.world import (
    CREATORS,
    FADE_FLOOR,
    FADE_FROM_MINUTES,
    FADE_MINUTES,
    OFF_HOURS_EFFECT,
    RAID_KEPT,
    RAID_RETAINED,
    TREND_FACTOR,
    TREND_FROM,
    TREND_SUBJECT,
    LiveSettings,
)
from data_lake.sample_world.output import Output, column_names


class Truth:
    """Rows of the truth tables as they arise."""

    def __init__(self, settings: LiveSettings, output: Output) -> None:
        self.settings, self.output, self.rows = settings, output, output.truth

    def add_stream(self, community: Community, b: Broadcast, curve: Curve, chat: Chat) -> None:
        """Everything planted in one broadcast on one channel."""
        where = _where(community, b)
        self._add(
            "streams",
            where,
            started_at=moment(b.start_s),
            ended_at=moment(b.end_s),
            average_viewers=curve.average,
            peak_viewers=float(curve.viewers.max()),
            viewer_hours=curve.viewer_seconds / 3600,
            message_count=len(chat),
            chatter_count=len(np.unique(chat.account)),
            category=b.category,
            subject=b.subject,
            special=b.special,
            crosses_midnight=b.crosses_midnight,
            draw=b.draw(),
            chat_effect=b.chat_effect,
        )
        categories = np.array([s[0] for s in b.segments])
        for first, last, subject in b.windows:
            category = b.segments[int(np.searchsorted(categories, first, side="right")) - 1][2]
            self._add(
                "subjects",
                where,
                started_at=moment(b.start_s + first),
                ended_at=moment(b.start_s + last),
                category=category,
                subject=subject,
                message_count=_between(chat, first, last),
            )
        self._add_incidents(community, b, chat, where, curve.level)
        for s in chat.sanctions:
            self._add(
                "sanctions",
                where,
                occurred_at=moment(b.start_s + s.at),
                viewer_id=community.accounts.ids[s.account],
                duration_seconds=s.duration,
                reason=s.reason,
            )

    def _add_incidents(
        self, community: Community, b: Broadcast, chat: Chat, where: dict[str, Any], level: float
    ) -> None:
        incidents, start = b.incidents, b.start_s
        for m in incidents.moments:
            first, last = chat_window(m, community.channel)
            self._add(
                "moments",
                where,
                kind=m.kind,
                viewers_from=moment(start + m.at),
                chat_from=moment(start + first),
                chat_to=moment(start + last),
                lag_seconds=first - m.at,
                multiplier=m.multiplier,
                viewer_lift=m.lift,
                emote=moment_emote(community.phrases, m),
                message_count=_between(chat, first, last),
            )
            self._anomaly(where, "chat_surge", start + first, start + last, m.multiplier, None)
        for swing in incidents.swings:
            kind = "viewer_spike" if swing.size > 0 else "viewer_dropoff"
            self._anomaly(where, kind, start + swing.at, start + swing.at + swing.length + 180, swing.size, None)
        if community.channel.platform == "twitch":
            for raid in incidents.raids:
                came = community.ties.raid == b.number
                self._add(
                    "raids",
                    where,
                    occurred_at=moment(start + raid.at),
                    raider_login=community.accounts.logins[community.accounts.special[f"raider{raid.raider}"]],
                    raid_viewer_count=max(2, round(raid.share * level)),
                    same_category=raid.same_category,
                    newcomer_count=int(came.sum()),
                    retained_count=int((came & (community.ties.kind == 1)).sum()),
                )
                self._anomaly(where, "viewer_spike", start + raid.at, start + raid.at + 600, raid.share, "raid")
                self._anomaly(where, "chat_surge", start + raid.at, start + raid.at + 40 + RAID_CHAT_S, 4.0, "raid")
            for spell in incidents.spam:
                self._anomaly(where, "chat_surge", start + spell.at, start + spell.at + spell.length, 0.0, "bot_spam")
                self._spell(where, "spam_bot", b, spell.at, spell.length, "")
        for spell in incidents.holes:
            self._anomaly(where, "data_hole", start + spell.at, start + spell.at + spell.length, 0.0, "hole")
        for spell in incidents.toxic:
            self._spell(where, "toxic", b, spell.at, spell.length, "")
        for spell in incidents.pastes:
            self._spell(
                where, "copypasta", b, spell.at, spell.length, words.PASTES[int(spell.pick * len(words.PASTES))]
            )

    def _anomaly(
        self, where: dict[str, Any], kind: str, first: float, last: float, size: float, cause: str | None
    ) -> None:
        self._add(
            "anomalies",
            where,
            anomaly_type=kind,
            started_at=moment(first),
            ended_at=moment(last),
            size=size,
            cause=cause,
        )

    def _spell(self, where: dict[str, Any], kind: str, b: Broadcast, at: int, length: int, text: str) -> None:
        first = b.start_s + at
        self._add(
            "spells", where, kind=kind, started_at=moment(first), ended_at=moment(first + length), text=text or None
        )

    def _add(self, table: str, where: dict[str, Any], **values: Any) -> None:
        self.rows[table].append({**where, **values})

    def add_people(self, community: Community, broadcasts: list[Broadcast]) -> None:
        """The latent numbers of every tie that could have been seen, and who left."""
        ties, accounts, channel = community.ties, community.accounts, community.channel
        creator = CREATORS[channel.creator]
        categories = list(creator.categories)
        who = {"creator_id": creator.user_id, "platform": channel.platform, "channel_id": channel.channel_id}
        for tie, account in enumerate(ties.account.tolist()):
            raid = int(ties.raid[tie])
            row = {
                **who,
                "viewer_id": accounts.ids[account],
                "login": accounts.logins[account],
                "kind": KINDS[ties.kind[tie]],
                "leaving": LEAVINGS[ties.leaving[tie]],
                "joined_at": self._day(ties.joined[tie]),
                "left_at": self._day(ties.left[tie]),
                "signs_from": self._day(ties.fades_from[tie]),
                "away_from": self._day(ties.away_from[tie]),
                "away_to": self._day(ties.away_to[tie]),
                "attendance": float(ties.attendance[tie]),
                "messages_per_stream": float(ties.chat_rate[tie]),
                "favourite_category": categories[ties.category[tie]],
                "favourite_subject": words.SUBJECTS[ties.subject[tie]].name,
                "subscribed_at": self._day(ties.subscribes_at[tie]),
                "raid_livestream_id": broadcasts[raid].livestream_id if raid >= 0 else None,
                "streams_attended": int(community.streams[account]),
                "message_count": int(community.messages[account]),
                "first_message_at": _time(community.first_us[account]),
                "last_message_at": _time(community.last_us[account]),
            }
            self.rows["viewers"].append(row)
            if ties.leaving[tie] != STAYS and community.messages[account]:
                self.rows["churners"].append({c: row[c] for c in column_names(COLUMNS["churners"])})

    def _day(self, day: float) -> Any:
        return moment(self.settings.first_s + round(float(day) * 86_400)) if np.isfinite(day) else None

    def add_bots(self, community: Community) -> None:
        """The bots that are known by name; spammers are known by their sanctions."""
        accounts = community.accounts
        bots = [(login, "known") for login in BOTS] + [
            (accounts.logins[a], "spam") for n, a in accounts.special.items() if n.startswith("spammer")
        ]
        index = {login: i for i, login in enumerate(accounts.logins)}
        for login, kind in bots:
            row = {"platform": accounts.platform, "viewer_id": accounts.ids[index[login]], "login": login, "kind": kind}
            self.rows["bots"].append(row)

    def add_effects(self) -> None:
        """The constants of the world that a model may find again."""
        for creator in CREATORS:
            for category, value in creator.category_effect.items():
                self._effect("category_on_viewers", value, "factor", creator.user_id, None, category)
            for day, value in enumerate(creator.weekday_effect):
                self._effect("weekday_on_viewers", value, "factor", creator.user_id, None, str(day))
            self._effect(
                "off_hours_on_viewers", OFF_HOURS_EFFECT, "factor", creator.user_id, None, "before 16:00 local"
            )
            for channel in creator.channels:
                self._effect(
                    "growth_of_viewers",
                    channel.growth_per_400_days,
                    "share per 400 days",
                    creator.user_id,
                    channel.platform,
                    None,
                )
                self._effect("chat_lag", channel.chat_lag_seconds, "seconds", creator.user_id, channel.platform, None)
        for subject in words.SUBJECTS:
            self._effect("subject_on_chat_per_viewer", subject.chat_effect, "factor", level=subject.name)
        for minutes, kept in RAID_KEPT.items():
            self._effect("raid_kept", kept, "share", level=f"{minutes} min")
        for same, value in RAID_RETAINED.items():
            self._effect(
                "raid_retained", value, "share of newcomers", level="same category" if same else "other category"
            )
        self._effect("fade_from", FADE_FROM_MINUTES, "minutes of the broadcast")
        self._effect("fade_time", FADE_MINUTES, "minutes")
        self._effect("fade_floor", FADE_FLOOR, "share of the level")
        self._effect(
            "subject_trend", TREND_FACTOR, f"times as likely after {TREND_FROM:.0%} of the days", level=TREND_SUBJECT
        )

    def _effect(
        self,
        effect: str,
        value: float,
        unit: str,
        creator: str | None = None,
        platform: str | None = None,
        level: str | None = None,
    ) -> None:
        row = {
            "effect": effect,
            "creator_id": creator,
            "platform": platform,
            "level": level,
            "value": value,
            "unit": unit,
        }
        self.rows["effects"].append(row)

    def write(self) -> None:
        """One Parquet file per table."""
        self.output.write_truth(COLUMNS)


def _where(community: Community, b: Broadcast) -> dict[str, Any]:
    is_twitch = community.channel.platform == "twitch"
    return {
        "creator_id": b.creator.user_id,
        "platform": community.channel.platform,
        "channel_id": community.channel.channel_id,
        "livestream_id": b.livestream_id,
        "vod_id": b.vod_id if is_twitch else None,
    }


def _between(chat: Chat, first: float, last: float) -> int:
    return int(np.searchsorted(chat.at, last) - np.searchsorted(chat.at, first))


def _time(microseconds: int) -> Any:
    return None if microseconds in (0, np.iinfo(np.int64).max) else moment(microseconds / 1_000_000)
