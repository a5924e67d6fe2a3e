"""Who the viewers are and how each one is tied to a channel: loyalty that forms, fades and ends.

A tie is one account and one channel. Its latent numbers go to truth/; what it does in a broadcast belongs to `chat`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_lake.sample_world.clock import moment
from data_lake.sample_world.live import words
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import CHANNELS, CREATORS, RAID_RETAINED, VIEWERS, Channel, LiveSettings
from data_lake.sample_world.names import full_names, handles
from data_lake.sample_world.tables import json_text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CORE, CASUAL, TOURIST = 0, 1, 2
KINDS = ("core", "casual", "tourist")
STAYS, ABRUPT, FADING, BANNED = 0, 1, 2, 3
LEAVINGS = ("stays", "abrupt", "fading", "banned")
FORMING_DAYS = 35.0
BOTS = {"nightbot": "19264788", "streamelements": "100135110"}
RAIDERS = 60
SPAMMERS = 40
NEVER = np.inf
# Accounts per viewer who writes: the others only watch, and no export names them.
SILENT = 1.5


@dataclass
class Accounts:
    """Accounts of one platform: the viewers first, then bots, creators, raiders and spammers, found by `special`."""

    platform: str
    ids: list[str]
    logins: list[str]
    names: list[str]
    viewers: int
    special: dict[str, int]
    twitch_json: list[str]
    colors: list[str]


@dataclass
class Ties:
    """One row per account and channel. Days count from the first day of the world; `joined` may lie before it."""

    channel: Channel
    account: Ints
    kind: Ints
    joined: Floats
    left: Floats
    leaving: Ints
    fades_from: Floats
    away_from: Floats
    away_to: Floats
    attendance: Floats
    chat_rate: Floats
    category: Ints
    subject: Ints
    subscribes_at: Floats
    is_moderator: NDArray[np.bool_]
    is_vip: NDArray[np.bool_]
    raid: Ints

    def chance(self, day: float, category: int, draw: float) -> Floats:
        """The chance of each tie to attend a broadcast on that day (fractional) in that category."""
        forming = 0.4 + 0.6 * (1 - np.exp(-np.maximum(day - self.joined, 0) / FORMING_DAYS))
        forming = np.where(self.kind == TOURIST, 1.0, forming)
        crowd = np.where(self.category == category, 1.5, 0.7)
        chance = np.minimum(self.attendance * forming * crowd * draw, 0.97) * self.vigour(day)
        present = (self.joined <= day) & (day < self.left) & ~((self.away_from <= day) & (day < self.away_to))
        present_chance: Floats = np.where(present, chance, 0.0)
        return present_chance

    def vigour(self, day: float) -> Floats:
        """1 until the signs of leaving show, then falling to a tenth when the viewer leaves."""
        fading = self.leaving == FADING
        start, end = np.where(fading, self.fades_from, day), np.where(fading, self.left, day + 1)
        vigour: Floats = 1 - 0.9 * np.clip((day - start) / np.maximum(end - start, 1e-6), 0, 1)
        return vigour


def make_accounts(settings: LiveSettings) -> dict[str, Accounts]:
    """All accounts by platform."""
    count = max(120, round(VIEWERS * settings.scale * SILENT))
    twitch = _twitch_accounts(settings, round(count * 0.8))
    return {"twitch": twitch, "youtube": _youtube_accounts(settings, count - round(count * 0.8))}


def _twitch_accounts(settings: LiveSettings, count: int) -> Accounts:
    rng = settings.rng("accounts", "twitch")
    total = count + RAIDERS + SPAMMERS
    names = handles(rng, total)
    ids = np.cumsum(rng.integers(50, 3000, size=total)) + 60_000_000
    own = rng.permutation(ids).astype(str).tolist()
    creators = [c for c in CHANNELS if c.platform == "twitch"]
    names += [*BOTS, *(c.display_name for c in creators)]
    own += [*BOTS.values(), *(c.channel_id for c in creators)]
    logins = [n.lower() for n in names]
    special = {login: total + i for i, login in enumerate(logins[total:])}
    special |= {f"raider{i}": count + i for i in range(RAIDERS)}
    special |= {f"spammer{i}": count + RAIDERS + i for i in range(SPAMMERS)}
    created = rng.integers(1_300_000_000, settings.first_s - 86_400, size=len(names)).tolist()
    chunks = [
        f'{{"display_name":{json_text(name)},"_id":"{id_}","name":"{login}",'
        f'"created_at":"{moment(born).isoformat()}Z"}}'
        for name, id_, login, born in zip(names, own, logins, created, strict=True)
    ]
    colors = [words.COLORS[i] for i in rng.integers(len(words.COLORS), size=len(names))]
    return Accounts("twitch", own, logins, names, count, special, chunks, colors)


def _youtube_accounts(settings: LiveSettings, count: int) -> Accounts:
    rng = settings.rng("accounts", "youtube")
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    own = ["UC" + "".join(row) for row in letters[rng.integers(64, size=(count, 22))]]
    # Names on YouTube are not unique: only the id tells two people apart.
    names = full_names(rng, count)
    channel = next(c for c in CHANNELS if c.platform == "youtube")
    own.append(channel.channel_id)
    names.append(channel.display_name)
    return Accounts("youtube", own, [n.lower() for n in names], names, count, {channel.login: count}, [], [])


def make_ties(
    settings: LiveSettings, accounts: dict[str, Accounts], broadcasts: Sequence[Broadcast]
) -> dict[str, Ties]:
    """The ties of every channel, by channel id."""
    twitch = accounts["twitch"].viewers
    group = settings.rng("groups").random(twitch)
    members = {
        CHANNELS[0].channel_id: np.flatnonzero(group < 0.60),
        CHANNELS[1].channel_id: np.flatnonzero(group > 0.54),
        CHANNELS[2].channel_id: np.arange(accounts["youtube"].viewers),
    }
    return {c.channel_id: _ties(settings, c, members[c.channel_id], broadcasts) for c in CHANNELS}


def _ties(settings: LiveSettings, channel: Channel, account: Ints, broadcasts: Sequence[Broadcast]) -> Ties:
    rng = settings.rng("ties", channel.channel_id)
    n, days = len(account), float(settings.days)
    kind = np.array([CORE, CASUAL, TOURIST])[rng.choice(3, p=[0.14, 0.38, 0.48], size=n)]
    early = rng.random(n) < np.where(kind == TOURIST, 0.0, 0.35)
    joined = np.where(early, -rng.uniform(0, 250, n), days * rng.beta(1.15, 1.0, n))
    stay = np.where(kind == TOURIST, rng.exponential(5.0, n) + 2, rng.exponential(260.0, n) + 25)
    # Who was there before the first day has not left before it.
    left = np.where(early, np.maximum(joined, 0) + rng.exponential(260.0, n) + 8, joined + stay)
    leaving = np.where(left >= days, STAYS, np.where(rng.random(n) < 0.55, FADING, ABRUPT))
    leaving = np.where((kind == TOURIST) & (leaving == FADING), ABRUPT, leaving)
    left = np.where(leaving == STAYS, NEVER, left)
    signs = rng.uniform(35, 70, n)
    fades_from = np.where(leaving == FADING, np.maximum(left - signs, joined), NEVER)
    away = (rng.random(n) < 0.12) & (kind != TOURIST)
    away_from = np.where(away, rng.uniform(0, days, n), NEVER)
    attendance = np.choose(kind, [rng.uniform(0.35, 0.85, n), rng.beta(2, 9, n), rng.uniform(0.5, 1.0, n)])
    # Heavy tails: the tenth that writes most writes more than half.
    chat_rate = np.choose(kind, [7.0, 2.4, 1.8]) * rng.lognormal(0, 1.05, n)
    creator = CREATORS[channel.creator]
    categories = list(creator.categories)
    category = rng.choice(len(categories), p=list(creator.categories.values()), size=n)
    subject = np.zeros(n, np.int64)
    for i, name in enumerate(categories):
        own = [s for s, w in enumerate(words.SUBJECTS) if w.category == name]
        subject = np.where(category == i, np.array(own)[rng.integers(len(own), size=n)], subject)
    subscriber = rng.random(n) < np.choose(kind, [0.45, 0.07, 0.004])
    subscribes_at = np.where(subscriber, joined + rng.exponential(30.0, n), NEVER)
    moderator = np.zeros(n, bool)
    stays = np.flatnonzero((kind == CORE) & (leaving == STAYS))
    moderator[stays[: max(2, n // 600)]] = True
    vip = (kind == CORE) & (rng.random(n) < 0.06) & ~moderator
    ties = Ties(
        channel,
        account,
        kind,
        joined,
        left,
        leaving,
        fades_from,
        away_from,
        away_from + rng.uniform(18, 34, n),
        attendance,
        chat_rate,
        category,
        subject,
        subscribes_at,
        moderator,
        vip,
        np.full(n, -1),
    )
    if channel.platform == "twitch":
        _bring_by_raids(settings, rng, ties, broadcasts)
    return ties


def _bring_by_raids(
    settings: LiveSettings, rng: np.random.Generator, ties: Ties, broadcasts: Sequence[Broadcast]
) -> None:
    """Some tourists came with a raid; whether they stay depends on the category the raider streamed."""
    pool = list(np.flatnonzero((ties.kind == TOURIST) & (ties.joined > 0)))
    raids = [(b, r) for b in broadcasts if b.creator.index == ties.channel.creator for r in b.incidents.raids]
    each = int(np.clip(len(pool) * 0.5 / max(len(raids), 1), 2, 14 * settings.audience))
    for broadcast, raid in raids:
        chosen = [pool.pop() for _ in range(min(len(pool), max(2, round(each * (0.4 + raid.share)))))]
        day = (broadcast.start_s + raid.at - settings.first_s) / 86_400
        for tie in chosen:
            ties.joined[tie], ties.raid[tie] = day, broadcast.number
            retained = rng.random() < RAID_RETAINED[raid.same_category]
            ties.kind[tie] = CASUAL if retained else TOURIST
            ties.attendance[tie] = rng.uniform(0.3, 0.6) if retained else 0.2
            ties.left[tie] = NEVER if retained else day + 2 + rng.exponential(3.0)
            ties.leaving[tie] = STAYS if retained or ties.left[tie] >= settings.days else ABRUPT
