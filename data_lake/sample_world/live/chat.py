"""The chat of one broadcast on one channel: who was there, who wrote when, and which phrase.

The total follows the viewers (times what moments, raids and the subject do to it); who writes it follows the ties.
"""

from __future__ import annotations

import numpy as np

from data_lake.sample_world.live import words
from data_lake.sample_world.live.audience import Curve
from data_lake.sample_world.live.community import Chat, Community, months_subscribed
from data_lake.sample_world.live.incidents import Moment, Raid
from data_lake.sample_world.live.people import Floats, Ints
from data_lake.sample_world.live.phrases import Phrases, draw
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.spells import add_automatic, add_toxic
from data_lake.sample_world.live.world import Channel, LiveSettings

GRID_S = 5.0
RAID_MULTIPLIER, RAID_CHAT_S = 4.0, 80.0
SUBJECT, CHATTER, EMOTE, WITH_EMOTE, THIRD_PARTY, MENTION, COMMAND = range(7)
KIND_SHARES = (0.53, 0.20, 0.13, 0.06, 0.03, 0.035, 0.015)
WINDOW_SUBJECT_SHARE, FAVOURITE_SUBJECT_SHARE = 0.78, 0.12


def chat_window(moment: Moment, channel: Channel) -> tuple[float, float]:
    """When the chat reacts to a moment: seconds from the start of the broadcast, from and to."""
    if moment.kind == "minute_45":
        return moment.at + 2.0, moment.at + 2.0 + moment.length
    start = moment.at + channel.chat_lag_seconds + moment.late
    return start, start + moment.length


def _burst(at: Floats, start: float, end: float) -> Floats:
    return (
        np.clip((at - start) / 15 + 1, 0, 1) * np.clip((end + 25 - at) / 25, 0, 1)
        if end - start > 60
        else (((at >= start) & (at < end)).astype(float))
    )


def multiplier(at: Floats, broadcast: Broadcast, channel: Channel) -> Floats:
    """By how much incidents multiply the chat per viewer at these offsets."""
    total = np.ones_like(at)
    for moment in broadcast.incidents.moments:
        total *= 1 + (moment.multiplier - 1) * _burst(at, *chat_window(moment, channel))
    for raid in _raids(broadcast, channel):
        total *= 1 + (RAID_MULTIPLIER - 1) * _burst(at, raid.at + 15, raid.at + 15 + RAID_CHAT_S)
    return total


def _raids(broadcast: Broadcast, channel: Channel) -> list[Raid]:
    return broadcast.incidents.raids if channel.platform == "twitch" else []


def grid(broadcast: Broadcast) -> Floats:
    return np.append(np.arange(0, broadcast.duration_s, GRID_S), float(broadcast.duration_s))


def weight(broadcast: Broadcast, channel: Channel, curve: Curve) -> float:
    """What the number of messages is proportional to: viewer seconds times all that raises the chat per viewer."""
    at = grid(broadcast)
    return float(np.trapezoid(curve(at) * multiplier(at, broadcast, channel), at)) * broadcast.chat_effect


