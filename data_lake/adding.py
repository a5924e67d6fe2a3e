"""Adding what a person points at: one export, or a folder of tables with its mappings.

`beside` names a folder that holds what usually lies beside the files: mappings (`<entity>.sql`) and sidecars
(`<file>.yml`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data_lake.landing import TABULAR, Added, add, file_mappings, read_sidecar, sidecar_path
from data_lake.layout import Layout
from data_lake.sources import UnknownFormat
from data_lake.sources.any.tabular.mapping import Mapping, read_mapping

NOT_EXPORTS = {".yml", ".sql", ".md"}


def add_path(layout: Layout, path: Path, beside: Path | None = None) -> Iterator[Added]:
    """File an export, or every file of a folder that a mapping reads.

    Raises UnknownFormat for what no source or mapping reads, MappingError for an unusable mapping, OSError for what
    cannot be opened.
    """
    if beside and not beside.is_dir():
        raise NotADirectoryError(f"{beside}: there is no such folder; it should hold mappings or sidecars")
    if path.is_dir():
        yield from _add_folder(layout, path, beside or path)
    elif not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    elif beside and (mappings := _reading(beside, path.name)):
        yield _add_mapped(layout, path, path.name, beside, mappings)
    else:
        yield add(layout, path, sidecar=read_sidecar(beside / f"{path.name}.yml") if beside else None)


def _add_folder(layout: Layout, folder: Path, beside: Path) -> Iterator[Added]:
    if not any(beside.glob("*.sql")):
        raise UnknownFormat(
            f"{beside} holds no mapping (<entity>.sql) that says what its files are; give files of a known format one "
            f"by one, such as 'fullhouse add {folder}/*', or name the folder of the mappings with --beside"
        )
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix not in NOT_EXPORTS)
    named = [(path, path.relative_to(folder).as_posix()) for path in files if not path.name.startswith(".")]
    read = [(path, name, mappings) for path, name in named if (mappings := _reading(beside, name))]
    if not read:
        listed = ", ".join(sorted(p.name for p in beside.glob("*.sql")))
        raise UnknownFormat(f"no file of {folder} is named by the '-- files:' line of a mapping ({listed})")
    for path, name, mappings in read:
        yield _add_mapped(layout, path, name, beside, mappings)


def _reading(beside: Path, name: str) -> list[Mapping]:
    return [m for m in map(read_mapping, sorted(beside.glob("*.sql"))) if m.reads(name)]


def _add_mapped(layout: Layout, path: Path, name: str, beside: Path, mappings: list[Mapping]) -> Added:
    """File a table with its mappings; `name` is its path as the mappings name it."""
    folder = Path(file_mappings(layout, beside)) / Path(name).parent
    stated = read_sidecar(sidecar_path(beside / name))
    added = add(layout, path, source=TABULAR, sidecar=stated, folder=folder.as_posix())
    what = f"a table mapped by {', '.join(m.name for m in mappings)}"
    return Added(added.path, added.source, what, added.is_new)
