"""What became of a dbt invocation: built models with their rows and days, tests with the worst rows of failing ones.

Everything is yielded after dbt has ended: DuckDB lets nobody read the warehouse while dbt writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import dagster as dg
import duckdb
from dagster_dbt import DbtCliInvocation

from orchestration import progress as steps
from orchestration.progress import Progress
from orchestration.project import layer

WORST_ROWS = 10
RESULTS: Literal["run_results.json"] = "run_results.json"
RESULT_EVENTS = {"LogModelResult": steps.MARTS, "LogSeedResult": steps.MARTS, "LogTestResult": steps.AUDIT}


@dataclass(frozen=True)
class TestFailure:
    """A dbt test that did not pass: how many rows failed and the query that finds them."""

    unique_id: str
    name: str
    message: str
    rows: int | None
    query: str | None
    is_blocking: bool


@dataclass
class Outcome:
    """The result of one dbt invocation over the selected models."""

    invocation: DbtCliInvocation
    log: str
    dagster_events: list[Any] = field(default_factory=list)
    built: list[Mapping[str, Any]] = field(default_factory=list)
    model_errors: list[str] = field(default_factory=list)
    failed_tests: list[TestFailure] = field(default_factory=list)
    tests_passed: int = 0
    every_model_ran: bool = False
    is_successful: bool = False

    def events(self, context: dg.AssetExecutionContext, warehouse: duckdb.DuckDBPyConnection) -> Iterator[Any]:
        """The Dagster events of the invocation: outputs with rows and days, checks with their worst rows."""
        measured = {dg.AssetKey([layer(n), n["name"]]).to_python_identifier(): n for n in self.built}
        failed = {test.name: test for test in self.failed_tests}
        for event in self.dagster_events:
            if isinstance(event, dg.Output):
                context.add_output_metadata(_measure(warehouse, measured[event.output_name]), event.output_name)
            elif isinstance(event, dg.AssetCheckResult) and event.check_name in failed:
                found = failed[event.check_name]
                yield event._replace(metadata={**event.metadata, **explain(warehouse, found)})
                continue
            yield event

    def raise_if_failed(self) -> None:
        """Raise dg.Failure with one paragraph when a model failed; failed tests block as checks."""
        if self.model_errors:
            raise dg.Failure(f"{'; '.join(self.model_errors)} (dbt's log: {self.log})", allow_retries=False)
        if not self.is_successful and not self.failed_tests:
            raise dg.Failure(f"dbt stopped before it built anything: {self._last_words()} (dbt's log: {self.log})")

    def _last_words(self) -> str:
        said = [str(text).strip() for text in self.invocation._error_messages]
        return "; ".join(said) or f"exit code {self.invocation.process.returncode}"


def collect(invocation: DbtCliInvocation, progress: Progress, bars: Mapping[str, str] = RESULT_EVENTS) -> Outcome:
    """Wait for dbt to end, telling `progress` about each model and test; `bars`: the step of each kind of event."""
    outcome = Outcome(invocation, str(invocation.target_path / "dbt.log"))
    manifest = invocation.manifest
    for event in invocation.stream_raw_events():
        name, data = event.raw_event["info"]["name"], event.raw_event["data"]
        if name in bars and data.get("total"):
            # dbt numbers models and tests together: both bars move with its one count.
            progress.advance(bars[name], data["index"] / data["total"], str(data["node_info"]["node_name"]))
        outcome.dagster_events += event.to_default_asset_events(
            manifest, invocation.dagster_dbt_translator, invocation.context, invocation.target_path
        )
    outcome.is_successful = invocation.process.wait() == 0
    if (invocation.target_path / RESULTS).exists():
        _read_results(outcome, invocation.get_artifact(RESULTS)["results"], manifest)
    return outcome


def _read_results(outcome: Outcome, results: list[Mapping[str, Any]], manifest: Mapping[str, Any]) -> None:
    models = 0
    for result in results:
        node = manifest["nodes"].get(result["unique_id"])
        if node is None:
            continue
        if node["resource_type"] != "test":
            models += 1
            if result["status"] == "success":
                outcome.built.append(node)
            elif result["status"] != "skipped":
                outcome.model_errors.append(f"model {node['name']} failed: {_one_line(result['message'])}")
        elif result["status"] == "pass":
            outcome.tests_passed += 1
        elif result["status"] != "skipped":
            outcome.failed_tests.append(
                TestFailure(
                    unique_id=result["unique_id"],
                    name=node["name"],
                    message=_one_line(result["message"]),
                    rows=result.get("failures"),
                    query=result.get("compiled_code"),
                    is_blocking=result["status"] != "warn",
                )
            )
    outcome.every_model_ran = models == len(outcome.built)


def _one_line(text: str | None) -> str:
    return " ".join((text or "no message").split())


def _measure(warehouse: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of a built table, and the days it covers; views are not counted: that would run them."""
    if node["config"]["materialized"] == "view":
        return {}
    relation = node["relation_name"]
    said: dict[str, Any] = {"dagster/row_count": _one(warehouse, f"select count(*) from {relation}")[0]}
    if "event_date" in node["columns"]:
        query = f"select count(distinct event_date), min(event_date)::text, max(event_date)::text from {relation}"
        days, first, last = _one(warehouse, query)
        said |= {"days": days, **({"first_day": first, "last_day": last} if days else {})}
    return said


def _one(warehouse: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = warehouse.execute(query).fetchone()
    assert row is not None
    return row


def explain(warehouse: duckdb.DuckDBPyConnection, test: TestFailure) -> dict[str, Any]:
    """Why a test failed, for its check's metadata: what dbt said, the failing rows' query, the first of the rows."""
    said: dict[str, Any] = {"message": test.message}
    if not test.query:
        return said
    said["query"] = dg.MetadataValue.md(f"```sql\n{test.query.strip()}\n```")
    try:
        found = warehouse.execute(f"select * from ({test.query}) limit {WORST_ROWS}")
        names = [column[0] for column in found.description or []]
        records = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error as error:
        return said | {"worst_rows_error": str(error)}
    return said | ({"worst_rows": table(records)} if records else {})


def table(records: list[dict[str, Any]]) -> dg.TableMetadataValue:
    """Rows as metadata: numbers and booleans as they are, everything else as text."""
    names = list(records[0])
    shown = [{n: v if isinstance(v, bool | int | float) else _text(v) for n, v in r.items()} for r in records]
    schema = dg.TableSchema([dg.TableColumn(name, _type(shown, name)) for name in names])
    return dg.MetadataValue.table([dg.TableRecord(record) for record in shown], schema)


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:500]


def _type(records: list[dict[str, Any]], name: str) -> str:
    kinds = {type(record[name]) for record in records}
    return {bool: "bool", int: "int", float: "float"}.get(kinds.pop(), "string") if len(kinds) == 1 else "string"
