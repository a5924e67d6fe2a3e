"""Staging holds one row per key whatever entity it is of, and whoever else reports the same thing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb
import pytest

from data_lake.contracts import Contract, load_contracts
from data_lake.layout import Layout
from tests.builders import at, put
from tests.integration.lakes import dbt

CONTRACTS = load_contracts()
FIRST, SECOND = at("2026-01-10 20:00"), at("2026-01-11 20:00")
TRUSTED, OTHER = "twitch_helix", "streampai"


def a_row(contract: Contract, moment: datetime) -> dict[str, Any]:
    """A row of an entity at a moment: its key and what else it requires."""
    values = {"timestamp": moment, "date": moment.date(), "varchar": "x", "bigint": 1, "boolean": True}
    columns = [c for c in contract.columns if c.name in contract.key or c.required]
    row = {c.name: values[c.type] for c in columns if c.name not in {"source", "landing_file", "extracted_at"}}
    return {**row, "platform": "twitch", contract.event_time: moment}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Every entity as two sources report it: the same key from both, and one that only the less trusted one has."""
    lake = Layout(tmp_path_factory.mktemp("staging") / "lake")
    for entity, contract in CONTRACTS.items():
        put(lake, entity, a_row(contract, FIRST), source=TRUSTED)
        later = a_row(contract, SECOND)
        if contract.event_time not in contract.key:
            later[contract.key[-1]] = "another"
        put(lake, entity, a_row(contract, FIRST), later, source=OTHER)
    # cautious: not the tests that read other models as well
    select = ("--select", "staging", "--indirect-selection", "cautious", "--exclude-resource-type", "unit_test")
    done, results = dbt(lake, "build", *select)
    assert done.success, [r.message for r in results.values() if r.status not in ("pass", "success")]
    return lake


@pytest.mark.parametrize("entity", CONTRACTS)
def test_of_two_sources_with_one_key_the_more_trusted_one_stands(staged: Layout, entity: str) -> None:
    contract = CONTRACTS[entity]
    with duckdb.connect(str(staged.warehouse), read_only=True) as warehouse:
        sql = f"select {contract.event_time}, source from stg_{entity} order by all"
        assert warehouse.execute(sql).fetchall() == [(FIRST, TRUSTED), (SECOND, OTHER)]


@pytest.mark.parametrize("entity", CONTRACTS)
def test_staging_has_the_columns_of_the_contract_after_the_day(staged: Layout, entity: str) -> None:
    with duckdb.connect(str(staged.warehouse), read_only=True) as warehouse:
        columns = [name for name, *_ in warehouse.execute(f"describe stg_{entity}").fetchall()]
    assert columns == ["event_date", *CONTRACTS[entity].column_names]
