"""dbt's results as Dagster is told them: models with rows and days, tests with the worst rows of failing ones.

The warehouse is read after dbt has closed it: DuckDB lets nobody read it while another process writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import duckdb

from orchestration.dbt import Build, NodeResult
from orchestration.graph import models_read
from orchestration.metadata import WORST_ROWS, table
from orchestration.project import Manifest, layer

PASSED, WARNED, SKIPPED = "pass", "warn", "skipped"


@dataclass
class BuildResults:
    """The results of a build by what they are of, as manifest nodes and dbt's results."""

    build: Build
    built: list[Mapping[str, Any]] = field(default_factory=list)
    model_errors: list[str] = field(default_factory=list)
    tests: list[tuple[Mapping[str, Any], NodeResult]] = field(default_factory=list)

    @property
    def tests_passed(self) -> int:
        return sum(result.status == PASSED for _, result in self.tests)

    @property
    def tests_failed(self) -> int:
        return sum(result.status not in (PASSED, SKIPPED) for _, result in self.tests)

    @property
    def built_names(self) -> frozenset[str]:
        return frozenset(node["name"] for node in self.built)

    def tested(self, manifest: Manifest) -> frozenset[str]:
        """Names of the models that were built and that no open test reads: none failed, none was skipped."""
        bad = [node for node, result in self.tests if result.status not in (PASSED, WARNED)]
        unproven = {manifest["nodes"][model]["name"] for node in bad for model in models_read(node)}
        return self.built_names - unproven

    def raise_if_failed(self) -> None:
        """Raise dg.Failure with one paragraph when a model failed; failed tests block as checks."""
        if self.model_errors:
            raise dg.Failure(f"{'; '.join(self.model_errors)} (dbt's log: {self.build.log})", allow_retries=False)
        if not self.build.success and not self.tests_failed:
            why = self.build.error or "no model was selected"
            raise dg.Failure(f"dbt stopped before it built anything: {why} (dbt's log: {self.build.log})")


def read_results(build: Build, manifest: Manifest) -> BuildResults:
    """The results of a build, each with its node of the manifest."""
    found = BuildResults(build)
    for result in build.results:
        node = manifest["nodes"].get(result.unique_id)
        if node is None:
            continue
        if node["resource_type"] == "test":
            found.tests.append((node, result))
        elif result.status == "success":
            found.built.append(node)
        elif result.status != SKIPPED:
            found.model_errors.append(f"model {node['name']} failed: {_one_line(result.message)}")
    return found


def dagster_events(
    results: BuildResults,
    manifest: Manifest,
    selected_checks: Mapping[str, dg.AssetCheckKey],
    warehouse: duckdb.DuckDBPyConnection,
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Built models with rows and days, then tests, failing ones with their worst rows."""
    for node in results.built:
        key = dg.AssetKey([layer(node), node["name"]])
        yield dg.MaterializeResult(asset_key=key, metadata=_measure(warehouse, node))
    for node, result in results.tests:
        check = selected_checks.get(node["name"])
        if check is None or result.status == SKIPPED:
            continue
        passed = result.status == PASSED
        is_warning = result.status == WARNED or node["config"]["severity"].lower() == "warn"
        yield dg.AssetCheckResult(
            passed=passed,
            asset_key=check.asset_key,
            check_name=check.name,
            severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
            metadata={"failed_rows": result.failures or 0} | ({} if passed else explain(warehouse, result)),
        )


def _one_line(text: str | None) -> str:
    return " ".join((text or "no message").split())


def _measure(warehouse: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of a built table, and the days it covers; views are not counted: that would run them."""
    if node["config"]["materialized"] == "view":
        return {}
    relation = node["relation_name"]
    measures: dict[str, Any] = {"dagster/row_count": _one(warehouse, f"select count(*) from {relation}")[0]}
    if "event_date" in node["columns"]:
        query = f"select count(distinct event_date), min(event_date)::text, max(event_date)::text from {relation}"
        days, first, last = _one(warehouse, query)
        measures |= {"days": days, **({"first_day": first, "last_day": last} if days else {})}
    return measures


def _one(warehouse: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = warehouse.execute(query).fetchone()
    assert row is not None
    return row


def explain(warehouse: duckdb.DuckDBPyConnection, test: NodeResult) -> dict[str, Any]:
    """Why a test failed, for its check's metadata: what dbt said, the failing rows' query, the first of the rows."""
    reasons: dict[str, Any] = {"message": _one_line(test.message)}
    if not test.query:
        return reasons
    reasons["query"] = dg.MetadataValue.md(f"```sql\n{test.query.strip()}\n```")
    try:
        rows = warehouse.execute(f"select * from ({test.query}) limit {WORST_ROWS}")
        columns = [column[0] for column in rows.description or []]
        records = [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]
    except duckdb.Error as error:
        return reasons | {"worst_rows_error": str(error)}
    return reasons | ({"worst_rows": table(records)} if records else {})
