"""A client, and a sample world, is one folder: what is everybody's imports none of them, and none imports another."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data_lake.clients import client, client_names
from data_lake.sample_world import world_names
from tests.toy_server import KEY, ToyServer

REPOSITORY = Path(__file__).parents[2]
SHELVES = ("data_lake/clients", "data_lake/sample_world")


def imports(path: Path) -> set[str]:
    """The modules and names a file imports, at the top or inside a function, relative imports too."""
    package = list(path.relative_to(REPOSITORY).with_suffix("").parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def parts(shelf: str) -> list[str]:
    """The packages of a folder, by the name they are imported by."""
    prefix = shelf.replace("/", ".")
    return sorted(f"{prefix}.{init.parent.name}" for init in (REPOSITORY / shelf).glob("*/__init__.py"))


def modules(shelf: str) -> list[tuple[str, Path]]:
    return [(shelf, path) for path in sorted((REPOSITORY / shelf).rglob("*.py"))]


@pytest.mark.parametrize(
    ("shelf", "path"),
    [pair for shelf in SHELVES for pair in modules(shelf)],
    ids=lambda value: value.relative_to(REPOSITORY).as_posix() if isinstance(value, Path) else "",
)
def test_what_is_shared_imports_no_part_and_no_part_imports_another(shelf: str, path: Path) -> None:
    own = ".".join(path.relative_to(REPOSITORY).parts[:3])
    strangers = [part for part in parts(shelf) if part != own]
    imported = {name for name in imports(path) for part in strangers if f"{name}.".startswith(f"{part}.")}
    assert imported == set()


def test_nothing_outside_names_a_client_or_a_world() -> None:
    named = [part for shelf in SHELVES for part in parts(shelf)]
    importing = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for package in ("data_lake", "ml", "orchestration")
        for path in (REPOSITORY / package).rglob("*.py")
        if not path.relative_to(REPOSITORY).as_posix().startswith(SHELVES)
        for name in imports(path)
        if any(f"{name}.".startswith(f"{part}.") for part in named)
    }
    assert importing == set()


def test_every_client_is_named_after_its_folder_and_lands_for_a_source() -> None:
    from data_lake.sources import SOURCES

    for name in client_names():
        declared = client(name)
        assert declared.name == name
        assert SOURCES[declared.source].world == declared.world
        assert all(endpoint.name == key for key, endpoint in declared.endpoints.items())
        assert declared.polling is None or declared.polling.endpoint in declared.endpoints


def test_declaring_a_client_loads_no_transport() -> None:
    code = (
        "import sys; from data_lake.clients import clients; assert clients(); "
        "print(sorted({'urllib3', 'pyarrow', 'duckdb', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def scratch(tmp_path: Path, *folders: str) -> Path:
    for folder in folders:
        ignored = shutil.ignore_patterns("storage", "__pycache__", "target", "logs")
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def python(folder: Path, code: str, **variables: str) -> str:
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_client_is_added_by_its_folder_alone(tmp_path: Path) -> None:
    copy = scratch(tmp_path, "data_lake", "orchestration", "ml", "dbt_project")
    folder = copy / "data_lake" / "clients" / "toy"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A toy."""\n', encoding="utf-8")
    shutil.copy(REPOSITORY / "tests" / "toy_client.py", folder / "client.py")
    code = f"""
import json, click
from click.testing import CliRunner
from orchestration.client_commands import commands
from orchestration.clients import client_assets, client_jobs, client_schedules, client_sensors
main = click.Group(commands={{c.name: c for c in commands()}})
run = lambda *args, **more: CliRunner().invoke(main, args, **more).output
print(json.dumps([
    run("connect", "toy", "--name", "attic", input="{KEY}\\n"),
    run("pull", "toy"),
    run("poll", "--help"),
    [key.to_user_string() for asset in client_assets() for key in asset.keys],
    [job.name for job in client_jobs()],
    [schedule.name for schedule in client_schedules()],
    [sensor.name for sensor in client_sensors([])],
]))
"""
    with ToyServer({"items": [{"id": n} for n in range(25)], "plays": []}) as server:
        output = python(copy, code, TOY_URL=server.url, LAKE_ROOT=str(tmp_path / "lake"))
    connected, pulled, polled, assets, jobs, schedules, sensors = json.loads(output)
    assert "connected as attic\nnext: fullhouse pull toy" in connected
    assert KEY not in connected
    assert pulled.splitlines()[0].split() == ["items", "attic", "pulled", "25", "rows"]
    assert len(list((tmp_path / "lake" / "landing" / "toy").glob("*.jsonl"))) == 2
    assert "toy" not in polled
    assert "landing/toy" in assets
    assert "nightly_toy_job" in jobs
    assert "nightly_toy_schedule" in schedules
    assert not any(name.startswith("toy") for name in sensors)


def test_a_sample_world_is_added_by_its_folder_alone(tmp_path: Path) -> None:
    copy = scratch(tmp_path, "data_lake")
    folder = copy / "data_lake" / "sample_world" / "toys"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        '"""A world of toys."""\n'
        "from datetime import datetime\n"
        "from data_lake.sample_world.base import World\n"
        "from data_lake.sample_world.settings import Settings\n"
        "def write(output, settings, progress):\n"
        "    path = output.folder / 'toys.txt'\n"
        "    path.write_text(str(settings.rng('toys').integers(1000)))\n"
        "    output.land('toys', path, datetime(2026, 10, 31))\n"
        "    output.truth['toys'].append({'toy': 'bear'})\n"
        "    output.write_truth({'toys': 'toy:text'})\n"
        "WORLD = World('toys', Settings, write)\n",
        encoding="utf-8",
    )
    code = """
from pathlib import Path
from data_lake.layout import Layout
from data_lake.sample_world import world_names, write_sample_world
written = write_sample_world(Layout(Path("lake")), world="toys", days=30)
print(world_names(), written.files, sorted(p.name for p in Path("lake/truth").iterdir()))
"""
    expected = f"{sorted([*world_names(), 'toys'])} ('toys.txt',) ['exports.parquet', 'toys.parquet']"
    assert python(copy, code).strip() == expected
