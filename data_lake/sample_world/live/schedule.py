"""When each creator goes live, with what categories and subjects: the broadcasts of the sample world."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from data_lake.sample_world.live import words
from data_lake.sample_world.live.world import (
    CREATORS,
    OFF_HOURS_EFFECT,
    TREND_FACTOR,
    TREND_FROM,
    TREND_SUBJECT,
    Creator,
    LiveSettings,
)
from data_lake.sample_world.settings import uuids

if TYPE_CHECKING:
    from data_lake.sample_world.live.incidents import Incidents

LONG_STREAM_SECONDS = 26 * 3600
# A fortnight off air, as a share of the world: nobody can be seen then, and nobody has left.
HOLIDAY = {0: (0.62, 0.655), 1: (0.28, 0.315)}


@dataclass
class Broadcast:
    """One broadcast of a creator over all their channels. Times are epoch seconds; offsets seconds from the start."""

    number: int
    creator: Creator
    start_s: int
    duration_s: int
    livestream_id: str
    vod_id: str
    title: str
    title_before: str | None
    segments: list[tuple[int, int, str]]
    windows: list[tuple[int, int, str]]
    category: str
    subject: str
    special: str | None
    noise: float
    incidents: Incidents = field(init=False)

    @property
    def end_s(self) -> int:
        return self.start_s + self.duration_s

    @property
    def local_start(self) -> datetime:
        return datetime.fromtimestamp(self.start_s, ZoneInfo(self.creator.time_zone))

    @property
    def is_off_hours(self) -> bool:
        return self.local_start.hour < 16

    @property
    def crosses_midnight(self) -> bool:
        return self.start_s // 86_400 != (self.end_s - 1) // 86_400

    def draw(self) -> float:
        """How many viewers this slot, category and day of the week draw, against the channel's level."""
        hour = OFF_HOURS_EFFECT if self.is_off_hours else 1.0
        creator = self.creator
        return (
            creator.weekday_effect[self.local_start.weekday()]
            * hour
            * creator.category_effect[self.category]
            * self.noise
        )

    @property
    def chat_effect(self) -> float:
        """How much the main subject changes the chat per viewer."""
        return words.SUBJECTS[words.SUBJECT_INDEX[self.subject]].chat_effect


def plan_broadcasts(settings: LiveSettings) -> list[Broadcast]:
    """All broadcasts by start; the last ends before the world does."""
    broadcasts = [b for creator in CREATORS for b in _of_creator(settings, creator)]
    broadcasts.sort(key=lambda b: b.start_s)
    for number, broadcast in enumerate(broadcasts):
        broadcast.number = number
    return broadcasts


def _of_creator(settings: LiveSettings, creator: Creator) -> list[Broadcast]:
    rng = settings.rng("schedule", creator.index)
    slots = _slots(settings, creator, rng)
    special = _specials(slots) if creator.index == 0 else {}
    ids = uuids(rng, len(slots))
    vod = 2_200_000_000 + 7_000_000 * creator.index
    broadcasts = []
    for i, (start, duration) in enumerate(slots):
        vod += int(rng.integers(20_000, 60_000))
        share = (start - settings.first_s) / (settings.end_s - settings.first_s)
        segments, windows, category, subject = _programme(creator, rng, duration, share)
        title = _title(rng, category, subject)
        before = None
        if i == 1 or rng.random() < 0.12:
            before, title = title, f"{title} | {words.STREAM_WORDS[int(rng.integers(len(words.STREAM_WORDS)))]}"
        broadcasts.append(
            Broadcast(
                number=i,
                creator=creator,
                start_s=start,
                duration_s=duration,
                livestream_id=ids[i],
                vod_id=str(vod),
                title=title,
                title_before=before,
                segments=segments,
                windows=windows,
                category=category,
                subject=subject,
                special=special.get(i),
                noise=float(rng.lognormal(0, 0.07)),
            )
        )
    return broadcasts


