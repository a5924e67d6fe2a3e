"""What viewers do besides writing: follow, subscribe, give, raid and donate, in one broadcast on one channel.

How a platform or a tool words an event does not belong here, except the notices that stand in Twitch's chat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_lake.sample_world.live import words
from data_lake.sample_world.live.audience import Curve
from data_lake.sample_world.live.community import Chat, Community, months_subscribed
from data_lake.sample_world.live.people import CORE
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import LiveSettings

FOLLOWS_PER_VIEWER_HOUR = 0.011
SUPER_CHATS_PER_VIEWER_HOUR = 0.002
DONATIONS_PER_VIEWER_HOUR = 0.0007
TIERS = ("1000", "2000", "3000", "prime")


@dataclass(frozen=True)
class Event:
    """One event, `at` seconds into the broadcast. `account` is who acted; `other` who received a gift."""

    kind: str
    at: float
    account: int
    other: int = -1
    tier: str = ""
    months: int = 0
    count: int = 0
    amount: str = ""
    currency: str = ""
    text: str = ""
    status: str = "completed"


@dataclass(frozen=True)
class Notice:
    """An event as Twitch's chat words it: the message id of the kind and the whole text."""

    at: float
    account: int
    kind: str
    text: str


def simulate_events(
    settings: LiveSettings, community: Community, broadcast: Broadcast, chat: Chat, curve: Curve
) -> list[Event]:
    """All events of a broadcast on a channel, by time."""
    rng = settings.rng("events", community.channel.channel_id, broadcast.livestream_id)
    day = (broadcast.start_s - settings.first_s) / 86_400
    hours = curve.viewer_seconds / 3600
    events = _subscriptions(rng, community, chat, day, broadcast.duration_s)
    events += _follows(rng, community, broadcast, chat, hours)
    if community.channel.platform == "twitch":
        events += _gifts(rng, community, broadcast, chat)
        for raid in broadcast.incidents.raids:
            account = community.accounts.special[f"raider{raid.raider}"]
            events.append(Event("raid", raid.at + 0.5, account, count=max(2, round(raid.share * curve.level))))
    else:
        events += _super_chats(rng, community, broadcast, chat, hours)
    if community.channel is broadcast.creator.channels[0]:
        events += _donations(rng, community, broadcast, chat, hours)
    return sorted(events, key=lambda e: e.at)


def _subscriptions(
    rng: np.random.Generator, community: Community, chat: Chat, day: float, duration: int
) -> list[Event]:
    """A subscriber announces a month begun at the first broadcast attended since; most do, some never."""
    months = months_subscribed(community.ties, day)[chat.attendees]
    due = np.flatnonzero(months > community.months_announced[chat.attendees])
    events = []
    for i in due.tolist():
        tie, total = int(chat.attendees[i]), int(months[i])
        is_first = community.months_announced[tie] == 0
        community.months_announced[tie] = total
        if not is_first and rng.random() < 0.3:
            continue
        at = min(float(chat.arrival[i] + rng.uniform(5, 300)), duration - 2.0)
        tier = (
            TIERS[int(rng.choice(4, p=[0.62, 0.04, 0.02, 0.32]))]
            if community.channel.platform == "twitch"
            else "Member"
        )
        text = "" if is_first else words.SUB_WORDS[int(rng.integers(len(words.SUB_WORDS)))]
        kind = "sub" if total == 1 else "resub"
        events.append(Event(kind, at, int(community.ties.account[tie]), tier=tier, months=total, text=text))
    return events


def _follows(
    rng: np.random.Generator, community: Community, broadcast: Broadcast, chat: Chat, hours: float
) -> list[Event]:
    ties = community.ties
    fresh = np.flatnonzero(~community.follows[chat.attendees])
    came = fresh[ties.raid[chat.attendees[fresh]] == broadcast.number]
    chosen = {int(i) for i in came[rng.random(len(came)) < 0.5]}
    chosen |= {int(i) for i in rng.permutation(fresh)[: int(rng.poisson(hours * FOLLOWS_PER_VIEWER_HOUR))]}
    events = []
    for i in sorted(chosen):
        community.follows[chat.attendees[i]] = True
        at = min(float(chat.arrival[i] + rng.exponential(400)), broadcast.duration_s - 2.0)
        events.append(Event("follow", at, int(ties.account[chat.attendees[i]])))
    return events


