"""The dbt step on a project of one model: what is built and published, and what a failing test prevents."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from data_lake import planning, publish
from data_lake.layout import Layout
from data_lake.lock import LakeLock
from orchestration.assets.marts import dbt_vars, marts_assets
from orchestration.assets.publish import published_assets
from orchestration.dbt import Dbt
from orchestration.metadata import table
from orchestration.plans import planned_days
from orchestration.project import DBT, Manifest, load_manifest
from orchestration.resources import LakeResource, default_resources
from orchestration.window import PARTITION
from tests.builders import PLANNED_MODELS, message, put

PROJECT = {
    "dbt_project.yml": "name: mini\nprofile: mini\nmodels: {mini: {+materialized: table}}\n",
    "profiles.yml": """
        mini:
          target: lake
          outputs: {lake: {type: duckdb, path: "{{ env_var('LAKE_ROOT', '.') }}/warehouse.duckdb"}}
    """,
    "models/raw.yml": """
        sources:
          - name: raw
            tables:
              - name: chat_messages
                config:
                  meta:
                    formatter: oldstyle
                    external_location: >-
                      read_parquet('{{ env_var("LAKE_ROOT", ".") }}/raw/chat_messages/*/*/*.parquet',
                      hive_partitioning = true, hive_types = {'event_date': date})
    """,
    "models/marts/chat/fct_words.sql": "select event_date, message_id, text from {{ source('raw', 'chat_messages') }}\n"
    "where event_date is not null and event_date <= '{{ var(\"as_of\") }}'",
    "models/marts/chat/fct_words.yml": """
        models:
          - name: fct_words
            description: One row per message.
            config: {tags: [daily]}
            columns:
              - {name: event_date, description: UTC day.}
              - {name: message_id, description: Id of the message., data_tests: [unique]}
              - {name: text, description: What was said.}
    """,
    "models/marts/chat/dim_texts.sql": "select distinct text from {{ source('raw', 'chat_messages') }}\n"
    "where event_date is not null",
    "tests/nothing_bad_was_said.sql": "select * from {{ ref('fct_words') }} where text = 'bad'",
    **{f"models/intermediate/{name}.sql": rows for name, rows in PLANNED_MODELS.items()},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mini")
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        path.write_text("\n".join(line[indent:] for line in lines) + "\n")
    environment = {**os.environ, "DBT_PROJECT_DIR": str(folder), "DBT_PROFILES_DIR": str(folder)}
    subprocess.run([*DBT, "--quiet", "parse"], cwd=folder, env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def manifest(project: Path) -> Manifest:
    return load_manifest(project / "target" / "manifest.json")


@pytest.fixture
def own_lake(lake: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    monkeypatch.setenv("DAGSTER_HOME", str(lake.dagster))
    yield lake
    LakeLock(lake, "").release()


def run(lake: Layout, project: Path, manifest: Manifest, *assets: str) -> dg.ExecuteInProcessResult:
    """Build and publish, by default everything."""
    dbt = Dbt(project)
    resources = {"lake": LakeResource(root=str(lake.root)), "dbt": dg.ResourceDefinition.hardcoded_resource(dbt)}
    definitions = dg.Definitions(
        assets=[marts_assets(manifest), published_assets(manifest)],
        jobs=[dg.define_asset_job("everything")],
        resources={**default_resources(), **resources},
        executor=dg.in_process_executor,
    )
    job: Any = definitions.resolve_job_def("everything")
    if assets:
        job = job.get_subset(asset_selection={dg.AssetKey(asset.split("/")) for asset in assets})
    with dg.DagsterInstance.ephemeral() as instance:
        tags = {PARTITION: "2026-01-01"}
        try:
            return job.execute_in_process(  # type: ignore[no-any-return]
                instance=instance, tags=tags, raise_on_error=False
            )
        finally:
            dbt.stop()


def checks(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def test_a_failing_test_blocks_publishing_and_shows_the_worst_rows(
    own_lake: Layout, project: Path, manifest: Manifest
) -> None:
    put(own_lake, "chat_messages", message("m1", "2026-01-10 10:00", "bad"), message("m2", "2026-01-11 10:00"))
    failed = run(own_lake, project, manifest)
    assert not failed.success
    check = checks(failed)["nothing_bad_was_said"]
    assert (check.passed, check.blocking) == (False, True)
    [row] = check.metadata["worst_rows"].records
    assert row.data == {"event_date": "2026-01-10", "message_id": "m1", "text": "bad"}
    assert publish.current_version(own_lake) is None

    put(own_lake, "chat_messages", message("m1", "2026-01-10 10:00", "good"))
    passed = run(own_lake, project, manifest)
    assert passed.success
    version = publish.current_version(own_lake)
    assert version
    assert (version.number, version.rows, version.as_of) == (1, {"fct_words": 2, "dim_texts": 2}, date(2026, 1, 11))
    [built] = [
        event
        for event in passed.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["marts", "fct_words"]) and event.partition == "2026-01-01"
    ]
    metadata = built.materialization.metadata
    assert (metadata["dagster/row_count"].value, metadata["days"].value) == (2, 2)


def why(failed: dg.ExecuteInProcessResult) -> str:
    """What the one step that failed says of itself."""
    [failure] = [event.step_failure_data for event in failed.all_events if event.is_step_failure]
    assert failure.user_failure_data
    return str(failure.user_failure_data.description)


def test_a_failed_test_is_not_forgotten_by_a_run_that_builds_another_model(
    own_lake: Layout, project: Path, manifest: Manifest
) -> None:
    put(own_lake, "chat_messages", message("m1", "2026-01-10 10:00", "bad"))
    assert not run(own_lake, project, manifest).success
    other = run(own_lake, project, manifest, "marts/dim_texts", "published/dim_texts")
    assert "not every check of fct_words passed since it was built" in why(other)
    assert planning.unaudited(own_lake) == {planning.Audit("fct_words", planning.TESTS)}
    assert publish.current_version(own_lake) is None


def test_an_empty_lake_says_what_to_add(own_lake: Layout, project: Path, manifest: Manifest) -> None:
    assert "fullhouse add FILE" in why(run(own_lake, project, manifest))


def test_dbt_is_told_the_clock_and_the_affected_days() -> None:
    todo = planning.Plan(date(2026, 1, 9), ((date(2026, 1, 1), date(2026, 1, 3)),), (), (), "f", "why")
    variables = dbt_vars(todo, ())
    assert json.loads(json.dumps(variables)) == {"as_of": "2026-01-09", "days": [["2026-01-01", "2026-01-03"]]}
    unpublished = ((date(2026, 1, 3), date(2026, 1, 5)),)
    assert dbt_vars(todo, unpublished)["days"] == [["2026-01-01", "2026-01-05"]]
    assert dbt_vars(todo, None)["days"] is None
    assert [day.day for day in planned_days(todo)] == [1, 2, 3]


def test_worst_rows_keep_numbers_and_show_the_rest_as_text() -> None:
    shown = table([{"n": 1, "ratio": 0.5, "at": date(2026, 1, 1), "none": None}])
    assert shown.records[0].data == {"n": 1, "ratio": 0.5, "at": "2026-01-01", "none": ""}
    assert [column.type for column in shown.schema.columns] == ["int", "float", "string", "string"]
