"""What a source is: the one interface between a file format and the lake.

A source reads one kind of export. It is pure: a file in, entity rows out; it opens no other file, writes
nothing and never asks for the time. Nothing heavy is imported here: what a source states about itself is read by every
command, what it reads with is loaded with the first file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from data_lake.errors import LakeError

if TYPE_CHECKING:
    import pyarrow as pa

# Columns a parser adds to the contract's: where a row stood, what it said, and why it cannot be kept.
ROW, TEXT, PROBLEM = "_row", "_text", "_problem"


@dataclass(frozen=True)
class Export:
    """One landing file and what was written beside it.

    `name` is the name the person gave the file, `sidecar` the mapping in its `.yml` (empty when there is none).
    """

    path: Path
    source: str
    name: str
    sidecar: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """A batch of rows of one entity, good and bad together.

    `table` holds any of the contract's columns (those it lacks are null), with types that cast to the contract's, and:
    `_row` int64, the 1-based position in the file (line, or element of the list); `_text` string, the original text
    (may be null for good rows); `_problem` string, null for a good row, else the reason it cannot be kept.
    """

    entity: str
    table: pa.Table


@dataclass(frozen=True)
class Problem:
    """A part of the file that could not be read at all: where (1-based row, if known), why, and what stood there."""

    row: int | None
    reason: str
    text: str = ""


@dataclass(frozen=True)
class Head:
    """The start of a file, decompressed and decoded: what a source recognises it by.

    `text` holds at most the first 64 KiB; `raw` the first bytes as they are on disk (for binary formats).
    """

    path: Path
    name: str
    raw: bytes
    text: str


class Evidence(IntEnum):
    """What a format is recognised by, the strongest first: where several claim a file, the strongest evidence wins.

    Formats with the same kind of evidence do not claim the same files (a test holds it over all examples).
    """

    PLACED = 1  # what a person put beside the file names it
    MARK = 2  # a mark that only this format has
    SHAPE = 3  # members or columns by their names
    LIKENESS = 4  # lines that look like it


class UnknownFormat(LakeError):
    """No source reads the content of a file; the message is a sentence for the person who added it."""


Recognise = Callable[[Head], str | None]
Parse = Callable[[Export], Iterator[Rows | Problem]]


@dataclass(frozen=True)
class Source:
    """A file format: how to know it and how to read it.

    `name` and `world` are those of the package and the folder it lies in (world 'any': of no world). `trust` decides
    which source stands where several report the same thing, 100 at most: the platform's own answers about 95, its
    protocol as logged 90, exports of its data with ids 70 to 80, what passed through another system 40 to 60, text
    without ids 10 to 20. `recognise` returns what the file is, in words, or None, and raises UnknownFormat for a file
    it knows and refuses; `looks_for` says what it looks for, for the message a person gets about an unknown file.
    `parse` yields batches of bounded size, keeps every good row, reports every bad one, and raises nothing because of
    what a file contains. `version` changes when the same file would give other rows: files read by an earlier version
    are read again.
    """

    name: str
    world: str
    version: int
    entities: tuple[str, ...]
    evidence: Evidence
    trust: int
    looks_for: str
    recognise: Recognise
    parse: Parse


def reader_of(package: str) -> Parse:
    """`read` of the package's module `reader`, imported with the first file."""

    def parse(export: Export) -> Iterator[Rows | Problem]:
        read = cast(Parse, import_module(f"{package}.reader").read)
        return read(export)

    return parse
