"""A file of a table, in any of its formats, as one DuckDB relation that a mapping selects from.

    CSV, TSV        the columns of the header line
    JSON, JSONL     the keys of the objects, and `json`, the whole object; a file that is one object has only `json`
    Parquet         its columns, with their own types
    Excel           the columns of the first row of the first sheet, or of the sidecar's `sheet`

and `_row` (1-based: line, element, row) and `_file` (path in the folder). Outside Parquet a column is a number (bigint
or double) when all its values are written as numbers, else text; nested values are JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data_lake.sources.any.tabular.mapping import RELATION
from data_lake.sources.base import PROBLEM, ROW, TEXT, Problem
from data_lake.sources.reading.blocks import read_head, read_utf8
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.records import read_records
from data_lake.sources.reading.repair import prove_lines
from data_lake.sources.reading.sidecars import stated_text
from data_lake.sources.reading.splitting import split_lines

PARQUET_MAGIC, ZIP_MAGIC = b"PAR1", b"PK\x03\x04"
# One object is one value in memory, several times over; larger ones belong into an array or into lines.
DOCUMENT_BYTES = 64 << 20
# Objects with more different keys than this are keyed by data (times, ids): their columns would mean nothing.
MAXIMUM_KEYS = 1_000
DOCUMENT = "json"


class _Unreadable(ValueError):
    """The file as a whole cannot be read; the message says why."""


@dataclass
class Relation:
    """The relation `file` in a private DuckDB; filled by `load`, empty columns when there is nothing to map.

    `name` is the file's path in the folder of its mappings; `columns` the types by name.
    """

    con: duckdb.DuckDBPyConnection
    path: Path
    name: str
    sidecar: Mapping[str, Any] = field(default_factory=dict)
    encoding: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    _text: str = ""

    def load(self) -> Iterator[Problem]:
        """Read the file; yields what cannot be read. Raises nothing because of what the file contains."""
        try:
            yield from self._load()
        except (_Unreadable, duckdb.Error) as error:
            self.columns = {}
            yield Problem(None, f"{self.name}: {error}")

    def described(self) -> str:
        """The columns a mapping can use, in words."""
        columns = [f"{name} {kind.lower()}" for name, kind in self.columns.items()]
        return f"The file has: {', '.join([*columns, ROW, '_file'])}"

    def texts(self, rows: Sequence[int]) -> dict[int, str]:
        """What stands in these rows of the file."""
        query = f"select {ROW}, {self._text} from source where {ROW} in (select unnest(?))"
        return dict(self.con.cursor().execute(query, [list(rows)]).fetchall())

    def _load(self) -> Iterator[Problem]:
        if self.path.stat().st_size == 0:
            raise _Unreadable("the file is empty")
        head = read_head(self.path)
        if head.raw.startswith(PARQUET_MAGIC):
            self._parquet()
            return
        self.con.execute(f"create or replace table source ({ROW} bigint)")
        if head.raw.startswith(ZIP_MAGIC):
            from data_lake.sources.any.tabular.excel import read_sheet  # needs the extra 'excel'

            yield from self._records(read_sheet(self.path, stated_text(self.sidecar, "sheet")))
            return
        problems: list[Problem] = []
        blocks = read_utf8(self.path, problems, self.encoding)
        suffixes = {s.lower() for s in Path(self.name).suffixes}
        start = head.text.lstrip("\ufeff \t\r\n")
        if suffixes & {".jsonl", ".ndjson"} or (start.startswith("{") and _has_lines(start)):
            yield from self._objects(prove_lines(self.con.cursor(), split_lines(blocks)))
        elif start.startswith("["):
            yield from self._objects(split_elements(self.con.cursor(), blocks))
        elif start.startswith("{"):
            self._document(blocks)
        else:
            header: list[str] = []
            yield from self._records(read_records(blocks, header, self._delimiter(suffixes)))
            if not header:
                raise _Unreadable("the file holds no line")
        yield from problems

    def _delimiter(self, suffixes: set[str]) -> str | None:
        stated = str(self.sidecar.get("delimiter") or "") or None
        if stated is not None and len(stated) != 1:
            raise _Unreadable(f"the sidecar's delimiter is {stated!r}; it must be one character")
        return stated or ("\t" if ".tsv" in suffixes else None)

    def _parquet(self) -> None:
        path = str(self.path).replace("'", "''")
        self.con.execute(
            f"create or replace view source as select file_row_number + 1 as {ROW}, * exclude (file_row_number) "
            f"from read_parquet('{path}', file_row_number = true)"
        )
        kinds = _columns(self.con, "source")
        self._offer({name: kind for name, kind in kinds.items() if name not in (ROW, "_file")}, {})

    def _records(self, parts: Iterator[pa.Table | Problem]) -> Iterator[Problem]:
        """Tables of text columns into `source`."""
        is_first = True
        for part in parts:
            if isinstance(part, Problem):
                yield part
                continue
            held = pa.table(part)
            into = "create or replace table source as" if is_first else "insert into source"
            self.con.register("_part", held)
            self.con.execute(f"{into} select * from _part")
            self.con.unregister("_part")
            is_first = False
        names = [name for name in _columns(self.con, "source") if name != ROW]
        self._offer(dict.fromkeys(names, "VARCHAR"), self._numbers(names))

    def _objects(self, tables: Iterator[pa.Table]) -> Iterator[Problem]:
        """JSON objects into `source`: one text column per key, and the object itself."""
        self.con.execute(f"create or replace table _objects ({ROW} bigint, {TEXT} varchar)")
        for table in tables:
            self.con.register("_part", table)
            bad = self.con.execute(
                f"select {ROW}, coalesce({PROBLEM}, 'is not a JSON object'), {TEXT} from _part "
                f"where {PROBLEM} is not null or json_type({TEXT}) <> 'OBJECT'"
            ).fetchall()
            self.con.execute(f"insert into _objects select {ROW}, {TEXT} from _part where {PROBLEM} is null")
            self.con.unregister("_part")
            for row, reason, text in bad:
                yield Problem(row, reason, text[:2000])
            if bad:
                self.con.execute(f"delete from _objects where {ROW} in (select unnest(?))", [[row for row, *_ in bad]])
        keys = self.con.execute(
            f"select key, min({ROW}) from (select {ROW}, unnest(json_keys({TEXT})) as key from _objects) "
            f"group by key order by 2 limit {MAXIMUM_KEYS + 1}"
        ).fetchall()
        if not keys and not self.con.execute("select 1 from _objects limit 1").fetchone():
            return
        self._keyed([key for key, _ in keys if key and "\0" not in key] if len(keys) <= MAXIMUM_KEYS else [])

    def _keyed(self, keys: list[str]) -> None:
        spelled: dict[str, str] = {}
        for key in keys:
            spelled.setdefault(key.lower(), key)
        taken = [key for key in spelled.values() if key.lower() not in (ROW, "_file")]
        shape = json.dumps(dict.fromkeys(taken, "VARCHAR"), ensure_ascii=False)
        fields = f"unnest(from_json({TEXT}, ?))" if taken else ""
        document = "" if DOCUMENT in spelled else f"{TEXT}::json as {DOCUMENT}"
        columns = ", ".join(part for part in (ROW, fields, document) if part)
        self.con.execute(f"create or replace table source as select {columns} from _objects", [shape] if taken else [])
        self.con.execute("drop table _objects")
        kinds = dict.fromkeys(taken, "VARCHAR")
        self._offer(kinds if DOCUMENT in spelled else {**kinds, DOCUMENT: "JSON"}, self._numbers(taken))

    def _document(self, blocks: Iterator[bytes]) -> None:
        held = bytearray()
        for block in blocks:
            held += block
            if len(held) > DOCUMENT_BYTES:
                raise _Unreadable(f"the file is one JSON object over {DOCUMENT_BYTES >> 20} MB; write it as JSON lines")
        text = held.decode("utf-8", errors="replace")
        self.con.execute("create or replace table source as select 1::bigint as _row, ?::varchar as _json", [text])
        valid = self.con.execute("select json_valid(_json) from source").fetchone()
        if not valid or not valid[0]:
            raise _Unreadable("the file is one JSON object and not valid JSON (cut off, or too deep); nothing was read")
        self.con.execute(f"create or replace table source as select {ROW}, _json::json as {DOCUMENT} from source")
        self._offer({DOCUMENT: "JSON"}, {})

    def _numbers(self, names: Sequence[str]) -> dict[str, str]:
        """Which text columns are numbers: every value written as one, with no leading zero and no loss."""
        found = {}
        for name in names:
            column = f'"{_escaped(name)}"'
            whole = f"try_cast({column} as bigint)::varchar is not distinct from {column}"
            real = f"regexp_full_match({column}, '-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]{{1,2}})?')"
            query = (
                f"select count({column}) > 0 and bool_and(coalesce({whole}, false) or {column} is null), "
                f"count({column}) > 0 and bool_and(coalesce({real} and length({column}) < 18, true))"
            )
            # A snapshot of the start settles most text columns.
            sample = f"(select {column} from source where {column} is not null limit 200)"
            if not any(self.con.execute(f"{query} from {sample}").fetchone() or ()):
                continue
            is_whole, is_real = self.con.execute(f"{query} from source").fetchone() or (False, False)
            if is_whole or is_real:
                found[name] = "BIGINT" if is_whole else "DOUBLE"
        return found

    def _offer(self, columns: dict[str, str], numbers: dict[str, str]) -> None:
        """Make the relation `file` over `source`."""
        self.columns = {**columns, **numbers}
        quoted = {name: f'"{_escaped(name)}"' for name in self.columns}
        selected = "".join(
            f", cast({quoted[name]} as {kind}) as {quoted[name]}" if name in numbers else f", {quoted[name]}"
            for name, kind in self.columns.items()
        )
        name = self.name.replace("'", "''")
        self.con.execute(f"create or replace view {RELATION} as select {ROW}, '{name}' as _file{selected} from source")
        members = ", ".join(f"{quoted[name]} := {quoted[name]}" for name in columns if name != DOCUMENT)
        self._text = f"{DOCUMENT}::varchar" if DOCUMENT in columns else f"to_json(struct_pack({members}))::varchar"


def _has_lines(start: str) -> bool:
    """Whether a text that begins with an object is one object per line."""
    first, _, rest = start.partition("\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return rest.lstrip().startswith("{")


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in con.execute(f"describe {table}").fetchall()}


def _escaped(name: str) -> str:
    return name.replace('"', '""')
