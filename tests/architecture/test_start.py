"""What a command loads before it answers: the libraries that take a second are for the commands that use them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from data_lake.layout import Layout
from data_lake.planning import TESTS, Audit, begin_build, end_build, plan
from data_lake.publish import Table, publish
from tests.builders import message, put

REPOSITORY = Path(__file__).parents[2]

# What only runs, models and their audit use.
RUNS = {"dagster", "dagster_dbt", "dbt", "great_expectations", "mlflow", "sklearn", "prophet", "pandas", "numpy"}
RUNS |= {"polars", "pyarrow", "jinja2", "babel", "urllib3", "sqlglot"}
# What most commands use, and none before it is called.
COMMANDS = {"duckdb", "pydantic", "yaml", "rich"}

COMMAND = """
from orchestration.cli import main
if sys.argv[2:]:
    main(sys.argv[2:], standalone_mode=False)
"""
PLAN = """
from data_lake.layout import Layout
from data_lake.planning import plan
from orchestration import lake_run
assert plan(Layout.from_env(), "models-1").days == ()
"""
ASK = """
print(sorted(set(sys.argv[1].split()) & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def built(tmp_path: Path) -> Layout:
    """A lake with a row, a warehouse that was built from it, and nothing published."""
    lake = Layout(tmp_path / "lake")
    put(lake, "chat_messages", message("a", "2026-01-31 20:00"))
    todo = plan(lake, "models-1")
    assert todo
    begin_build(lake, todo, [Audit("fct_streams", TESTS)])
    end_build(lake, todo)
    return lake


def loaded(lake: Layout, names: set[str], *command: str, code: str = COMMAND) -> str:
    """Which of these modules a process has loaded once it has run a command; without one, once it could."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}{ASK}", " ".join(names), *command],
        env={"PATH": "/usr/bin:/bin", "LAKE_ROOT": str(lake.root), "HOME": str(lake.root)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.strip()


def test_declaring_every_command_loads_what_none_of_them_needs_alone(built: Layout) -> None:
    assert loaded(built, RUNS | COMMANDS) == "[]"
    assert loaded(built, RUNS | COMMANDS, "--help") == "[]"


def test_status_of_a_built_lake_loads_nothing_that_a_run_needs(built: Layout) -> None:
    assert loaded(built, RUNS, "status") == "[]"


def test_a_query_reads_no_contract_and_no_document(built: Layout) -> None:
    with duckdb.connect(str(built.warehouse)) as warehouse:
        warehouse.execute("create table words as select 'hello' as word, now() as at")
    words = Table("words", "words", "One row per word.", {"word": "The word."})
    publish(built, [words], as_of=date(2026, 1, 31), run_id="r", created_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert loaded(built, RUNS | {"pydantic", "yaml", "rich"}, "sql", "from words") == "[]"


def test_a_run_knows_that_nothing_is_new_before_it_loads_what_builds(built: Layout) -> None:
    assert loaded(built, RUNS, code=PLAN) == "[]"
