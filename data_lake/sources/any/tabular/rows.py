"""Running a mapping over a file: its columns cast to the contract's types, and the rows that do not cast found.

A column whose value is there and does not cast makes its row bad. An expression that fails for some rows (a cast in the
mapping) is run again under DuckDB's TRY, so that only those rows are bad.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.contracts import contract
from data_lake.sources.any.tabular.files import Relation
from data_lake.sources.any.tabular.mapping import Mapping, MappingError, check_columns
from data_lake.sources.base import PROBLEM, ROW, TEXT, Problem, Rows

BATCH_ROWS = 50_000
_TEMPORAL = ("timestamp", "date")
_OF_A_VALUE = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)


def rows_of(relation: Relation, mapping: Mapping, exported_at: datetime | None) -> Iterator[Rows | Problem]:
    """The rows of the mapping's entity, good and bad; one problem, naming the mapping, when it cannot run at all."""
    try:
        run = _run(relation, mapping, mapping.select(relation.name, exported_at))
    except MappingError as error:
        yield Problem(None, f"{relation.name}: {error}")
        return
    con = relation.con
    casts, problems = zip(*(_cast(con, mapping, name, run) for name in run.types), strict=True)
    reasons = f"nullif(concat_ws('; ', {', '.join(problems)}), '')"
    row = ROW if run.has_row else "null"
    query = f"select {', '.join(casts)}, cast({row} as bigint) as {ROW}, {reasons} as {PROBLEM} from mapped"
    try:
        reader = con.execute(query).to_arrow_reader(BATCH_ROWS)
    except duckdb.Error as error:
        yield Problem(None, f"{relation.name}: mapping {mapping.name}: {_first_paragraph(error)}")
        return
    for batch in reader:
        if batch.num_rows:
            yield Rows(mapping.entity, _with_text(relation, pa.Table.from_batches([batch])))


@dataclass(frozen=True)
class _Run:
    """The table `mapped` holds a mapping's result.

    `types` are its columns with their DuckDB types; those in `tried` are structs {v}, null where the expression failed.
    """

    types: dict[str, str]
    tried: frozenset[str]
    has_row: bool
    filter_tried: bool = False


def _run(relation: Relation, mapping: Mapping, sql: str) -> _Run:
    """Fill the table `mapped`. Raises MappingError with DuckDB's words and what the file holds."""
    con = relation.con
    try:
        statements = con.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise MappingError(f"mapping {mapping.name}: must be one select statement")
        types = _describe(con, sql)
    except duckdb.Error as error:
        raise MappingError(f"mapping {mapping.name}: {_first_paragraph(error)}. {relation.described()}") from error
    check_columns(mapping, list(types), contract(mapping.entity))
    tree = _parsed(con, sql)
    if ROW not in types and (with_row := _with_row(con, tree)):
        sql, types, tree = with_row, _describe(con, with_row), _parsed(con, with_row)
    has_row = types.pop(ROW, None) is not None
    try:
        con.execute(f"create or replace table mapped as {sql}")
        return _Run(types, frozenset(), has_row)
    except duckdb.Error as error:
        tried = _with_try(con, tree, types, has_row)
        if tried is None:
            raise _failed(mapping, error) from error
        sql, names, filter_tried = tried
        try:
            # Computing a shared part of two expressions once would compute it outside of TRY.
            con.execute("set disabled_optimizers = 'common_subexpressions'")
            con.execute(f"create or replace table mapped as {sql}")
        except duckdb.Error:
            raise _failed(mapping, error) from error
        finally:
            con.execute("reset disabled_optimizers")
        return _Run(types, names, has_row, filter_tried)


def _failed(mapping: Mapping, error: duckdb.Error) -> MappingError:
    hint = ". One bad value stops it here: write try_cast, or hand the value on as it is to the outermost select"
    return MappingError(
        f"mapping {mapping.name}: {_first_paragraph(error)}{hint if isinstance(error, _OF_A_VALUE) else ''}"
    )


def _first_paragraph(error: duckdb.Error) -> str:
    """The first paragraph of what DuckDB says, on one line."""
    lines = [line.strip() for line in str(error).split("\n\n")[0].splitlines() if line.strip()]
    return " ".join(lines).rstrip(".")


def _describe(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in con.execute(f"describe {sql}").fetchall()}


