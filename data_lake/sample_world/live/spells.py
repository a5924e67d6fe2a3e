"""What is written into a chat beside the audience's own flow: toxic spells and their end, bots, spam, the creator.

The audience's own flow belongs to `chat`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_lake.sample_world.live import words
from data_lake.sample_world.live.community import Chat, Community, Sanction
from data_lake.sample_world.live.people import BANNED, CASUAL, CORE, SPAMMERS, TOURIST, Floats, Ints
from data_lake.sample_world.live.phrases import draw
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import Channel

BOT_EVERY_S = 900


def automatic_count(broadcast: Broadcast, channel: Channel) -> float:
    """About how many messages beside the audience's own flow a broadcast has on a channel."""
    count = 3 + 20.0 * len(broadcast.incidents.toxic)
    if channel.platform == "twitch":
        count += broadcast.duration_s / BOT_EVERY_S + sum(s.length / 2 for s in broadcast.incidents.spam)
    return count


def _insert(chat: Chat, at: Floats, account: Ints, phrase: Ints, hidden: NDArray[np.bool_]) -> None:
    order = np.argsort(merged := np.concatenate([chat.at, at]), kind="stable")
    chat.at = merged[order]
    chat.account = np.concatenate([chat.account, account])[order]
    chat.phrase = np.concatenate([chat.phrase, phrase])[order]
    chat.is_action = np.concatenate([chat.is_action, np.zeros(len(at), bool)])[order]
    chat.hidden = np.concatenate([chat.hidden, hidden])[order]


def _silence(chat: Chat, account: int, start: float, end: float) -> None:
    keep = ~((chat.account == account) & (chat.at >= start) & (chat.at < end))
    for name in ("at", "account", "phrase", "is_action", "hidden"):
        setattr(chat, name, getattr(chat, name)[keep])


def add_toxic(rng: np.random.Generator, community: Community, broadcast: Broadcast, chat: Chat, day: float) -> None:
    """A few attendees insult the room until moderators stop them; half of what they wrote is removed."""
    ties = community.ties
    for spell in broadcast.incidents.toxic:
        present = (chat.arrival < spell.at + spell.length) & (chat.leave > spell.at)
        pool = chat.attendees[
            present & np.isin(ties.kind[chat.attendees], [CASUAL, TOURIST]) & ~ties.is_moderator[chat.attendees]
        ]
        if not len(pool):
            pool = chat.attendees[(ties.kind[chat.attendees] != CORE) | ~ties.is_moderator[chat.attendees]]
        for number, tie in enumerate(rng.permutation(pool)[: int(rng.integers(2, 5))].tolist()):
            stop = spell.at + spell.length * float(rng.uniform(0.4, 1.0))
            count = int(rng.integers(4, 10))
            at = np.sort(rng.uniform(spell.at, stop, count))
            account = int(ties.account[tie])
            # One of every spell is banned for good: the first.
            duration = None if number == 0 or rng.random() < 0.35 else 600
            stopped = float(at[-1] + rng.uniform(8, 60))
            _silence(chat, account, stopped, np.inf if duration is None else stopped + duration)
            _insert(
                chat, at, np.full(count, account), draw(rng, community.phrases.toxic, count), rng.random(count) < 0.5
            )
            reason = words.BAN_REASONS[int(rng.integers(len(words.BAN_REASONS)))]
            chat.sanctions.append(Sanction(account, stopped, duration, reason))
            chat.offenders.append(account)
            if duration is None:
                ties.left[tie], ties.leaving[tie] = day + stopped / 86_400, BANNED


def add_automatic(rng: np.random.Generator, community: Community, broadcast: Broadcast, chat: Chat) -> None:
    """The creator's bot and messages, and a spam bot now and then: over twenty messages a minute until banned."""
    special, phrases = community.accounts.special, community.phrases
    own = np.sort(rng.uniform(60, broadcast.duration_s - 60, int(rng.poisson(3))))
    _insert(
        chat,
        own,
        np.full(len(own), special[community.channel.login]),
        draw(rng, phrases.chatter, len(own)),
        np.zeros(len(own), bool),
    )
    if community.channel.platform != "twitch":
        return
    commands = (chat.phrase >= phrases.commands.first) & (chat.phrase < phrases.commands.first + phrases.commands.count)
    timed = np.arange(BOT_EVERY_S, broadcast.duration_s, BOT_EVERY_S, dtype=float) + 2.5
    at = np.concatenate([timed, np.minimum(chat.at[commands] + 1.5, broadcast.duration_s - 0.001)])
    _insert(
        chat,
        at,
        np.full(len(at), special[broadcast.creator.bot]),
        draw(rng, phrases.bot_lines, len(at)),
        np.zeros(len(at), bool),
    )
    for spell in broadcast.incidents.spam:
        account = special[f"spammer{community.spammers % SPAMMERS}"]
        community.spammers += 1
        step = 60 / (26 + 8 * spell.pick)
        at = np.arange(spell.at, spell.at + spell.length, step) + rng.uniform(0, 0.4 * step)
        _insert(
            chat,
            at,
            np.full(len(at), account),
            phrases.spam.first + np.arange(len(at)) % phrases.spam.count,
            np.zeros(len(at), bool),
        )
        chat.sanctions.append(Sanction(account, float(at[-1] + 4), None, "spam"))
