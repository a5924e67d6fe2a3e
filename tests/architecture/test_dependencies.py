"""Every import is declared in pyproject.toml: what a library brings along today may be gone tomorrow."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SHIPPED = ("data_lake", "fullhouse", "ml", "orchestration")
OWN = {*SHIPPED, "tests", "benchmarks"}
# Optional and not installed here, so that nobody can be asked which distribution they come from.
ABSENT = {"bertopic": "bertopic", "sentence_transformers": "bertopic", "umap": "bertopic"}


def normalized(name: str) -> str:
    """A distribution's name as package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {normalized(re.split(r"[<>=\[ ]", requirement)[0]) for requirement in requirements}


def third_party(folder: Path) -> dict[str, str]:
    """Each top-level module imported from outside, with one file that does."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        if "storage" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for root in {module.partition(".")[0] for module in modules} - OWN - sys.stdlib_module_names:
                found.setdefault(root, path.relative_to(REPOSITORY).as_posix())
    return found


@pytest.mark.parametrize("package", sorted(OWN))
def test_every_import_is_declared(package: str) -> None:
    extras = PROJECT["optional-dependencies"]
    declared = names(PROJECT["dependencies"]) | names(
        [r for key, value in extras.items() if key != "dev" for r in value]
    )
    if package not in SHIPPED:
        declared |= names(extras["dev"])
    distributions = packages_distributions()
    undeclared = {
        root: path
        for root, path in third_party(REPOSITORY / package).items()
        if not {normalized(d) for d in distributions.get(root, [ABSENT.get(root, root)])} & declared
    }
    assert undeclared == {}, "declare these in pyproject.toml, each with its reason"