def _parsed(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any] | None:
    """DuckDB's syntax tree of a select, None when it has none to give."""
    serialized = con.execute("select json_serialize_sql(?)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(serialized[0]) if serialized else {"error": True}
    return None if tree["error"] else tree


def _printed(con: duckdb.DuckDBPyConnection, tree: dict[str, Any]) -> str:
    printed = con.execute("select json_deserialize_sql(?)", [json.dumps(tree)]).fetchone()
    assert printed
    return str(printed[0])


def _plain_select(tree: dict[str, Any] | None) -> dict[str, Any] | None:
    """The outermost select when each of its rows stems from one row of its input."""
    if tree is None:
        return None
    node: dict[str, Any] = tree["statements"][0]["node"]
    if node["type"] != "SELECT_NODE" or node["group_sets"] or node["aggregate_handling"] != "STANDARD_HANDLING":
        return None
    return None if any("DISTINCT" in m["type"] for m in node["modifiers"]) else node


def _with_row(con: duckdb.DuckDBPyConnection, tree: dict[str, Any] | None) -> str | None:
    """The select with `_row` added, so that a bad row can be found in the file; None where it has no single row."""
    if _plain_select(tree) is None:
        return None
    changed = copy.deepcopy(tree)
    assert changed
    changed["statements"][0]["node"]["select_list"].append(_expression(con, ROW))
    sql = _printed(con, changed)
    try:
        con.execute(f"describe {sql}")
    except duckdb.Error:
        return None
    return sql


def _with_try(
    con: duckdb.DuckDBPyConnection, tree: dict[str, Any] | None, types: dict[str, str], has_row: bool
) -> tuple[str, frozenset[str], bool] | None:
    """The select with each column as try({'v': ...}), null where it fails, and a failing filter keeping the row.

    Returns (sql, columns tried, whether `_filter` says which rows the filter failed for).
    """
    if _plain_select(tree) is None:
        return None
    changed = copy.deepcopy(tree)
    assert changed
    node = changed["statements"][0]["node"]
    names = [*types, *([ROW] if has_row else [])]
    if len(names) != len(node["select_list"]) or any(item["class"] == "STAR" for item in node["select_list"]):
        return None
    tried = set()
    for at, (name, item) in enumerate(zip(names, node["select_list"], strict=True)):
        # TRY takes no window and no subquery, and unnest must stay outermost.
        if name == ROW or any(f'"{word}"' in json.dumps(item) for word in ("WINDOW", "SUBQUERY", "unnest")):
            continue
        node["select_list"][at] = _expression(con, "try({'v': __x})", item) | {"alias": name}
        tried.add(name)
    where = node["where_clause"]
    if where:
        node["select_list"].append(_expression(con, "try({'v': __x}) is null", where) | {"alias": "_filter"})
        node["where_clause"] = _expression(con, "coalesce(try({'v': __x}), {'v': true}).v", where)
    return _printed(con, changed), frozenset(tried), bool(where)


def _expression(con: duckdb.DuckDBPyConnection, sql: str, x: dict[str, Any] | None = None) -> dict[str, Any]:
    """The syntax tree of an expression, with the tree `x` in the place of the name __x."""
    tree = _parsed(con, f"select {sql}")
    assert tree
    item: dict[str, Any] = _replaced(tree["statements"][0]["node"]["select_list"][0], x)
    return item


def _replaced(part: Any, x: dict[str, Any] | None) -> Any:
    if isinstance(part, dict):
        if part.get("column_names") == ["__x"]:
            return {**x, "alias": part["alias"]} if x else part
        return {key: _replaced(value, x) for key, value in part.items()}
    return [_replaced(value, x) for value in part] if isinstance(part, list) else part


def _cast(con: duckdb.DuckDBPyConnection, mapping: Mapping, name: str, run: _Run) -> tuple[str, str]:
    """(the column cast to the contract's type, the reason it is bad or null), both as SQL over `mapped`."""
    to = next(c.type for c in contract(mapping.entity).columns if c.name == name)
    kind = run.types[name]
    value = f'"{name}".v' if name in run.tried else f'"{name}"'
    if kind == "JSON" and name != "extra":
        value, kind = f"({value} ->> '$')", "VARCHAR"
    if to == "timestamp" and kind == "VARCHAR":
        # A cast to timestamp drops the zone a text states; one to timestamptz applies it (the session is in UTC).
        cast = f"cast(try_cast({value} as timestamptz) as timestamp)"
    elif to in _TEMPORAL and not kind.startswith(("DATE", "TIMESTAMP", "VARCHAR")):
        cast = f"try_cast(cast({value} as varchar) as {to})"
    else:
        cast = f"try_cast({value} as {to})"
    where = f"{mapping.name}: column {name}"
    reason = (
        f"case when {value} is not null and {cast} is null then "
        f"'{where}: ''' || left(cast({value} as varchar), 200) || ''' is not a {to.split('(')[0]}' end"
    )
    if name in run.tried:
        reason += f", case when \"{name}\" is null then '{where}: cannot be computed from this row' end"
    if run.filter_tried and name == next(iter(run.types)):
        reason += f", case when _filter then '{mapping.name}: its where clause cannot be computed from this row' end"
    return f'{cast} as "{name}"', reason


def _with_text(relation: Relation, table: pa.Table) -> pa.Table:
    """The table with `_text`: what stood in the file, for the bad rows whose place is known."""
    bad = pc.if_else(pc.is_valid(table.column(PROBLEM)), table.column(ROW), pa.scalar(None, pa.int64()))
    wanted = pc.unique(bad.drop_null())
    texts = relation.texts(wanted.to_pylist()) if len(wanted) else {}
    original = [texts.get(row) for row in bad.to_pylist()] if texts else None
    return table.append_column(
        TEXT, pa.array(original, pa.string()) if original else pa.nulls(table.num_rows, pa.string())
    )