def simulate_chat(
    settings: LiveSettings, community: Community, broadcast: Broadcast, curve: Curve, expected: float
) -> Chat:
    """The chat of a broadcast on a channel, `expected` messages on average before bots and spells."""
    channel, ties = community.channel, community.ties
    rng = settings.rng("chat", channel.channel_id, broadcast.livestream_id)
    day = (broadcast.start_s - settings.first_s) / 86_400
    attendees, arrival, leave = _attend(rng, community, broadcast, day)
    at = grid(broadcast)
    rate = ties.chat_rate[attendees] * ties.vigour(day)[attendees]
    rate = rate * np.where(ties.subject[attendees] == words.SUBJECT_INDEX[broadcast.subject], 1.5, 1.0)
    first, last = np.searchsorted(at, arrival), np.searchsorted(at, leave)
    present = np.zeros(len(at) + 1)
    np.add.at(present, first, rate)
    np.subtract.at(present, last, rate)
    present = np.cumsum(present)[:-1]
    intensity = curve(at) * multiplier(at, broadcast, channel) / np.maximum(present, 0.2 * present.mean() + 1e-9)
    flow = np.concatenate([[0.0], np.cumsum((intensity[1:] + intensity[:-1]) / 2 * np.diff(at))])
    start, end = np.interp(arrival, at, flow), np.interp(leave, at, flow)
    share = rate * np.maximum(end - start, 0)
    counts = rng.poisson(expected * float(rng.lognormal(0, 0.08)) * share / max(share.sum(), 1e-9))
    who = np.repeat(np.arange(len(attendees)), counts)
    sent = np.interp(start[who] + rng.random(len(who)) * (end - start)[who], flow, at)
    order = np.argsort(sent, kind="stable")
    sent, who = np.minimum(sent[order], broadcast.duration_s - 0.001), who[order]
    tie = attendees[who]
    chat = Chat(
        at=sent,
        account=ties.account[tie],
        phrase=_phrases(rng, community, broadcast, sent, tie),
        is_action=rng.random(len(sent)) < 0.004,
        hidden=np.zeros(len(sent), bool),
        attendees=attendees,
        arrival=arrival,
        leave=leave,
        badges=_badges(community, attendees, day),
    )
    community.has_written[tie] = True
    add_toxic(rng, community, broadcast, chat, day)
    add_automatic(rng, community, broadcast, chat)
    return chat


def _attend(
    rng: np.random.Generator, community: Community, broadcast: Broadcast, day: float
) -> tuple[Ints, Floats, Floats]:
    """Which ties attend, from when to when (seconds from the start)."""
    ties, duration = community.ties, broadcast.duration_s
    category = list(broadcast.creator.categories).index(broadcast.category)
    chance = ties.chance(day, category, broadcast.draw())
    newcomers = ties.raid == broadcast.number if community.channel.platform == "twitch" else np.zeros(len(chance), bool)
    if duration > 12 * 3600:
        chance = np.minimum(chance * 1.6, 0.97)
    attendees = np.flatnonzero((rng.random(len(chance)) < chance) | newcomers)
    n = len(attendees)
    arrival = np.where(rng.random(n) < 0.5, rng.exponential(480, n), rng.uniform(0, 0.8, n) * duration)
    for raid in _raids(broadcast, community.channel):
        arrival = np.where(newcomers[attendees], raid.at + rng.uniform(0, 110, n), arrival)
    arrival = np.minimum(arrival, duration - 240.0)
    kind = ties.kind[attendees]
    stay = rng.exponential(1.0, n) * np.choose(kind, [9000, 4000, 1500]) + np.choose(kind, [900, 400, 200])
    return attendees, arrival, np.minimum(arrival + stay, duration)


def _phrases(rng: np.random.Generator, community: Community, broadcast: Broadcast, sent: Floats, tie: Ints) -> Ints:
    """Which phrase each message says."""
    phrases, channel, n = community.phrases, community.channel, len(sent)
    kind = rng.choice(len(KIND_SHARES), p=KIND_SHARES, size=n)
    subject = _subjects(rng, community, broadcast, sent, tie)
    firsts, counts = np.array([b.first for b in phrases.subjects]), np.array([b.count for b in phrases.subjects])
    phrase: Ints = firsts[subject] + (rng.random(n) * counts[subject]).astype(np.int64)
    blocks = {CHATTER: phrases.chatter, EMOTE: phrases.emote_only, WITH_EMOTE: phrases.with_emote}
    blocks |= {THIRD_PARTY: phrases.third_party, COMMAND: phrases.commands}
    for which, block in blocks.items():
        chosen = np.flatnonzero(kind == which)
        phrase[chosen] = draw(rng, block, len(chosen))
    _greet(rng, community, tie, phrase)
    for spell in broadcast.incidents.pastes:
        chosen = np.flatnonzero((sent >= spell.at) & (sent < spell.at + spell.length) & (rng.random(n) < 0.65))
        phrase[chosen] = phrases.pastes.first + int(spell.pick * phrases.pastes.count)
    for i in np.flatnonzero((kind == MENTION) & (np.arange(n) > 0)).tolist():
        other = community.accounts.logins[community.ties.account[tie[rng.integers(max(0, i - 20), i)]]]
        phrase[i] = phrases.add(
            f"@{other} {phrases.texts[phrases.chatter.first + int(rng.integers(phrases.chatter.count))]}"
        )
    if channel.platform == "twitch":
        for i in np.flatnonzero(rng.random(n) < 0.002).tolist():
            bits = (50, 100, 100, 200, 500, 1000)[int(rng.integers(6))]
            phrase[i] = phrases.add(f"Cheer{bits} {phrases.texts[phrase[i]]}")
    for moment in broadcast.incidents.moments:
        burst = 1 + (moment.multiplier - 1) * _burst(sent, *chat_window(moment, channel))
        chosen = np.flatnonzero(rng.random(n) < (burst - 1) / burst)
        phrase[chosen] = draw(rng, phrases.hype[moment_emote(phrases, moment)], len(chosen))
    for raid in _raids(broadcast, channel):
        burst = 1 + (RAID_MULTIPLIER - 1) * _burst(sent, raid.at + 15, raid.at + 15 + RAID_CHAT_S)
        chosen = np.flatnonzero(rng.random(n) < (burst - 1) / burst)
        name = community.accounts.names[community.accounts.special[f"raider{raid.raider}"]]
        shouts = np.array([phrases.add(f"{name} RAID {end}".strip()) for end in ("", "TwitchUnity", "PogChamp")])
        phrase[chosen] = shouts[rng.integers(3, size=len(chosen))]
    return phrase


