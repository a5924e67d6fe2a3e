"""What the generic tests of the models report: which rule is broken, and by which rows, the worst first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data_lake.layout import Layout
from orchestration.dbt import Dbt
from orchestration.project import PROJECT

# ids; day, who, seconds (0 to 60), kind (a or b), place (one of places)
ROWS = """
select * from (values
    (1, date '2026-01-01', 'ann', 5, 'a', 'here'),
    (2, date '2026-01-01', null, 70, 'c', 'here'),
    (3, date '2026-01-02', 'bob', -900, null, 'nowhere'),
    (4, date '2026-01-02', 'bob', 61, 'b', 'nowhere'),
    (5, date '2026-01-02', 'cid', 60, 'b', 'elsewhere'),
    (5, date '2026-01-02', 'dan', 0, 'b', null),
    (null, date '2026-01-03', 'eve', 1, 'a', 'here')
) as t(id, day, who, seconds, kind, place)
"""
FILES = {
    "dbt_project.yml": "name: mini\nprofile: mini\nmodels: {mini: {+materialized: table}}\n"
    "vars: {as_of: null, days: null, source_rank: []}\n",
    "profiles.yml": "mini: {target: lake, outputs: {lake: {type: duckdb, path: warehouse.duckdb}}}\n",
    "models/places.sql": "select * from (values ('here'), ('there')) as t(name)",
    "models/rows.sql": ROWS,
    "models/rows.yml": """
models:
  - name: rows
    data_tests:
      - grain: {name: key, arguments: {columns: [id]}}
      - grain: {name: key_of_the_days, arguments: {columns: [id], within: day}}
      - grain: {name: key_with_a_hole, arguments: {columns: [id, who], nullable: [id, who]}}
      - grain: {name: key_and_more, arguments: {columns: [id], nullable: [id], required: [who]}}
      - row_rules: &rules
          name: rules
          arguments: &arguments
            ranges: {seconds: [0, 60], id: [1, null]}
            values: {kind: [a, b]}
            found_in: [{columns: [place], to: ref('places'), to_columns: [name]}]
      - row_rules: {name: rules_of_the_days, arguments: {<<: *arguments, within: day}}
""",
}
Rows = list[dict[str, Any]]


class Project:
    """A project of one model with broken rows, with the macros and generic tests of ours, built."""

    def __init__(self, folder: Path, dbt: Dbt) -> None:
        self.lake, self.dbt = Layout(folder), dbt
        for name in ("macros", "tests"):
            shutil.copytree(PROJECT / name, folder / name)
        for name, text in FILES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        self.run("run")

    def run(self, *arguments: str) -> Mapping[str, Rows]:
        """dbt in the project; returns the rows that each test fails with."""
        done = self.dbt.run(self.lake, arguments, lambda *_: None)
        assert not done.error
        assert all(r.status in ("success", "pass", "fail") for r in done.results), done.results
        with duckdb.connect(str(self.lake.warehouse), read_only=True) as warehouse:
            return {
                r.unique_id.split(".")[2]: warehouse.execute(str(r.query)).to_arrow_table().to_pylist()
                for r in done.results
                if r.unique_id.startswith("test.")
            }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("rules")
    dbt = Dbt(folder)
    yield Project(folder, dbt)
    dbt.stop()


@pytest.fixture(scope="module")
def failures(project: Project) -> Mapping[str, Rows]:
    return project.run("test")


@pytest.fixture(scope="module")
def failures_of_a_day(project: Project) -> Mapping[str, Rows]:
    variables = {"as_of": "2026-01-03", "days": [["2026-01-01", "2026-01-01"]]}
    return project.run("test", "--vars", json.dumps(variables))


def test_a_broken_grain_says_which_key_and_how_often_or_which_column_is_null(failures: Mapping[str, Rows]) -> None:
    assert failures["key"] == [
        {"rule": "one row per id", "id": 5, "row_count": 2},
        {"rule": "id is not null", "id": None, "row_count": 1},
    ]
    assert failures["key_with_a_hole"] == []
    assert failures["key_and_more"] == [
        {"rule": "one row per id", "id": 5, "row_count": 2},
        {"rule": "who is not null", "id": 2, "row_count": 1},
    ]


def test_every_broken_rule_of_a_row_is_named_and_the_worst_row_comes_first(failures: Mapping[str, Rows]) -> None:
    broken = [(row["rule"], row["id"], row["row_count"]) for row in failures["rules"]]
    # every rule once before any twice
    assert broken == [
        ("kind in ('a', 'b')", 2, None),
        ("place in places", None, 2),
        ("seconds >= 0 and seconds <= 60", 3, None),
        ("place in places", None, 1),
        ("seconds >= 0 and seconds <= 60", 2, None),
        ("seconds >= 0 and seconds <= 60", 4, None),
    ]
    assert [row["place"] for row in failures["rules"] if row["rule"] == "place in places"] == ["nowhere", "elsewhere"]


def test_a_run_over_some_days_is_told_of_their_rows_only(failures_of_a_day: Mapping[str, Rows]) -> None:
    assert failures_of_a_day["key_of_the_days"] == []
    assert len(failures_of_a_day["key"]) == 2
    assert {row["id"] for row in failures_of_a_day["rules_of_the_days"]} == {2}
    assert len(failures_of_a_day["rules"]) == 6
