"""What other projects keep private is reached into by patches alone, where a guard test says when it changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_layers import REPOSITORY, modules, roots

LIBRARIES = {"dagster", "dagster_dbt", "dagster_duckdb", "dbt", "dbt_common", "mlflow", "great_expectations"}
# All that dbt declares as its programmatic interface (docs.getdbt.com/reference/programmatic-invocations), and what
# dbt-duckdb asks its users to derive their plugins from (its README, "Writing Your Own Plugins").
DBT = {"dbt", "dbt_common"}
DBT_PUBLIC = {
    "dbt.cli.main",
    "dbt.cli.main.dbtRunner",
    "dbt.cli.main.dbtRunnerResult",
    "dbt.adapters.duckdb.plugins.BasePlugin",
}


def reached(path: Path) -> Iterator[str]:
    """Every dotted name that a module takes from these libraries: by import, or as an attribute of an import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else ""
                yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            parts, inner = [node.attr], node.value
            while isinstance(inner, ast.Attribute):
                parts, inner = [inner.attr, *parts], inner.value
            if isinstance(inner, ast.Name) and inner.id in bound:
                yield ".".join([bound[inner.id] or inner.id, *parts])


def is_private(name: str) -> bool:
    if not roots({name}) & LIBRARIES:
        return False
    is_marked = any(part.startswith("_") and not part.startswith("__") for part in name.split("."))
    return is_marked or bool(roots({name}) & DBT and name not in DBT_PUBLIC)


def is_patch(path: Path) -> bool:
    return "patches" in {path.stem, path.parent.name}


@pytest.mark.parametrize(
    "path", [p for p in modules() if not is_patch(p)], ids=lambda p: str(p.relative_to(REPOSITORY))
)
def test_only_patches_reach_into_what_a_library_keeps_private(path: Path) -> None:
    assert sorted({name for name in reached(path) if is_private(name)}) == []


def test_what_patches_reach_into_is_found() -> None:
    private = {name for path in modules() if is_patch(path) for name in reached(path) if is_private(name)}
    assert {name.partition(".")[0] for name in private} == {"dagster", "dbt", "dbt_common"}
