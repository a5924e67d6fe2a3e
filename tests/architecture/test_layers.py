"""Imports point one way: orchestration -> {data_lake, ml}, ml -> data_lake; the list of exceptions is empty."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("data_lake", "ml", "orchestration", "fullhouse")

# What each package must never import, at the top of a module or inside a function.
FORBIDDEN = {
    "data_lake": {"orchestration", "ml", "dagster", "dagster_dbt", "dagster_duckdb", "dbt", "mlflow"},
    "ml": {"orchestration", "dagster", "dagster_dbt", "dagster_duckdb", "dbt"},
    "orchestration": set(),
    # What a notebook imports: polars and the lake's files, nothing that runs or learns.
    "fullhouse": {"orchestration", "ml", "dagster", "dagster_dbt", "dagster_duckdb", "dbt", "mlflow"},
}
# Heavy libraries are imported inside the step that needs them: definitions load in seconds.
HEAVY = {
    "mlflow",
    "great_expectations",
    "prophet",
    "bertopic",
    "umap",
    "sentence_transformers",
    "sklearn",
    "pandas",
    "polars",
}


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        folder = REPOSITORY / package
        if folder.exists():
            yield from sorted(p for p in folder.rglob("*.py") if "storage" not in p.parts)


def imports(path: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_a_module_imports_only_what_its_layer_may(path: Path) -> None:
    package = path.relative_to(REPOSITORY).parts[0]
    assert not roots(imports(path)) & FORBIDDEN[package]
    # ml is loaded by the step that asks it something; what its questions declare of themselves loads nothing.
    if package in {"data_lake", "orchestration"} or (path.name in {"__init__.py", "question.py"} and package == "ml"):
        assert not roots(imports(path, top_level=True)) & HEAVY
    if package != "ml":
        declarations = {"ml.question", "ml.questions"}
        assert {n for n in imports(path, top_level=True) if roots({n}) == {"ml"}} <= declarations


def test_only_the_command_line_imports_the_sample_world() -> None:
    users = {
        path.relative_to(REPOSITORY).as_posix()
        for path in modules()
        if any(name.startswith("data_lake.sample_world") for name in imports(path))
    }
    assert {u for u in users if not u.startswith("data_lake/sample_world/")} <= {"orchestration/cli.py"}


def test_only_layout_builds_paths_from_the_root() -> None:
    users = [
        path.relative_to(REPOSITORY).as_posix()
        for path in modules()
        if "LAKE_ROOT" in path.read_text(encoding="utf-8") and path.name not in {"layout.py"}
        if 'environ["LAKE_ROOT"]' not in path.read_text(encoding="utf-8")
        and 'environ.get("LAKE_ROOT"' in path.read_text(encoding="utf-8")
    ]
    assert users == []


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_a_module_says_what_it_is_and_fits_in_one_sitting(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if source.strip():
        assert ast.get_docstring(ast.parse(source)), "a module starts with what belongs in it"
    assert source.count("\n") <= 420, "split the file: one thought each"
    assert path.stem not in {"utils", "helpers", "common", "misc"}


def test_importing_definitions_creates_nothing(tmp_path: Path) -> None:
    code = "import orchestration.definitions as d; import sys; print(sorted(m for m in sys.modules if m in {heavy}))"
    lake = tmp_path / "lake"
    done = subprocess.run(
        [sys.executable, "-c", code.replace("{heavy}", repr(HEAVY))],
        env={"PATH": "/usr/bin:/bin", "LAKE_ROOT": str(lake), "HOME": str(tmp_path)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
    assert not lake.exists()
    assert list(tmp_path.iterdir()) == []
