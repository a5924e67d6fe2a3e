"""The landing zone: exports as received, and the index of what has been read from them.

A file that `add` files is never changed and is named by its content; a file somebody drops into landing/<source>/
is read as it is, and again when its size or time of change differs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from data_lake.contracts import contract
from data_lake.documents import read_json, read_yaml, to_json, to_yaml, typed
from data_lake.files import replace_file
from data_lake.layout import Layout
from data_lake.sources import SOURCES, Export, recognise
from data_lake.sources.any.tabular.mapping import folder_of
from data_lake.sources.reading.sidecars import encoding, given_name, moment, time_zone, word

TABULAR = "tabular"


@dataclass(frozen=True)
class Added:
    """What became of a file given to `add`."""

    path: Path
    source: str
    what: str
    is_new: bool


@dataclass(frozen=True)
class LandingFile:
    """One export in landing/; `name` is its path below landing/<source>/, which is also what rows carry."""

    source: str
    name: str
    path: Path
    size: int
    mtime_ns: int


_Text = Annotated[str | None, BeforeValidator(word)]
_Moment = Annotated[datetime | None, BeforeValidator(moment)]
_Zone = Annotated[Any, BeforeValidator(time_zone)]
_Encoding = Annotated[str | None, BeforeValidator(encoding)]
_Currency = Annotated[str | None, BeforeValidator(word), Field(pattern="^[A-Za-z]{3}$")]
LONGEST_STREAM = timedelta(days=30)


@dataclass(frozen=True)
class Sidecar:
    """What may be stated beside an export, by any of the formats; a value that cannot be meant costs its file only.

    Moments are naive UTC; a time without a zone is UTC.
    """

    name: _Text = None
    exported_at: _Moment = None
    platform: _Text = None
    channel_id: _Text = None
    channel_login: _Text = None
    stream_id: _Text = None
    vod_id: _Text = None
    stream_title: _Text = None
    stream_started_at: _Moment = None
    stream_ended_at: _Moment = None
    date: _Moment = None
    first_day: _Moment = None
    last_day: _Moment = None
    time_zone: _Zone = None
    encoding: _Encoding = None
    currency: _Currency = None
    sheet: _Text = None

    def __post_init__(self) -> None:
        if self.stream_started_at and self.stream_ended_at:
            length = self.stream_ended_at - self.stream_started_at
            if not timedelta(0) <= length <= LONGEST_STREAM:
                raise ValueError("stream_ended_at is not within 30 days after stream_started_at")


@dataclass
class Entry:
    """What was read from one landing file: the landing index holds one per file, written last."""

    source: str
    name: str
    size: int
    mtime_ns: int
    version: int
    context: str
    contracts: dict[str, str]
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    quarantined: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)
    problem_count: int = 0
    error: str | None = None

    @property
    def days(self) -> dict[str, list[date]]:
        return {entity: [date.fromisoformat(d) for d in days] for entity, days in self.rows.items()}

    @property
    def bad_rows(self) -> int:
        return sum(n for reasons in self.quarantined.values() for n in reasons.values())


# The landing index: what was read, by source and name.
Index = Mapping[tuple[str, str], Entry]


def digest(path: Path) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def add(
    layout: Layout,
    path: Path,
    *,
    source: str | None = None,
    sidecar: Mapping[str, Any] | None = None,
    move: bool = False,
    folder: str = "",
) -> Added:
    """File an export under landing/<source>/[<folder>/]<hash>-<name> with its sidecar, once.

    The sidecar keeps what was written beside the file (`<file>.yml`) and in `sidecar`; `exported_at` is, unless stated,
    the time the file was last changed. A file that a mapping beside it reads is filed with its mappings, in the folder
    they name. Raises UnknownFormat when no source knows the content, DocumentError for an unusable sidecar.
    """
    if source is None:
        recognised, what = recognise(path)
        source = recognised.name
        if source == TABULAR:
            mappings = folder_of(path)
            folder = (Path(file_mappings(layout, mappings)) / path.relative_to(mappings).parent).as_posix()
    else:
        what = source
    content = digest(path)
    for earlier in (layout.landing / source / folder).glob(f"{content}-*"):
        if earlier.suffix != ".yml":
            return Added(earlier, source, what, is_new=False)
    beside = sidecar_path(path)
    stated = {**read_sidecar(beside), **(sidecar or {})}
    stated.setdefault("name", path.name)
    typed(stated, Sidecar, beside.name, "correct the sidecar and add the file again")
    if "exported_at" not in stated and (changed_at := _changed_at(path)):
        stated["exported_at"] = changed_at
    target = layout.landing_file(source, content, path.name, folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(sidecar_path(target), to_yaml(stated))
    if move:
        shutil.move(path, target)
    else:
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            shutil.copyfile(path, partial)
            os.replace(partial, target)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
    return Added(target, source, what, is_new=True)


def _changed_at(path: Path) -> datetime | None:
    """When a file was last changed, naive UTC; None where its clock says what cannot be."""
    try:
        return moment(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def file_mappings(layout: Layout, folder: Path) -> str:
    """File the mappings of a folder in landing/tabular/<its name>/, over those there; returns the name.

    A mapping is a setting, not an export: the files it reads are read again when it changes.
    """
    name = folder.resolve().name
    for mapping in sorted(folder.glob("*.sql")):
        replace_file(layout.landing / TABULAR / name / mapping.name, mapping.read_bytes())
    return name


def sidecar_path(path: Path) -> Path:
    return path.with_name(path.name + ".yml")


def read_sidecar(path: Path) -> dict[str, Any]:
    """The mapping in a sidecar, empty when there is no such file. Raises DocumentError when it is not a mapping."""
    return read_yaml(path) if path.exists() else {}


def landing_files(layout: Layout) -> Iterator[LandingFile]:
    """Every export in landing/, by source and name; sidecars, mappings and hidden files are not exports."""
    for source in sorted(SOURCES):
        folder = layout.landing / source
        files = folder.rglob("*") if source == TABULAR else folder.glob("*")
        for path in sorted(files):
            if path.name.startswith(".") or path.suffix in {".yml", ".sql", ".md"} or not path.is_file():
                continue
            stat = path.stat()
            name = path.relative_to(folder).as_posix()
            yield LandingFile(source, name, path, stat.st_size, stat.st_mtime_ns)


def missing_files(files: Iterable[LandingFile], index: Index) -> list[str]:
    """Files that raw/ was read from, by the index, and landing/ no longer holds, as <source>/<name>."""
    present = {(f.source, f.name) for f in files}
    return [f"{source}/{name}" for source, name in index if (source, name) not in present]


def unknown_folders(layout: Layout) -> list[str]:
    """Folders of landing/ that no source reads."""
    if not layout.landing.exists():
        return []
    return sorted(p.name for p in layout.landing.iterdir() if p.is_dir() and p.name not in SOURCES)


def export_of(file: LandingFile) -> tuple[Export, Sidecar]:
    """The export as its source reads it, and what its sidecar states. Raises DocumentError for an unusable sidecar."""
    path = sidecar_path(file.path)
    stated = read_sidecar(path)
    sidecar = typed(stated, Sidecar, path.name, "correct the sidecar and run again")
    return Export(file.path, file.source, sidecar.name or file.path.name, stated), sidecar


def context_of(file: LandingFile) -> str:
    """A digest of everything beside the file that changes what is read from it: its sidecar, its mappings."""
    beside = [sidecar_path(file.path)]
    if file.source == TABULAR:
        beside += sorted((file.path.parents[len(Path(file.name).parts) - 2]).glob("*.sql"))
    content = hashlib.sha256()
    for path in beside:
        if path.is_file():
            content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:16]


def entries(layout: Layout) -> dict[tuple[str, str], Entry]:
    """The landing index by (source, name). Raises DocumentError for an entry that cannot be read."""
    advice = "delete this file: its landing file is read again by the next run"
    read = [read_json(path, Entry, advice) for path in sorted(layout.index.rglob("*.json"))]
    return {(entry.source, entry.name): entry for entry in read}


def write_entry(layout: Layout, entry: Entry) -> None:
    replace_file(layout.index_entry(entry.source, entry.name), to_json(entry))


def blank_entry(file: LandingFile) -> Entry:
    """The entry of a file about to be read."""
    source = SOURCES[file.source]
    hashes = {entity: contract(entity).hash for entity in source.entities}
    return Entry(file.source, file.name, file.size, file.mtime_ns, source.version, context_of(file), hashes)


def is_current(file: LandingFile, entry: Entry) -> bool:
    """Whether the index entry says what reading the file today would say."""
    fresh = blank_entry(file)
    same_file = file.size == entry.size and (file.mtime_ns == entry.mtime_ns or is_content_addressed(file))
    same_reader = (fresh.version, fresh.context, fresh.contracts) == (entry.version, entry.context, entry.contracts)
    return same_file and same_reader


def is_content_addressed(file: LandingFile) -> bool:
    """Whether `add` named the file: its time of change then says nothing (a moved lake keeps its index)."""
    return given_name(Path(file.name)) != Path(file.name).name


def new_files(layout: Layout) -> list[LandingFile]:
    """Files to read: those the index does not hold, or holds as another reader, contract or context left them."""
    return unread(landing_files(layout), entries(layout))


def unread(files: Iterable[LandingFile], index: Index) -> list[LandingFile]:
    """Those of landing/'s files that are new to the index, as in `new_files`."""
    return [f for f in files if (f.source, f.name) not in index or not is_current(f, index[f.source, f.name])]
