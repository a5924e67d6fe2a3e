"""The lake's own modules know no world, and planning knows no format and no platform."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_lake.contracts import CONTRACT_FILES, load_contracts
from data_lake.expectations import suites as expectations
from data_lake.planning.world import worlds
from tests.architecture.test_layers import imports

DATA_LAKE = Path(__file__).parents[2] / "data_lake"
WORLDS = {contract.world for contract in load_contracts().values()}


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((DATA_LAKE / folder).rglob("*.py"))


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def below(path: Path) -> str:
    return path.relative_to(DATA_LAKE).as_posix()


@pytest.mark.parametrize("path", modules("planning"), ids=below)
def test_planning_imports_no_source_and_no_client(path: Path) -> None:
    assert not [name for name in imports(path) if name.startswith(("data_lake.sources", "data_lake.clients"))]


TOP = [path for folder in (".", "planning", "expectations") for path in sorted((DATA_LAKE / folder).glob("*.py"))]


@pytest.mark.parametrize("path", TOP, ids=below)
def test_no_module_outside_a_worlds_own_names_it_or_its_entities(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    assert not texts & ({*load_contracts(), *WORLDS})
    parts = {part for node in ast.walk(tree) for name in imported(node) for part in name.split(".")}
    assert not parts & WORLDS


def test_every_world_that_expects_anything_expects_it_of_its_own_entities() -> None:
    assert expectations.worlds().keys() == WORLDS
    for name, suites in expectations.worlds().items():
        assert {load_contracts()[entity].world for entity in (*suites.entities, *suites.reads)} == {name}


def test_every_world_with_planning_of_its_own_has_contracts_and_reads_models_that_exist() -> None:
    assert worlds().keys() <= WORLDS
    models = {path.stem for path in (CONTRACT_FILES.parents[1] / "models").rglob("*.sql")}
    for name, world in worlds().items():
        assert world.models.keys() <= models
        assert {load_contracts()[entity].world for entity in world.entities} == {name}


def test_every_interval_is_known_to_its_world() -> None:
    with_intervals = {c.entity: c.world for c in load_contracts().values() if c.affected_days.interval_if_changed}
    assert with_intervals
    for entity, world in with_intervals.items():
        assert entity in worlds()[world].entities
