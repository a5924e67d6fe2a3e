"""What a mapping is: a DuckDB select beside the files of a folder, whose columns are those of one entity's contract.

    landing/tabular/<name>/<entity>.sql    or <entity>.<anything>.sql, where files of several shapes fill one entity
    -- files: */latest.json, extra.csv     first line: which files of the folder it reads (*, ?, and **/ over folders)
    -- encoding: cp949                     optional, in the comment lines at the top
    select ... from {file}

`{file}` is the file as a relation (see `files`), `{file_name}` its path in the folder and `{exported_at}` the time its
sidecar states, null when it states none.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data_lake.contracts import Contract, load_contracts
from data_lake.sources.reading.sidecars import given_name

FOLDER = "tabular"
RELATION = "file"
# Columns the lake fills in: a mapping that names them has misunderstood something.
FILLED = ("source", "landing_file")

_HEAD = re.compile(r"\A(?:\ufeff)?(?:[ \t]*(?:--[^\n]*)?\r?\n)*")
_SAYS = re.compile(r"^[ \t]*--[ \t]*(files|encoding)[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)


class MappingError(ValueError):
    """A mapping cannot be used; the message names it and says what to change."""


@dataclass(frozen=True)
class Mapping:
    """One `.sql` file: the entity it fills, the files it reads (patterns relative to `folder`), and its select."""

    path: Path
    entity: str
    files: tuple[str, ...]
    encoding: str | None
    sql: str

    @property
    def name(self) -> str:
        return self.path.name

    def reads(self, file: str) -> bool:
        """Whether it reads the file at this path relative to the folder of the mapping."""
        return any(_pattern(p).fullmatch(file) for p in self.files)

    def select(self, file_name: str, exported_at: datetime | None) -> str:
        """The statement with its placeholders filled in."""
        moment = f"timestamp '{exported_at.isoformat(sep=' ')}'" if exported_at else "cast(null as timestamp)"
        quoted = file_name.replace("'", "''")
        sql = self.sql.replace("{file}", RELATION).replace("{file_name}", f"'{quoted}'")
        return sql.replace("{exported_at}", moment).strip().rstrip(";")


def folder_of(path: Path) -> Path:
    """The folder whose mappings apply to a file: landing/tabular/<name>/, else the nearest above with `.sql` files."""
    for folder in path.parents:
        if folder.parent.name == FOLDER:
            return folder
    for folder in path.parents:
        if any(folder.glob("*.sql")):
            return folder
    return path.parent


def name_in(folder: Path, path: Path) -> str:
    """A file's path relative to the folder of its mappings, as a person knows it."""
    return path.relative_to(folder).with_name(given_name(path)).as_posix()


def mappings_for(path: Path) -> list[Mapping]:
    """The mappings that read a file, by name. Raises MappingError for one that cannot be used."""
    folder = folder_of(path)
    file = name_in(folder, path)
    return [m for m in map(read_mapping, sorted(folder.glob("*.sql"))) if m.reads(file)]


def read_mapping(path: Path) -> Mapping:
    """Read one `.sql` file. Raises MappingError when it does not say what it reads or which entity it fills."""
    entity = path.name.split(".")[0]
    if entity not in load_contracts():
        near = difflib.get_close_matches(entity, load_contracts(), n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}.sql?" if near else ""
        raise MappingError(f"mapping {path.name}: there is no entity '{entity}' to fill{hint}")
    try:
        sql = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MappingError(f"mapping {path.name}: is not UTF-8 ({error})") from error
    head = _HEAD.match(sql)
    settings = dict(_SAYS.findall(head[0] if head else ""))
    files = tuple(p.strip() for p in settings.get("files", "").split(",") if p.strip())
    if not files:
        raise MappingError(f"mapping {path.name}: its first line must say what it reads, such as '-- files: *.csv'")
    if "{file}" not in sql:
        raise MappingError(f"mapping {path.name}: must select from {{file}}")
    return Mapping(path, entity, files, settings.get("encoding") or None, sql)


def check_columns(mapping: Mapping, columns: list[str], contract: Contract) -> None:
    """Raise MappingError for columns the contract lacks, repeats, or required ones the mapping leaves out."""
    allowed = set(contract.column_names) - set(FILLED)
    selected = [c for c in columns if c != "_row"]
    for column in selected:
        if column not in allowed:
            near = difflib.get_close_matches(column, sorted(allowed), n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"it has: {', '.join(sorted(allowed))}"
            raise MappingError(
                f"mapping {mapping.name}: the contract of {contract.entity} has no column '{column}'; {hint}"
            )
        if selected.count(column) > 1:
            raise MappingError(f"mapping {mapping.name}: selects column '{column}' twice")
    filled = {*FILLED, "extracted_at", contract.synthetic_id.column if contract.synthetic_id else ""}
    if contract.kind == "state":
        filled.add("observed_at")
    missing = [c.name for c in contract.columns if c.required and c.name not in {*filled, *selected}]
    if missing:
        raise MappingError(
            f"mapping {mapping.name}: every row of {contract.entity} needs {', '.join(missing)}; select it too"
        )


def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*|\?)", glob)
    meaning = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))
