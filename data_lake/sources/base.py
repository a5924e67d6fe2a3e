"""What a source is: the one interface between a file format and the lake.

A source reads one kind of export. It is pure: a file in, entity rows out; it opens no other file, writes
nothing and never asks for the time. What does not belong here: paths, contracts, merging (see `store`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Source:
    """A file format: how to know it and how to read it.

    `recognise` returns what the file is, in words, or None; `looks_for` says what it looks for, for the message a
    person gets about an unknown file. `parse` yields batches of bounded size, keeps every good row, reports every bad
    one, and raises nothing because of what a file contains. `version` changes when the same file would give other
    rows: files read by an earlier version are read again.
    """

    name: str
    version: int
    entities: tuple[str, ...]
    looks_for: str
    recognise: Callable[[Head], str | None]
    parse: Callable[[Export], Iterator[Rows | Problem]]
