"""The input formats of the lake: the registry, and which of them a file is in.

A format is a package `sources/<world>/<format>/` with a `SOURCE` (see `base`): being there registers it. A package is
imported when its source is asked for, not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from data_lake.sources.base import Export, Head, Problem, Rows, Source, UnknownFormat
from data_lake.sources.reading.blocks import read_head
from data_lake.sources.reading.heads import container


class _Registry(Mapping[str, Source]):
    """Every source by name, in the order of names."""

    def __init__(self, folder: Path) -> None:
        worlds = [folder / module.name for module in iter_modules([str(folder)]) if module.ispkg]
        packages = [
            (module.name, world.name) for world in worlds for module in iter_modules([str(world)]) if module.ispkg
        ]
        self._packages = {name: f"{__name__}.{world}.{name}" for name, world in sorted(packages)}

    def __getitem__(self, name: str) -> Source:
        source: Source = import_module(self._packages[name]).SOURCE
        return source

    def __contains__(self, name: object) -> bool:
        return name in self._packages

    def __iter__(self) -> Iterator[str]:
        return iter(self._packages)

    def __len__(self) -> int:
        return len(self._packages)


SOURCES: Mapping[str, Source] = _Registry(Path(__file__).parent)


def recognise(path: Path) -> tuple[Source, str]:
    """The source that reads a file, and what the file is in words; judged by content, not by name.

    Raises UnknownFormat when no source knows it or one refuses it, OSError when it cannot be opened.
    """
    head = read_head(path)
    if not head.raw:
        raise UnknownFormat(f"{path.name} is empty")
    sources = sorted(SOURCES.values(), key=lambda source: (source.evidence, source.name))
    for source in sources:
        what = source.recognise(head)
        if what is not None:
            return source, what
    if instead := container(head.raw):
        raise UnknownFormat(f"{path.name} is {instead}")
    looked_for = "; ".join(source.looks_for for source in sources)
    raise UnknownFormat(f"{path.name} is in no format known here; looked for: {looked_for}")


def source_ranks() -> list[str]:
    """The names of all sources, most trusted first: which of several reports of the same thing stands."""
    return [source.name for source in sorted(SOURCES.values(), key=lambda source: (-source.trust, source.name))]


__all__ = ["SOURCES", "Export", "Head", "Problem", "Rows", "Source", "UnknownFormat", "recognise", "source_ranks"]