def moment_emote(phrases: Phrases, moment: Moment) -> str:
    """The emote that bursts in a moment."""
    names = list(phrases.emotes)
    return names[int(moment.pick * len(names))]


def _subjects(rng: np.random.Generator, community: Community, broadcast: Broadcast, sent: Floats, tie: Ints) -> Ints:
    starts = np.array([w[0] for w in broadcast.windows])
    of_window = np.array([words.SUBJECT_INDEX[w[2]] for w in broadcast.windows])
    subject = of_window[np.searchsorted(starts, sent, side="right") - 1]
    u = rng.random(len(sent))
    subject = np.where(u > WINDOW_SUBJECT_SHARE, community.ties.subject[tie], subject)
    own = np.array([i for i, s in enumerate(words.SUBJECTS) if s.category in broadcast.creator.categories])
    anything = own[rng.integers(len(own), size=len(sent))]
    chosen: Ints = np.where(u > WINDOW_SUBJECT_SHARE + FAVOURITE_SUBJECT_SHARE, anything, subject)
    return chosen


def _greet(rng: np.random.Generator, community: Community, tie: Ints, phrase: Ints) -> None:
    """A tie's first message of a broadcast is often a greeting, the first ever often says so."""
    _, first = np.unique(tie, return_index=True)
    u = rng.random(len(first))
    new = first[~community.has_written[tie[first]] & (u < 0.4) & (community.ties.joined[tie[first]] > 0)]
    returning = first[(u >= 0.4) & (u < 0.65)]
    phrase[returning] = draw(rng, community.phrases.greeting, len(returning))
    phrase[new] = draw(rng, community.phrases.first_time, len(new))


def _badges(community: Community, attendees: Ints, day: float) -> dict[int, tuple[tuple[str, str], ...]]:
    ties, by_account = community.ties, {}
    months = months_subscribed(ties, day)
    for tie in attendees[(months[attendees] > 0) | ties.is_moderator[attendees] | ties.is_vip[attendees]].tolist():
        badges = []
        if ties.is_moderator[tie]:
            badges.append(("moderator", "1"))
        elif ties.is_vip[tie]:
            badges.append(("vip", "1"))
        if months[tie]:
            badges.append(("subscriber", str(max(m for m in (0, 3, 6, 12, 24, 36) if m <= months[tie]))))
        by_account[int(ties.account[tie])] = tuple(badges)
    special = community.accounts.special
    by_account[special[community.channel.login]] = (("broadcaster", "1"),)
    if community.channel.platform == "twitch":
        by_account |= {special[bot]: (("moderator", "1"),) for bot in ("nightbot", "streamelements")}
    return by_account
