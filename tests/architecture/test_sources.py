"""A format is one folder: it imports what all formats share and no other format, and being there registers it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from data_lake.sources import SOURCES, source_ranks

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "data_lake" / "sources"
SHARED = ("data_lake.contracts", "data_lake.errors", "data_lake.sources.base", "data_lake.sources.reading")
FORMATS = sorted(path.parent for path in FOLDER.glob("*/*/__init__.py"))

# A whole format: what a person adds who adds one.
TOY = """
from data_lake.sources.base import Evidence, Problem, Source

SOURCE = Source(
    name="toy", world="live", version=1, entities=("chat_messages",), evidence=Evidence.MARK, trust=15,
    looks_for="the word toy", recognise=lambda head: "a toy" if head.text.startswith("toy") else None,
    parse=lambda export: iter([Problem(None, "it is a toy")]),
)
"""


def imports_of_ours(path: Path) -> set[str]:
    """The modules of data_lake, ml and orchestration a file imports, at the top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            is_package = node.module in {"data_lake", "data_lake.sources"}
            names |= {f"{node.module}.{alias.name}" for alias in node.names} if is_package else {node.module}
    return {name for name in names if name.partition(".")[0] in {"data_lake", "ml", "orchestration"}}


def strangers(paths: Iterable[Path], *allowed: str) -> list[str]:
    return [
        f"{path.name}: {name}"
        for path in paths
        for name in imports_of_ours(path)
        if not any(name == package or name.startswith(f"{package}.") for package in allowed)
    ]


@pytest.mark.parametrize("folder", FORMATS, ids=lambda path: path.name)
def test_a_format_imports_contracts_shared_reading_and_itself_only(folder: Path) -> None:
    itself = ".".join(folder.relative_to(REPOSITORY).parts)
    assert strangers(folder.rglob("*.py"), *SHARED, itself) == []


def test_shared_reading_imports_no_format() -> None:
    assert strangers([FOLDER / "__init__.py", FOLDER / "base.py", *FOLDER.rglob("reading/*.py")], *SHARED) == []


@pytest.mark.parametrize("folder", FORMATS, ids=lambda path: path.name)
def test_a_source_is_named_after_its_folder_and_world(folder: Path) -> None:
    source = SOURCES[folder.name]
    assert (source.world, source.name) == folder.parts[-2:]
    assert 0 < source.trust <= 100


def test_every_format_is_registered_and_ranked_once() -> None:
    assert sorted(SOURCES) == sorted(source_ranks()) == sorted(folder.name for folder in FORMATS)


def test_models_rank_sources_as_these_say_themselves() -> None:
    project = yaml.safe_load((REPOSITORY / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["vars"]["source_rank"] == source_ranks()


def test_a_format_is_added_by_its_folder_alone(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("storage", "__pycache__")
    for part in ("data_lake", "dbt_project/models/raw"):
        shutil.copytree(REPOSITORY / part, tmp_path / part, ignore=ignored)
    toy = tmp_path / "data_lake" / "sources" / "live" / "toy" / "__init__.py"
    toy.parent.mkdir()
    toy.write_text(TOY, encoding="utf-8")
    (tmp_path / "some.txt").write_text("toy", encoding="utf-8")
    code = (
        "from pathlib import Path; from data_lake.landing import add; from data_lake.layout import Layout; "
        "from data_lake.sources import SOURCES, source_ranks; added = add(Layout(Path('lake')), Path('some.txt')); "
        "print(added.source, added.what, added.path.parent.as_posix(), 'toy' in source_ranks(), len(SOURCES))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"toy a toy lake/landing/toy True {len(SOURCES) + 1}"


def test_naming_the_formats_loads_no_library_and_no_format() -> None:
    code = (
        "import sys; from data_lake.sources import SOURCES; assert 'irc' in SOURCES and list(SOURCES); "
        "print(sorted({'numpy', 'pyarrow', 'duckdb', 'yaml', 'babel'} & set(sys.modules)), "
        "[m for m in sys.modules if m.startswith('data_lake.sources.live.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
