"""Every measure says whether it adds up, and no model sums what does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.store import ensure_readable
from orchestration.project import PROJECT, is_daily, is_published, layer, load_manifest, models
from tests.architecture.sums import summed_columns
from tests.integration.lakes import dbt

NUMBERS = ("bigint", "integer", "double", "decimal", "hugeint")
# Numbers that name or place a row and measure nothing.
PLACES = {"text_hash", "from_minute", "iso_year", "iso_week", "iso_day_of_week", "local_day_of_week", "local_hour"}
PLACES |= {"year", "quarter", "month", "day_of_month"}
KINDS = {"additive", "semi_additive", "non_additive", "ratio"}
NOT_SUMMED = {"non_additive", "ratio"}

Model = Mapping[str, Any]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[Model]:
    """All models with their SQL as DuckDB gets it."""
    folder = tmp_path_factory.mktemp("compiled")
    lake = Layout(folder / "lake")
    lake.root.mkdir()
    for entity in load_contracts():
        ensure_readable(lake, entity)
    done, _ = dbt(lake, "compile", "--no-introspect")
    assert done.success, done.error
    sql = {result.unique_id: result.query for result in done.results}
    return [{**node, "compiled_code": sql[node["unique_id"]]} for node in models(load_manifest())]


def additivity(column: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**column.get("meta", {}), **column.get("config", {}).get("meta", {})}


def test_no_model_sums_what_does_not_add_up(compiled: list[Model]) -> None:
    declared = {
        (node["name"], name): additivity(column).get("additivity")
        for node in compiled
        for name, column in node["columns"].items()
    }
    tables: dict[str, dict[str, frozenset[tuple[str, str]]]] = {}
    for table, column in declared:
        tables.setdefault(table, {})[column] = frozenset({(table, column)})
    wrong = [
        f"{node['name']} sums {table}.{column}, which is {declared[table, column]}"
        for node in compiled
        for table, column in sorted(summed_columns(node["compiled_code"], tables))
        if declared[table, column] in NOT_SUMMED
    ]
    assert wrong == []


def test_every_measure_of_a_mart_says_how_it_adds_up(compiled: list[Model]) -> None:
    wrong = []
    for node in compiled:
        if layer(node) != "marts" or not is_published(node):
            continue
        for name, column in node["columns"].items():
            declaration = additivity(column)
            type_ = str(column.get("data_type", ""))
            is_measure = type_.startswith(NUMBERS) and not type_.endswith("[]") and name not in PLACES
            if is_measure and declaration.get("additivity") not in KINDS:
                wrong.append(f"{node['name']}.{name} declares no additivity")
            parts = [declaration.get("numerator"), declaration.get("denominator")]
            if declaration.get("additivity") == "ratio" and not all(part in node["columns"] for part in parts):
                wrong.append(f"{node['name']}.{name}: {parts} are not columns beside it")
    assert wrong == []


def test_every_published_table_states_its_grain_and_has_a_contract_and_a_key(compiled: list[Model]) -> None:
    for node in compiled:
        if not is_published(node):
            continue
        assert node["description"].startswith("One row per "), node["name"]
        assert node["config"]["contract"]["enforced"], node["name"]
        text = (PROJECT / node["patch_path"].split("://")[1]).read_text(encoding="utf-8")
        assert "- grain:" in text, node["name"]
        assert all(c["description"] and c.get("data_type") for c in node["columns"].values()), node["name"]
        assert not is_daily(node) or node["config"]["incremental_strategy"] == "replace_window", node["name"]


def tables(**columns: str) -> dict[str, dict[str, frozenset[tuple[str, str]]]]:
    return {table: {c: frozenset({(table, c)}) for c in names.split()} for table, names in columns.items()}


@pytest.mark.parametrize(
    ("sql", "summed"),
    [
        ("select sum(viewers) from days", {("days", "viewers")}),
        ("with d as (select viewers as v from days) select sum(coalesce(v, 0)::bigint) from d", {("days", "viewers")}),
        (
            "with d as (select * replace (viewers as n) from days) select sum(n) over (order by n) from d",
            {("days", "viewers")},
        ),
        ("select (select sum(d.viewers) from days as d) as n", {("days", "viewers")}),
        ("with d as (select 0 as n union all select viewers from days) select sum(n) from d", {("days", "viewers")}),
        ("select n from days group by n having sum(case when n > 1 then viewers end) > 1", {("days", "viewers")}),
        ("select max(viewers), avg(viewers) from days", set()),
        ("select sum(viewers * hours) from days", set()),
        ("with d as (select max(viewers) as viewers from days) select sum(viewers) from d", set()),
    ],
)
def test_sums_are_followed_to_their_columns(sql: str, summed: set[tuple[str, str]]) -> None:
    assert summed_columns(sql, tables(days="viewers n hours")) - {("days", "n")} == summed


def test_broken_sql_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="syntax"):
        summed_columns("select sum(", {})