def _gifts(rng: np.random.Generator, community: Community, broadcast: Broadcast, chat: Chat) -> list[Event]:
    """A gift to the community is announced and then given one by one; the announcement is not a gift."""
    events: list[Event] = []
    givers = chat.attendees[community.ties.kind[chat.attendees] == CORE]
    for _ in range(int(rng.poisson(0.3)) if len(givers) else 0):
        giver = int(community.ties.account[givers[int(rng.integers(len(givers)))]])
        count = (1, 1, 5, 5, 10)[int(rng.integers(5))]
        others = chat.attendees[community.ties.account[chat.attendees] != giver]
        takers = rng.permutation(others)[:count]
        at = float(rng.uniform(300, broadcast.duration_s - 60))
        if count > 1:
            events.append(Event("gift_announced", at, giver, tier="1000", count=len(takers)))
        for i, taker in enumerate(takers.tolist()):
            events.append(
                Event("gift", at + 0.3 + 0.2 * i, giver, int(community.ties.account[taker]), tier="1000", count=1)
            )
    return events


def _who(rng: np.random.Generator, community: Community, chat: Chat) -> int:
    """Someone who was there, the more likely the more they write."""
    if not len(chat.attendees):
        return community.accounts.special[community.channel.login]
    rates = community.ties.chat_rate[chat.attendees]
    return int(community.ties.account[chat.attendees[int(rng.choice(len(rates), p=rates / rates.sum()))]])


def _super_chats(
    rng: np.random.Generator, community: Community, broadcast: Broadcast, chat: Chat, hours: float
) -> list[Event]:
    events = []
    for _ in range(int(rng.poisson(hours * SUPER_CHATS_PER_VIEWER_HOUR))):
        amount = (2, 2, 5, 5, 10, 20, 50)[int(rng.integers(7))]
        currency = ("EUR", "EUR", "USD", "GBP", "JPY")[int(rng.integers(5))]
        stated = f"{amount * 150}" if currency == "JPY" else f"{amount}.00"
        text = words.DONATION_WORDS[int(rng.integers(len(words.DONATION_WORDS)))]
        at = float(rng.uniform(120, broadcast.duration_s - 60))
        events.append(Event("superchat", at, _who(rng, community, chat), amount=stated, currency=currency, text=text))
    return events


def _donations(
    rng: np.random.Generator, community: Community, broadcast: Broadcast, chat: Chat, hours: float
) -> list[Event]:
    events = []
    for _ in range(int(rng.poisson(hours * DONATIONS_PER_VIEWER_HOUR))):
        currency = broadcast.creator.currency if rng.random() < 0.75 else ("USD", "EUR", "GBP")[int(rng.integers(3))]
        status = ("completed", "refunded", "failed")[int(rng.choice(3, p=[0.92, 0.05, 0.03]))]
        text = words.DONATION_WORDS[int(rng.integers(len(words.DONATION_WORDS)))]
        amount = f"{min(float(rng.lognormal(1.9, 0.9)) + 1, 500):.2f}"
        at = float(rng.uniform(120, broadcast.duration_s - 60))
        events.append(
            Event(
                "donation", at, _who(rng, community, chat), amount=amount, currency=currency, text=text, status=status
            )
        )
    return events


def notices_of(community: Community, events: list[Event]) -> list[Notice]:
    """The events that Twitch announces in the chat, as it words them."""
    names, owner = community.accounts.names, community.channel.display_name
    notices = []
    for e in events:
        plan = "with Prime" if e.tier == "prime" else f"at Tier {e.tier[:1]}"
        name = names[e.account]
        kind_and_text = {
            "sub": ("sub", f"{name} subscribed {plan}."),
            "resub": ("resub", f"{name} subscribed {plan}. They've subscribed for {e.months} months! {e.text}".strip()),
            "gift_announced": ("submysterygift", f"{name} is gifting {e.count} Tier 1 Subs to {owner}'s community!"),
            "gift": ("subgift", f"{name} gifted a Tier 1 sub to {names[e.other]}!"),
            "raid": ("raid", f"{e.count} raiders from {name} have joined!"),
        }.get(e.kind)
        if kind_and_text:
            notices.append(Notice(e.at, e.account, *kind_and_text))
    return notices
