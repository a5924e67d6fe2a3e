"""What a sample world is drawn from: seed, scale and days; every random number comes from here."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from data_lake.sample_world.clock import LAST_DAY, epoch

MINIMUM_DAYS = 14


@dataclass(frozen=True)
class Settings:
    """The draw of a world of UTC days; its last moment is `end_s`. Raises ValueError for fewer than two weeks."""

    seed: int
    scale: float
    days: int

    def __post_init__(self) -> None:
        if self.days < MINIMUM_DAYS:
            raise ValueError(f"a sample world needs at least {MINIMUM_DAYS} days, not {self.days}")

    @property
    def first_day(self) -> date:
        return LAST_DAY - timedelta(self.days - 1)

    @property
    def first_s(self) -> int:
        return epoch(self.first_day)

    @property
    def end_s(self) -> int:
        return epoch(LAST_DAY) + 86_400

    def rng(self, *names: object) -> np.random.Generator:
        """The random numbers of one part of the world: independent of how many any other part drew."""
        return np.random.default_rng([self.seed, *(zlib.crc32(str(n).encode()) for n in names)])


def uuids(rng: np.random.Generator, count: int) -> list[str]:
    """Random version-4 UUIDs as text."""
    if count == 0:
        return []
    raw = np.frombuffer(rng.bytes(16 * count), np.uint8).reshape(count, 16).copy()
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.full((count, 36), ord("-"), np.uint8)
    places = [i for i in range(36) if i not in (8, 13, 18, 23)]
    text[:, places[0::2]] = digits[raw >> 4]
    text[:, places[1::2]] = digits[raw & 15]
    whole = text.tobytes().decode("ascii")
    return [whole[i : i + 36] for i in range(0, 36 * count, 36)]
