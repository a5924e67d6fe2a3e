"""What happens during a broadcast: moments, raids, anomalies, spells, spam and holes, planted where they can be found.

Incidents keep a distance from each other and from the start and end, so that each has its own cause. How they shape the
audience and the chat belongs to `audience` and `chat`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import LiveSettings

DISTANCE_S = 13 * 60
FIRST_S, LAST_S = 22 * 60, 12 * 60
MINUTE_45_S = 45 * 60


@dataclass(frozen=True)
class Moment:
    """Something exciting at `at`: viewers rise by `lift` within two minutes, chat multiplies `multiplier` times for
    `length` seconds, late by the channel's lag plus `late`. `pick` chooses the emote of the moment.

    The lift is within the noise of one broadcast, so that it is no anomaly: only many moments together show the lag."""

    at: int
    lift: float
    multiplier: float
    length: int
    late: float
    pick: float
    kind: str = "hype"


@dataclass(frozen=True)
class Raid:
    """A raid at `at` that brings `share` of the channel's level in viewers; `same_category` decides who stays."""

    at: int
    share: float
    raider: int
    same_category: bool


@dataclass(frozen=True)
class Swing:
    """Viewers jump (`size` > 0) or leave (`size` < 0) for a while and come back, for no reason the data holds."""

    at: int
    length: int
    size: float


@dataclass(frozen=True)
class Spell:
    """A stretch in which something takes over: toxic messages, copypasta, a spam bot, or a hole in the samples."""

    at: int
    length: int
    pick: float


@dataclass
class Incidents:
    """All incidents of one broadcast; offsets are seconds from its start."""

    moments: list[Moment] = field(default_factory=list)
    raids: list[Raid] = field(default_factory=list)
    swings: list[Swing] = field(default_factory=list)
    toxic: list[Spell] = field(default_factory=list)
    pastes: list[Spell] = field(default_factory=list)
    spam: list[Spell] = field(default_factory=list)
    holes: list[Spell] = field(default_factory=list)


Plant = Callable[[Incidents, int, np.random.Generator], None]


def _moment(incidents: Incidents, at: int, rng: np.random.Generator) -> None:
    multiplier, length = float(rng.uniform(6, 10)), int(rng.integers(100, 160))
    late, lift = float(rng.normal(0, 10)), float(rng.uniform(0.008, 0.018))
    incidents.moments.append(Moment(at, lift, multiplier, length, late, float(rng.random())))


def _raid(incidents: Incidents, at: int, rng: np.random.Generator) -> None:
    incidents.raids.append(Raid(at, float(rng.uniform(0.35, 1.1)), int(rng.integers(60)), bool(rng.random() < 0.45)))


def _spike(incidents: Incidents, at: int, rng: np.random.Generator) -> None:
    incidents.swings.append(Swing(at, int(rng.integers(4, 10)) * 60, float(rng.uniform(0.35, 0.7))))


def _dropoff(incidents: Incidents, at: int, rng: np.random.Generator) -> None:
    incidents.swings.append(Swing(at, int(rng.integers(4, 10)) * 60, -float(rng.uniform(0.3, 0.5))))


def _toxic(incidents: Incidents, at: int, rng: np.random.Generator) -> None:
    incidents.toxic.append(Spell(at, int(rng.integers(4, 9)) * 60, float(rng.random())))


def _paste(incidents: Incidents, at: int, rng: np.random.Generator) -> None:
    incidents.pastes.append(Spell(at, int(rng.integers(80, 180)), float(rng.random())))


def _spam(incidents: Incidents, at: int, rng: np.random.Generator) -> None:
    incidents.spam.append(Spell(at, int(rng.integers(5, 7)) * 60, float(rng.random())))


def _hole(incidents: Incidents, at: int, rng: np.random.Generator) -> None:
    incidents.holes.append(Spell(at, int(rng.integers(8, 30)) * 60, float(rng.random())))


# Chance per three hours, and the share of a creator's broadcasts after which one is planted whatever the draw, so
# that the smallest world has one of each kind.
CHANCES: dict[str, tuple[float, float, Plant]] = {
    "raids": (0.11, 0.20, _raid),
    "spike": (0.08, 0.45, _spike),
    "dropoff": (0.08, 0.60, _dropoff),
    "toxic": (0.08, 0.30, _toxic),
    "pastes": (0.15, 0.50, _paste),
    "spam": (0.02, 0.75, _spam),
    "holes": (0.05, 0.85, _hole),
}


def plan_incidents(settings: LiveSettings, broadcasts: Sequence[Broadcast]) -> None:
    """Give every broadcast its incidents."""
    for creator in {b.creator.index: b.creator for b in broadcasts}.values():
        own = [b for b in broadcasts if b.creator is creator]
        rng = settings.rng("incidents", creator.index)
        promised = {name: _ordinary(own, int(share * len(own))) for name, (_, share, _) in CHANCES.items()}
        for broadcast in own:
            broadcast.incidents = _incidents(broadcast, rng, [n for n, b in promised.items() if b is broadcast])


def _ordinary(own: Sequence[Broadcast], first: int) -> Broadcast:
    return next(b for b in [*own[first:], *own] if b.special is None and b.duration_s > 5400)


def _incidents(broadcast: Broadcast, rng: np.random.Generator, promised: Sequence[str]) -> Incidents:
    incidents = Incidents()
    if broadcast.special == "minute_45":
        incidents.moments.append(Moment(MINUTE_45_S, 0.02, 40.0, 56, 0.0, 0.0, "minute_45"))
        return incidents
    free = list(range(FIRST_S, broadcast.duration_s - LAST_S, DISTANCE_S))
    places = [int(p + rng.integers(0, 120)) for p in rng.permutation(free)]
    hours = broadcast.duration_s / 3600
    wanted = [name for name, (chance, _, _) in CHANCES.items() if name in promised or rng.random() < chance * hours / 3]
    for name in wanted:
        if places:
            CHANCES[name][2](incidents, places.pop(), rng)
    moments = max(2, round(hours * 1.1 + rng.normal(0, 0.6)))
    for _ in range(min(moments, len(places))):
        _moment(incidents, places.pop(), rng)
    return incidents
