"""Seeded simulators of audiences, one package per world: they write the exports of real tools, with known truth.

Only the command line and tests import this package; the product never reads truth/. Times are UTC, ids are the
platforms'. What a world holds and plants is listed in the docstring of its package.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_lake.layout import Layout
from data_lake.sample_world.clock import LAST_DAY

if TYPE_CHECKING:
    from data_lake.sample_world.base import Progress, World

__all__ = ["SampleWorld", "world_names", "write_sample_world"]


@dataclass(frozen=True)
class SampleWorld:
    """What was written: rows by kind (as they happened, not as exported twice), the days covered, the landing files."""

    counts: Mapping[str, int]
    first_day: date
    last_day: date
    files: tuple[str, ...]


def world_names() -> list[str]:
    """The worlds there are: the packages in this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def write_sample_world(
    layout: Layout,
    *,
    world: str = "live",
    seed: int = 7,
    scale: float = 1.0,
    days: int = 400,
    progress: Progress | None = None,
) -> SampleWorld:
    """Simulate a world of `days` days ending 2026-10-31 and write it into a lake.

    `scale` multiplies how much happens (1 in the live world: 400,000 messages, 6,000 viewers), whatever the days;
    `progress` gets the share done. Raises ValueError for a scale or days the world cannot simulate.
    """
    # The command line asks for the names alone.
    import tempfile

    from data_lake.sample_world.output import Output

    chosen: World[Any] = importlib.import_module(f"{__name__}.{world}").WORLD
    settings = chosen.settings(seed, scale, days)
    with tempfile.TemporaryDirectory() as folder:
        output = Output(layout, Path(folder))
        chosen.write(output, settings, progress or (lambda share: None))
    return SampleWorld(dict(output.counts), settings.first_day, LAST_DAY, tuple(output.files))
