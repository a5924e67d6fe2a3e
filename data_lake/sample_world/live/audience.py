"""Concurrent viewers of a broadcast on one channel: the true curve, its average, and the samples a tool took of it.

The curve is given at every minute of the broadcast and is a straight line between; the truth is its integral. Who of
these viewers writes does not belong here (see `chat`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_lake.sample_world.live.people import Floats, Ints
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.world import (
    FADE_FLOOR,
    FADE_FROM_MINUTES,
    FADE_MINUTES,
    RAID_KEPT,
    Channel,
    LiveSettings,
)

NOISE, NOISE_MEMORY = 0.02, 0.75


@dataclass(frozen=True)
class Curve:
    """Viewers at `at` (seconds from the start: every minute and the end), and without its incidents in `level`."""

    at: Floats
    viewers: Floats
    level: float

    def __call__(self, seconds: Floats) -> Floats:
        return np.interp(seconds, self.at, self.viewers)

    @property
    def viewer_seconds(self) -> float:
        return float(np.trapezoid(self.viewers, self.at))

    @property
    def average(self) -> float:
        return self.viewer_seconds / float(self.at[-1])


def draw_curve(settings: LiveSettings, broadcast: Broadcast, channel: Channel) -> Curve:
    """The true viewers of a broadcast on a channel."""
    rng = settings.rng("curve", channel.channel_id, broadcast.number)
    duration = broadcast.duration_s
    at = np.append(np.arange(0, duration, 60.0), float(duration))
    minutes = at / 60
    day = (broadcast.start_s - settings.first_s) / 86_400
    level = channel.first_viewers * settings.audience * (1 + channel.growth_per_400_days * day / 400) * broadcast.draw()
    level *= float(rng.lognormal(0, 0.05))
    shape = 1 - 0.6 * np.exp(-minutes / 8)
    shape *= FADE_FLOOR + (1 - FADE_FLOOR) * np.exp(-np.maximum(minutes - FADE_FROM_MINUTES, 0) / FADE_MINUTES)
    shocks = rng.normal(0, NOISE * (1 - NOISE_MEMORY**2) ** 0.5, len(at))
    shape *= np.exp(np.convolve(shocks, NOISE_MEMORY ** np.arange(30))[: len(at)])
    incidents = broadcast.incidents
    for moment in incidents.moments:
        shape *= 1 + moment.lift * _bump(at - moment.at, 90, 240, 150)
    for swing in incidents.swings:
        shape *= 1 + swing.size * _bump(at - swing.at, 60, swing.length, 120)
    viewers = level * shape
    if channel.platform == "twitch":
        for raid in incidents.raids:
            viewers += raid.share * level * raid_left(at - raid.at)
    return Curve(at, viewers, level)


def _bump(since: Floats, rise: float, hold: float, fall: float) -> Floats:
    """0, then up to 1 in `rise` seconds, 1 for `hold`, and back within `fall`."""
    return np.clip(since / rise, 0, 1) * np.clip((rise + hold + fall - since) / fall, 0, 1)


def raid_left(since: Floats) -> Floats:
    """Share of a raid still there: all two minutes after it began, then through the shares of RAID_KEPT."""
    steps = [0.0, 120.0, *(m * 60.0 for m in RAID_KEPT), 4 * 3600.0]
    return np.interp(since, steps, [0.0, 1.0, *RAID_KEPT.values(), 0.05])


@dataclass(frozen=True)
class Samples:
    """What the relay saved about every minute: epoch seconds, viewers by channel id, input bitrate."""

    at: Ints
    viewers: dict[str, Ints]
    bitrate: Ints


def take_samples(settings: LiveSettings, broadcast: Broadcast, curves: dict[str, Curve]) -> Samples:
    """Samples with a jittered cadence, now and then one missed, and none during a hole."""
    rng = settings.rng("samples", broadcast.livestream_id)
    count = broadcast.duration_s // 55
    at = rng.integers(3, 20) + np.cumsum(60 + rng.integers(-3, 4, size=count)) - 60
    keep = (at < broadcast.duration_s) & (rng.random(count) > 0.01)
    for hole in broadcast.incidents.holes:
        keep &= (at < hole.at) | (at >= hole.at + hole.length)
    at = at[keep]
    viewers = {channel: np.rint(curve(at.astype(float))).astype(np.int64) for channel, curve in curves.items()}
    return Samples(broadcast.start_s + at, viewers, 6000 + rng.integers(-250, 250, size=len(at)))
