"""What a sample world declares: `WORLD` in the package of its name. Another world is another folder here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from data_lake.sample_world.output import Output
from data_lake.sample_world.settings import Settings

DrawnFrom = TypeVar("DrawnFrom", bound=Settings)
Progress = Callable[[float], None]
"""Is given the share done, 0 to 1."""


@dataclass(frozen=True)
class World(Generic[DrawnFrom]):
    """A simulator of one kind of audience.

    `settings` makes its settings of (seed, scale, days) and raises ValueError for those it cannot simulate; `write`
    simulates them, files what the platforms' tools would export, and writes what was planted. The same settings give
    the same bytes.
    """

    name: str
    settings: Callable[[int, float, int], DrawnFrom]
    write: Callable[[Output, DrawnFrom, Progress], None]
