"""What viewers do besides writing: follow, subscribe, give, raid and donate, in one broadcast on one channel.

How a platform or a tool words an event does not belong here, except the notices that stand in Twitch's chat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_lake.sample_world.live import words
from data_lake.sample_world.live.audience import Curve
from data_lake.sample_world.live.community import Chat, House, months_subscribed
from data_lake.sample_world.live.people import CORE
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import Settings

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
    """An event as Twitch's chat tells it: the message id of the kind and the whole text."""

    at: float
    account: int
    kind: str
    text: str


def simulate_events(settings: Settings, house: House, broadcast: Broadcast, chat: Chat, curve: Curve) -> list[Event]:
    """All events of a broadcast on a channel, by time."""
    dice = settings.dice("events", house.channel.channel_id, broadcast.livestream_id)
    day = (broadcast.start_s - settings.first_s) / 86_400
    hours = curve.viewer_seconds / 3600
    found = _subscriptions(dice, house, chat, day, broadcast.duration_s)
    found += _follows(dice, house, broadcast, chat, hours)
    if house.channel.platform == "twitch":
        found += _gifts(dice, house, broadcast, chat)
        for raid in broadcast.incidents.raids:
            account = house.accounts.special[f"raider{raid.raider}"]
            found.append(Event("raid", raid.at + 0.5, account, count=max(2, round(raid.share * curve.level))))
    else:
        found += _super_chats(dice, house, broadcast, chat, hours)
    if house.channel is broadcast.creator.channels[0]:
        found += _donations(dice, house, broadcast, chat, hours)
    return sorted(found, key=lambda e: e.at)


def _subscriptions(dice: np.random.Generator, house: House, chat: Chat, day: float, duration: int) -> list[Event]:
    """A subscriber tells of a month begun at the first broadcast attended since; most do, some never."""
    months = months_subscribed(house.ties, day)[chat.attendees]
    due = np.flatnonzero(months > house.months_told[chat.attendees])
    found = []
    for i in due.tolist():
        tie, total = int(chat.attendees[i]), int(months[i])
        is_first = house.months_told[tie] == 0
        house.months_told[tie] = total
        if not is_first and dice.random() < 0.3:
            continue
        at = min(float(chat.arrival[i] + dice.uniform(5, 300)), duration - 2.0)
        tier = (
            TIERS[int(dice.choice(4, p=[0.62, 0.04, 0.02, 0.32]))] if house.channel.platform == "twitch" else "Member"
        )
        text = "" if is_first else words.SUB_WORDS[int(dice.integers(len(words.SUB_WORDS)))]
        kind = "sub" if total == 1 else "resub"
        found.append(Event(kind, at, int(house.ties.account[tie]), tier=tier, months=total, text=text))
    return found


def _follows(dice: np.random.Generator, house: House, broadcast: Broadcast, chat: Chat, hours: float) -> list[Event]:
    ties = house.ties
    fresh = np.flatnonzero(~house.follows[chat.attendees])
    came = fresh[ties.raid[chat.attendees[fresh]] == broadcast.number]
    chosen = {int(i) for i in came[dice.random(len(came)) < 0.5]}
    chosen |= {int(i) for i in dice.permutation(fresh)[: int(dice.poisson(hours * FOLLOWS_PER_VIEWER_HOUR))]}
    found = []
    for i in sorted(chosen):
        house.follows[chat.attendees[i]] = True
        at = min(float(chat.arrival[i] + dice.exponential(400)), broadcast.duration_s - 2.0)
        found.append(Event("follow", at, int(ties.account[chat.attendees[i]])))
    return found


def _gifts(dice: np.random.Generator, house: House, broadcast: Broadcast, chat: Chat) -> list[Event]:
    """A gift to the community is announced and then given one by one; the announcement is not a gift."""
    found: list[Event] = []
    givers = chat.attendees[house.ties.kind[chat.attendees] == CORE]
    for _ in range(int(dice.poisson(0.3)) if len(givers) else 0):
        giver = int(house.ties.account[givers[int(dice.integers(len(givers)))]])
        count = (1, 1, 5, 5, 10)[int(dice.integers(5))]
        others = chat.attendees[house.ties.account[chat.attendees] != giver]
        takers = dice.permutation(others)[:count]
        at = float(dice.uniform(300, broadcast.duration_s - 60))
        if count > 1:
            found.append(Event("gift_announced", at, giver, tier="1000", count=len(takers)))
        for i, taker in enumerate(takers.tolist()):
            found.append(Event("gift", at + 0.3 + 0.2 * i, giver, int(house.ties.account[taker]), tier="1000", count=1))
    return found


def _who(dice: np.random.Generator, house: House, chat: Chat) -> int:
    """Someone who was there, the more likely the more they write."""
    if not len(chat.attendees):
        return house.accounts.special[house.channel.login]
    rates = house.ties.chat_rate[chat.attendees]
    return int(house.ties.account[chat.attendees[int(dice.choice(len(rates), p=rates / rates.sum()))]])


def _super_chats(
    dice: np.random.Generator, house: House, broadcast: Broadcast, chat: Chat, hours: float
) -> list[Event]:
    found = []
    for _ in range(int(dice.poisson(hours * SUPER_CHATS_PER_VIEWER_HOUR))):
        amount = (2, 2, 5, 5, 10, 20, 50)[int(dice.integers(7))]
        currency = ("EUR", "EUR", "USD", "GBP", "JPY")[int(dice.integers(5))]
        said = f"{amount * 150}" if currency == "JPY" else f"{amount}.00"
        text = words.DONATION_WORDS[int(dice.integers(len(words.DONATION_WORDS)))]
        at = float(dice.uniform(120, broadcast.duration_s - 60))
        found.append(Event("superchat", at, _who(dice, house, chat), amount=said, currency=currency, text=text))
    return found


def _donations(dice: np.random.Generator, house: House, broadcast: Broadcast, chat: Chat, hours: float) -> list[Event]:
    found = []
    for _ in range(int(dice.poisson(hours * DONATIONS_PER_VIEWER_HOUR))):
        currency = broadcast.creator.currency if dice.random() < 0.75 else ("USD", "EUR", "GBP")[int(dice.integers(3))]
        status = ("completed", "refunded", "failed")[int(dice.choice(3, p=[0.92, 0.05, 0.03]))]
        text = words.DONATION_WORDS[int(dice.integers(len(words.DONATION_WORDS)))]
        amount = f"{min(float(dice.lognormal(1.9, 0.9)) + 1, 500):.2f}"
        at = float(dice.uniform(120, broadcast.duration_s - 60))
        found.append(
            Event("donation", at, _who(dice, house, chat), amount=amount, currency=currency, text=text, status=status)
        )
    return found


def notices(house: House, events: list[Event]) -> list[Notice]:
    """The events that Twitch tells in the chat, as it words them."""
    names, owner = house.accounts.names, house.channel.display_name
    found = []
    for e in events:
        plan = "with Prime" if e.tier == "prime" else f"at Tier {e.tier[:1]}"
        name = names[e.account]
        said = {
            "sub": ("sub", f"{name} subscribed {plan}."),
            "resub": ("resub", f"{name} subscribed {plan}. They've subscribed for {e.months} months! {e.text}".strip()),
            "gift_announced": ("submysterygift", f"{name} is gifting {e.count} Tier 1 Subs to {owner}'s community!"),
            "gift": ("subgift", f"{name} gifted a Tier 1 sub to {names[e.other]}!"),
            "raid": ("raid", f"{e.count} raiders from {name} have joined!"),
        }.get(e.kind)
        if said:
            found.append(Notice(e.at, e.account, *said))
    return found
