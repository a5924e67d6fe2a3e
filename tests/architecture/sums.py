"""Which columns a query sums, followed back to the tables they come from, on DuckDB's own parse of the SQL.

A column keeps what it is through CTEs, aliases, casts, coalesce and case. Arithmetic and aggregates make a new measure:
whether that adds up is what its own declaration says. What a column may be summed over does not belong here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

Node = dict[str, Any]
# The columns of a relation, each with the (table, column) pairs it may be.
Columns = dict[str, frozenset[tuple[str, str]]]
NOTHING: frozenset[tuple[str, str]] = frozenset()
SUMS = {"sum", "fsum", "kahan_sum"}


def summed_columns(sql: str, tables: Mapping[str, Columns]) -> set[tuple[str, str]]:
    """The (table, column) pairs among `tables` that end up in a sum(); ValueError for SQL that does not parse."""
    with duckdb.connect() as connection:
        row = connection.execute(
            "select json_serialize_sql(?, skip_null := true, skip_empty := true)", [sql]
        ).fetchone()
    assert row
    parsed = json.loads(row[0])
    if parsed["error"]:
        raise ValueError(parsed["error_message"])
    walk = _Walk(tables)
    for statement in parsed["statements"]:
        walk.query(statement["node"], {})
    return walk.summed


class _Walk:
    def __init__(self, tables: Mapping[str, Columns]) -> None:
        self.tables, self.summed = tables, set[tuple[str, str]]()

    def query(self, node: Node, outer: Mapping[str, Columns]) -> Columns:
        """Follow one query; returns its columns."""
        relations = dict(outer)
        for entry in node.get("cte_map", {}).get("map", []):
            relations[entry["key"].lower()] = self.query(entry["value"]["query"]["node"], relations)
        if node["type"] == "SELECT_NODE":
            return self._select(node, relations)
        if "query" in node and "child" in node:
            relations[node["cte_name"].lower()] = self.query(node["query"]["node"], relations)
            return self.query(node["child"]["node"], relations)
        sides = [self.query(node[side], relations) for side in ("left", "right") if side in node]
        if node.get("setop_type") == "UNION_BY_NAME" or not sides:
            return _merged(sides)
        names = list(sides[0])
        by_place = [dict(zip(names, side.values(), strict=False)) for side in sides]
        return _merged(by_place)

    def _select(self, node: Node, relations: Mapping[str, Columns]) -> Columns:
        scope = self._from(node.get("from_table", {}), relations)
        columns: Columns = {}
        for item in node["select_list"]:
            self._find_sums(item, scope, relations)
            if item["class"] == "STAR":
                columns |= self._star(item, scope)
            else:
                columns[_name(item, len(columns))] = _origin(item, scope)
        for part in ("where_clause", "having", "qualify"):
            if part in node:
                self._find_sums(node[part], scope, relations)
        return columns

    def _star(self, item: Node, scope: dict[str, Columns]) -> Columns:
        wanted = item.get("relation_name", "").lower()
        columns_of_all = _merged([columns for name, columns in scope.items() if wanted in ("", name)])
        left_out = {str(name).lower() for name in item.get("exclude_list", [])}
        replaced = {e["key"].lower(): _origin(e["value"], scope) for e in item.get("replace_list", [])}
        return {name: replaced.get(name, origin) for name, origin in columns_of_all.items() if name not in left_out}

    def _from(self, table: Node, relations: Mapping[str, Columns]) -> dict[str, Columns]:
        kind = table.get("type")
        if kind == "BASE_TABLE":
            name = table["table_name"].lower()
            columns = relations[name] if name in relations else self.tables.get(name, {})
            return {table.get("alias", name).lower(): columns}
        if kind == "SUBQUERY":
            return {table.get("alias", "").lower(): self.query(table["subquery"]["node"], relations)}
        if kind == "JOIN":
            return self._from(table["left"], relations) | self._from(table["right"], relations)
        return {}

    def _find_sums(self, expression: Any, scope: dict[str, Columns], relations: Mapping[str, Columns]) -> None:
        for node in _nodes(expression):
            if node.get("function_name") in ("sum", "fsum", "kahan_sum") and node.get("class") in (
                "FUNCTION",
                "WINDOW",
            ):
                for child in node.get("children", []):
                    self.summed |= _origin(child, scope)
            if "subquery" in node and node.get("class") == "SUBQUERY":
                self.query(node["subquery"]["node"], {**relations})


def _origin(expression: Node, scope: dict[str, Columns]) -> frozenset[tuple[str, str]]:
    """What an expression is when it is nothing but a column, however dressed."""
    if expression["class"] == "COLUMN_REF":
        *relation, name = (part.lower() for part in expression["column_names"])
        sources = [scope.get(relation[-1], {})] if relation else list(scope.values())
        return NOTHING.union(*(columns.get(name, NOTHING) for columns in sources))
    if expression["class"] == "CAST":
        return _origin(expression["child"], scope)
    if expression["class"] == "CASE":
        branches = [check["then_expr"] for check in expression["case_checks"]] + [expression["else_expr"]]
        return NOTHING.union(*(_origin(branch, scope) for branch in branches))
    if expression.get("type") == "OPERATOR_COALESCE" or expression.get("function_name") == "any_value":
        return NOTHING.union(*(_origin(child, scope) for child in expression["children"]))
    return NOTHING


def _name(item: Node, place: int) -> str:
    if alias := item.get("alias"):
        return str(alias).lower()
    return str(item["column_names"][-1]).lower() if item["class"] == "COLUMN_REF" else f"column {place}"


def _merged(relations: list[Columns]) -> Columns:
    merged: Columns = {}
    for columns in relations:
        for name, origin in columns.items():
            merged[name] = merged.get(name, NOTHING) | origin
    return merged


def _nodes(expression: Any) -> Iterator[Node]:
    """Every node of an expression; queries inside it are followed on their own."""
    if isinstance(expression, dict):
        yield expression
        for key, value in expression.items():
            if key != "subquery":
                yield from _nodes(value)
    elif isinstance(expression, list):
        for value in expression:
            yield from _nodes(value)