def _slots(settings: LiveSettings, creator: Creator, rng: np.random.Generator) -> list[tuple[int, int]]:
    zone = ZoneInfo(creator.time_zone)
    off_from, off_to = (settings.days * share for share in HOLIDAY[creator.index])
    slots: list[tuple[int, int]] = []
    busy_until = settings.first_s
    long_day = int(settings.days * 0.45)
    for day in range(settings.days):
        date_ = settings.first_day + timedelta(day)
        chance, morning, jitter, length = rng.random(), rng.random(), rng.normal(0, 0.2), rng.lognormal(0, 0.22)
        is_long = creator.index == 0 and day == long_day
        if not is_long and chance > creator.weekday_chance[date_.weekday()]:
            continue
        # A fortnight off would leave a world of a month without its streams.
        if settings.days >= 120 and off_from <= day < off_to:
            continue
        hour = creator.start_hour - (7.5 if morning < 0.12 else 0) + jitter
        local = datetime(date_.year, date_.month, date_.day, tzinfo=zone) + timedelta(hours=hour)
        start = int(local.timestamp())
        duration = LONG_STREAM_SECONDS if is_long else int(np.clip(creator.hours * 3600 * length, 4500, 19_800))
        if start < busy_until or start + duration > settings.end_s - 2 * 3600:
            continue
        slots.append((start, duration))
        busy_until = start + duration + 3 * 3600
    return slots


def _specials(slots: list[tuple[int, int]]) -> dict[int, str]:
    """Which of creator A's broadcasts are the 26-hour one and the one whose chat peaks at minute 45."""
    long = next(i for i, (_, duration) in enumerate(slots) if duration == LONG_STREAM_SECONDS)
    peak = next(i for i in range(len(slots) // 3, len(slots)) if i != long and slots[i][1] > 2 * 3600)
    # On a whole minute, so that the minute of the stream is a minute of the clock.
    slots[peak] = (slots[peak][0] // 60 * 60, slots[peak][1])
    return {long: "26_hours", peak: "minute_45"}


def _programme(
    creator: Creator, rng: np.random.Generator, duration: int, share: float
) -> tuple[list[tuple[int, int, str]], list[tuple[int, int, str]], str, str]:
    """Segments by category, windows by subject, and the main category and subject."""
    categories = list(creator.categories)
    main = str(rng.choice(categories, p=list(creator.categories.values())))
    segments: list[tuple[int, int, str]] = []
    start = 0
    if "Just Chatting" in categories and main != "Just Chatting" and rng.random() < 0.6:
        start = int(rng.integers(8, 22)) * 60
        segments.append((0, start, "Just Chatting"))
    end = duration
    if rng.random() < 0.2:
        end = int(duration * rng.uniform(0.72, 0.85))
    segments.append((start, end, main))
    if end < duration:
        other = str(rng.choice([c for c in categories if c != main]))
        segments.append((end, duration, other))
    subject = _subject(rng, main, share)
    windows = []
    for first, last, category in segments:
        place = first
        while place < last:
            until = min(last, place + int(rng.integers(20, 50)) * 60)
            if last - until < 600:
                until = last
            keep = category == main and rng.random() < 0.7
            windows.append((place, until, subject if keep else _subject(rng, category, share)))
            place = until
    return segments, windows, main, subject


def _subject(rng: np.random.Generator, category: str, share: float) -> str:
    names = [s.name for s in words.SUBJECTS if s.category == category]
    weights = np.array([TREND_FACTOR if n == TREND_SUBJECT and share >= TREND_FROM else 1.0 for n in names])
    return str(rng.choice(names, p=weights / weights.sum()))


def _title(rng: np.random.Generator, category: str, subject: str) -> str:
    words_of = words.SUBJECTS[words.SUBJECT_INDEX[subject]]
    noun = words_of.nouns[int(rng.integers(len(words_of.nouns)))]
    verb = words_of.verbs[int(rng.integers(len(words_of.verbs)))]
    tail = words.STREAM_WORDS[int(rng.integers(len(words.STREAM_WORDS)))]
    return f"{category}: {verb} the {noun} {tail}"
