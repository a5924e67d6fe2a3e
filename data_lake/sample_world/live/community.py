"""A channel through the whole world, and the chat of one broadcast: the two things every later step looks at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data_lake.sample_world.live.people import TOURIST, Accounts, Floats, Ints, Ties
from data_lake.sample_world.live.phrases import Phrases
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import Channel, LiveSettings


@dataclass
class Community:
    """A channel through the whole world: its people, its phrases, and what they have done so far."""

    channel: Channel
    ties: Ties
    accounts: Accounts
    phrases: Phrases
    has_written: NDArray[np.bool_]
    follows: NDArray[np.bool_]
    months_announced: Ints
    messages: Ints
    streams: Ints
    first_us: Ints
    last_us: Ints
    spammers: int = 0

    @classmethod
    def open(cls, settings: LiveSettings, channel: Channel, ties: Ties, accounts: Accounts) -> Community:
        n = len(ties.account)
        follows = (ties.joined < 0) & (ties.kind != TOURIST)
        announced = np.maximum(np.floor(-ties.subscribes_at / 30) + 1, 0)
        return cls(
            channel,
            ties,
            accounts,
            Phrases(settings, channel),
            np.zeros(n, bool),
            follows,
            np.where(np.isfinite(announced), announced, 0).astype(np.int64),
            messages=np.zeros(len(accounts.ids), np.int64),
            streams=np.zeros(len(accounts.ids), np.int64),
            first_us=np.zeros(len(accounts.ids), np.int64),
            last_us=np.zeros(len(accounts.ids), np.int64),
        )

    def note(self, broadcast: Broadcast, chat: Chat) -> None:
        """Count what each account wrote, by account."""
        who, first, counts = np.unique(chat.account, return_index=True, return_counts=True)
        self.messages[who] += counts
        self.streams[who] += 1
        at = broadcast.start_s * 1_000_000 + np.floor(chat.at * 1e6).astype(np.int64)
        self.first_us[who] = np.where(self.first_us[who] == 0, at[first], self.first_us[who])
        last = len(at) - 1 - np.unique(chat.account[::-1], return_index=True)[1]
        self.last_us[who] = at[last]


@dataclass(frozen=True)
class Sanction:
    """A ban (no duration) or timeout of an account, `at` seconds into the broadcast."""

    account: int
    at: float
    duration: int | None
    reason: str


@dataclass
class Chat:
    """Messages by time. `hidden` ones were removed by a moderator and are missing from the VOD."""

    at: Floats
    account: Ints
    phrase: Ints
    is_action: NDArray[np.bool_]
    hidden: NDArray[np.bool_]
    attendees: Ints
    arrival: Floats
    leave: Floats
    badges: dict[int, tuple[tuple[str, str], ...]]
    sanctions: list[Sanction] = field(default_factory=list)
    offenders: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.at)


def months_subscribed(ties: Ties, day: float) -> Ints:
    """Months of subscription of each tie on that day, 0 for none."""
    months = np.floor((day - ties.subscribes_at) / 30) + 1
    return np.where((ties.subscribes_at <= day) & (day < ties.left), np.maximum(months, 0), 0).astype(np.int64)
