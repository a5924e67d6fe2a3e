"""docs/data-model.md, written from the dbt project: published tables, their grain and columns, and how they join.

`make data-model` writes it; a test fails when it is not what the project says. Tables are described in their YAML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestration.project import PUBLISHED_KINDS, REPOSITORY, Manifest, is_daily, is_published, load_manifest, models

PAGE = REPOSITORY / "docs" / "data-model.md"
# A key of more columns than this is looked up by nobody: it says what is unique, not what to join on.
JOINED_KEY = 3
INTRODUCTION = """# Data model

Made by `make data-model` from the YAML beside the models; do not edit. Every table is published as Parquet and as a
view in analytics.duckdb; a table by day is a folder of days. Additivity: additive sums over every column of the key;
semi_additive over some, as the description says; non_additive never; `a / b` is a ratio: sum above and below, then
divide.
"""


def data_model(manifest: Manifest) -> str:
    """The page: a picture of the joins, then a section per domain with every table and column."""
    tables = [node for node in models(manifest) if is_published(node)]
    keys = {node["name"]: key_of(manifest, node) for node in tables}
    parts = [INTRODUCTION, "## How tables join", "", *_picture(tables, keys), ""]
    for domain in sorted({_domain(node) for node in tables}):
        parts += [f"## {domain.capitalize()}", ""]
        for node in sorted((n for n in tables if _domain(n) == domain), key=lambda n: str(n["name"])):
            parts += _table(node, keys[node["name"]])
    return "\n".join(parts).rstrip() + "\n"


def key_of(manifest: Manifest, node: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns whose combination a test holds unique: the grain. Raises ValueError for a table without one."""
    for test in manifest["nodes"].values():
        metadata = test.get("test_metadata") or {}
        if test.get("attached_node") == node["unique_id"] and metadata.get("name") == "grain":
            return tuple(metadata["kwargs"]["columns"])
    raise ValueError(f"{node['name']} has no grain test: add one to its YAML, it says the grain")


def _domain(node: Mapping[str, Any]) -> str:
    """The folder of a mart, else the layer: what lies beside it in models/<layer>/<world>/<domain>."""
    layer, _, *domain = node["fqn"][1:-1]
    return str(domain[0] if domain else layer)


def _joins(
    tables: Sequence[Mapping[str, Any]], keys: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(table, other, columns) where the columns of one hold the whole key of the other."""
    for node in tables:
        for other in tables:
            key, own = keys[other["name"]], keys[node["name"]]
            is_looked_up = len(key) <= JOINED_KEY and all(c == "platform" or c.endswith("_id") for c in key)
            # towards what is described: of two tables with one key the dimension, else the fact
            is_towards = _rank(other) < _rank(node) or (_rank(other) == _rank(node) and not set(own) <= set(key))
            if is_looked_up and is_towards and set(key) <= set(node["columns"]):
                yield node["name"], other["name"], key


def _rank(node: Mapping[str, Any]) -> int:
    return PUBLISHED_KINDS.index(node["name"].partition("_")[0])


def _picture(tables: Sequence[Mapping[str, Any]], keys: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield "```mermaid"
    yield "flowchart LR"
    for name in sorted(keys):
        yield f"    {name}[{name}]"
    for name, other, key in sorted(_joins(tables, keys)):
        yield f"    {name} -- {', '.join(key)} --> {other}"
    yield "```"


def _table(node: Mapping[str, Any], key: tuple[str, ...]) -> Iterator[str]:
    yield f"### {node['name']}"
    yield ""
    yield str(node["description"]).strip()
    yield ""
    yield f"Key: {', '.join(f'`{column}`' for column in key)}{' · by day' if is_daily(node) else ''}"
    yield ""
    yield "| column | type | additivity | description |"
    yield "|---|---|---|---|"
    for column in node["columns"].values():
        cells = (f"`{column['name']}`", column["data_type"], _additivity(column), column["description"])
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|').strip() for cell in cells)} |"
    yield ""


def _additivity(column: Mapping[str, Any]) -> str:
    meta = column.get("config", {}).get("meta", {})
    if meta.get("additivity") == "ratio":
        return f"{meta['numerator']} / {meta['denominator']}"
    return str(meta.get("additivity", ""))


def main() -> None:
    """Write the page."""
    Path(PAGE).write_text(data_model(load_manifest()), encoding="utf-8")


if __name__ == "__main__":
    main()
