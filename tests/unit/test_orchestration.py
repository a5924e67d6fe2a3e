"""Definitions, checks, sensors, alerts: what Dagster is told, and what it does with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from data_lake import landing
from data_lake.ingest import ingest
from data_lake.layout import Layout
from data_lake.sources import SOURCES
from orchestration import alerts, dbt_process
from orchestration.assets.raw import raw_keys
from orchestration.checks import ALL_DAYS, quarantine, reconcile, unread
from orchestration.dead_runs import COMMAND_LINE
from orchestration.definitions import build_definitions
from orchestration.graph import with_owned_tests
from orchestration.holding import hold
from orchestration.jobs import DAILY_LAKE, DAILY_SCORING, lake_job
from orchestration.partitions import monthly, report_months, run_tags
from orchestration.plans import make_plan
from orchestration.progress import Silent
from orchestration.project import (
    INSIGHTS,
    REPOSITORY,
    Manifest,
    ManifestMissing,
    fingerprint,
    insight_tables,
    is_daily,
    is_stale,
    layer,
    load_manifest,
    models,
    published_tables,
)
from orchestration.rebuilding import forget, parse_models
from orchestration.selection import BUILD, READ, STAGE, lake_request
from orchestration.sensors import failure_sensor, landing_sensor, reading_sensor
from orchestration.window import CHANGED, FROM, PARTITION, RANGE_END, RANGE_START, TO, WINDOW, Window
from tests.builders import message, put, twitch_chat

ON = ("landing_sensor", "reading_sensor", "run_failure_sensor")


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    parse_models(Silent())
    return load_manifest()


@pytest.fixture(scope="module")
def graph(manifest: Manifest) -> Any:
    return build_definitions(manifest=manifest).resolve_asset_graph()


def test_a_model_depends_on_every_source_that_reads_its_entity(graph: Any) -> None:
    parents = graph.get(dg.AssetKey(["staging", "stg_chat_messages"])).parent_keys
    assert set(raw_keys("chat_messages")) <= parents
    assert len(raw_keys("chat_messages")) > 1
    assert not [key for key in parents if key.path[0] == "raw" and len(key.path) != 3]


def test_groups_follow_from_source_and_folder(graph: Any) -> None:
    groups = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups["raw/twitch_downloader/chat_messages"] == "raw_twitch_downloader"
    assert groups["staging/stg_chat_messages"] == "staging_live"
    assert groups["core/int_streams"] == "core_live"
    assert groups["marts/fct_chat_messages"] == "marts_live_messages"
    assert groups["published/fct_chat_messages"] == "published"
    assert (groups["features/feat_viewers"], groups["published/feat_viewers"]) == ("features_live", "published")
    assert groups["seeds/known_bots"] == "seeds"


def test_scoring_builds_and_publishes_every_insight(manifest: Manifest) -> None:
    job = build_definitions(manifest=manifest).resolve_job_def(DAILY_SCORING)
    insights = {node["name"] for node in models(manifest) if layer(node) == INSIGHTS}
    keys = job.asset_layer.executable_asset_keys
    assert {key.path[-1] for key in keys if key.path[0] == INSIGHTS} == insights
    assert {key.path[-1] for key in keys if key.path[0] == "published"} == insights
    assert any(key.path[0] == "predictions" for key in keys)


def test_only_what_is_kept_by_day_is_partitioned(graph: Any, manifest: Manifest) -> None:
    by_day = {node["name"] for node in models(manifest) if is_daily(node)}
    for key in graph.get_all_asset_keys():
        if key.path[0] in {"seeds", "staging", "core", "marts", "features", "published"}:
            expected = key.path[-1] in by_day and key.path[0] != "published"
            assert (graph.get(key).partitions_def is not None) == expected, key
    assert {"fct_chat_messages", "fct_stream_minutes", "fct_viewer_days"} <= by_day


def test_a_backfill_over_many_days_is_one_run(graph: Any) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        if node.is_executable and node.partitions_def is not None:
            assert node.backfill_policy == dg.BackfillPolicy.single_run(), key


def test_every_mart_is_published_described_and_must_stay_fresh(graph: Any, manifest: Manifest) -> None:
    every = [*published_tables(manifest), *insight_tables(manifest)]
    tables = {table.name: table for table in every}
    keys = {key for key in graph.get_all_asset_keys() if key.path[0] == "published"}
    assert {key.path[-1] for key in keys} == set(tables)
    assert all(graph.get(key).freshness_policy for key in keys)
    assert all(table.description and all(table.columns.values()) for table in tables.values())


def test_raw_rows_are_reconciled_before_anything_is_built(graph: Any) -> None:
    for key in raw_keys("chat_messages"):
        blocking = {check.name: graph.get(check).blocking for check in graph.get_check_keys_for_assets([key])}
        assert blocking["rows_reconcile"]
        assert not blocking["nothing_quarantined"]


def test_every_test_of_a_model_is_a_check(graph: Any, manifest: Manifest) -> None:
    tests = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "test"}
    assert tests <= {check.name for check in graph.asset_check_keys}


def test_a_test_over_several_models_belongs_to_the_last_of_them() -> None:
    def node(kind: str, name: str, *parents: str) -> dict[str, Any]:
        return {"resource_type": kind, "name": name, "depends_on": {"nodes": list(parents)}, "config": {}}

    nodes = {
        "model.m.a": node("model", "a"),
        "model.m.b": node("model", "b", "model.m.a"),
        "test.m.t": node("test", "t", "model.m.b", "model.m.a"),
    }
    parents = {name: found["depends_on"]["nodes"] for name, found in nodes.items()}
    owned = with_owned_tests({"nodes": nodes, "parent_map": parents})
    assert owned["nodes"]["test.m.t"]["config"]["meta"] == {"dagster": {"ref": {"name": "b"}}}


def test_the_lake_runs_daily_at_four_and_the_sensors_are_on(manifest: Manifest) -> None:
    repository = build_definitions(manifest=manifest).get_repository_def()
    schedule = repository.get_schedule_def("daily_lake_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone, schedule.job_name) == ("0 4 * * *", "UTC", DAILY_LAKE)
    on = {name: repository.get_sensor_def(name).default_status for name in ON}
    assert set(on.values()) == {dg.DefaultSensorStatus.RUNNING}


def test_definitions_without_a_manifest_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ManifestMissing, match="run 'make setup'"):
        load_manifest(tmp_path / "manifest.json")


def test_a_manifest_older_than_a_model_is_stale(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    model = tmp_path / "models" / "a.sql"
    model.write_text("select 1")
    made = tmp_path / "manifest.json"
    assert is_stale(made, tmp_path)
    made.write_text("{}")
    os.utime(model, ns=(1, 1))
    assert not is_stale(made, tmp_path)
    os.utime(model, ns=(made.stat().st_mtime_ns + 1, made.stat().st_mtime_ns + 1))
    assert is_stale(made, tmp_path)


def test_only_what_changes_results_changes_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.sql").write_text("select 1")
    before = fingerprint(tmp_path)
    (tmp_path / "models" / "a.yml").write_text("a description")
    assert fingerprint(tmp_path) == before
    (tmp_path / "models" / "a.sql").write_text("select 2")
    assert fingerprint(tmp_path) != before


def test_validating_the_definitions_has_no_side_effect(tmp_path: Path, manifest: Manifest) -> None:
    assert manifest
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LAKE_ROOT": str(tmp_path / "lake")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


# Ingest checks


def add_chat(lake: Layout, folder: Path, name: str = "a.json", **more: Any) -> Path:
    path = twitch_chat(folder / name, [(1.0, "ann", "hello"), (5.0, "bob", "hi")], **more)
    return landing.add(lake, path).path


def test_every_row_read_is_accounted_for(lake: Layout, tmp_path: Path) -> None:
    add_chat(lake, tmp_path)
    ingest(lake)
    found = reconcile(lake, "twitch_downloader", "chat_messages", landing.entries(lake).values(), ALL_DAYS)
    assert found.passed
    assert (found.metadata["rows_read"], found.metadata["rows_in_raw"], found.metadata["rows_replaced"]) == (2, 2, 0)


def test_a_lost_day_is_found_and_named(lake: Layout, tmp_path: Path) -> None:
    add_chat(lake, tmp_path)
    ingest(lake)
    lake.raw_partition("chat_messages", date(2026, 1, 31), "twitch_downloader").unlink()
    found = reconcile(lake, "twitch_downloader", "chat_messages", landing.entries(lake).values(), ALL_DAYS)
    assert not found.passed
    assert found.metadata["worst_rows"].records[0].data["day"] == "2026-01-31"


def test_rows_nobody_read_are_found(lake: Layout, tmp_path: Path) -> None:
    add_chat(lake, tmp_path)
    ingest(lake)
    put(lake, "chat_messages", message("m9", "2026-02-03 10:00"), source="twitch_downloader")
    found = reconcile(lake, "twitch_downloader", "chat_messages", landing.entries(lake).values(), ALL_DAYS)
    assert not found.passed
    assert found.metadata["worst_rows"].records[0].data == {
        "landing_file": "a-file",
        "day": "2026-02-03",
        "rows_read": 0,
        "rows_in_raw": 1,
    }


def test_quarantined_rows_are_counted_with_their_reasons(lake: Layout, tmp_path: Path) -> None:
    add_chat(lake, tmp_path, start="1970-01-01T00:00:00Z")
    ingest(lake)
    found = quarantine(lake, "twitch_downloader", "chat_messages", landing.entries(lake).values())
    assert not found.passed
    assert found.metadata["rows_quarantined"] == 2
    assert "outside 2000-01-01" in found.metadata["reasons"].records[0].data["reason"]
    assert len(found.metadata["worst_rows"].records) == 2


def test_a_file_that_cannot_be_read_is_reported_with_the_reason(lake: Layout, tmp_path: Path) -> None:
    path = add_chat(lake, tmp_path)
    path.write_bytes(b"\x1f\x8b not a gzip file")
    ingest(lake)
    found = unread(list(landing.entries(lake).values()))
    assert not found.passed
    worst, *_ = found.metadata["worst_rows"].records
    assert worst.data["landing_file"] == path.name
    assert worst.data["reason"]


# Days and requests


def test_a_reading_stands_for_the_last_month_its_new_files_state(lake: Layout, tmp_path: Path) -> None:
    path = twitch_chat(tmp_path / "a.json", [(1.0, "ann", "hello")])
    landing.add(lake, path, sidecar={"first_day": date(2026, 1, 30), "last_day": "2026-02-01"})
    keys = [dg.AssetKey(["raw", name, "chat_messages"]) for name in SOURCES] + [dg.AssetKey(["marts", "fct"])]
    request = lake_request(lake, keys)
    assert request.tags[PARTITION] == "2026-02-01"
    assert (request.tags[WINDOW], request.tags[STAGE]) == (CHANGED, READ)
    assert request.asset_selection == [dg.AssetKey(["raw", "twitch_downloader", "chat_messages"])]


def test_without_a_new_file_everything_is_asked_for_but_reading(lake: Layout) -> None:
    put(lake, "chat_messages", message("m1", "2026-01-10 10:00"))
    keys = [dg.AssetKey(["raw", "irc", "chat_messages"]), dg.AssetKey(["marts", "fct"]), dg.AssetKey(["models", "m"])]
    request = lake_request(lake, keys)
    assert request.asset_selection == [dg.AssetKey(["marts", "fct"])]
    assert request.tags[PARTITION] == "2026-01-01"


def run_of(**tags: str) -> dg.DagsterRun:
    return dg.DagsterRun(job_name="j", tags=tags)


def test_exact_days_are_tags_and_months_without_them_are_whole() -> None:
    asked = Window(date(2026, 1, 5), date(2026, 2, 1))
    tags = run_tags([date(2026, 3, 1)], asked)
    assert tags[PARTITION] == "2026-02-01"
    assert Window.of(run_of(**tags)) == asked
    months = {RANGE_START: "2026-01-01", RANGE_END: "2026-02-01"}
    assert Window.of(run_of(**months)) == Window(date(2026, 1, 1), date(2026, 2, 28))
    assert Window.of(run_of(**months, **{FROM: "2026-01-20", TO: "2026-02-03"})) == Window(
        date(2026, 1, 20), date(2026, 2, 3)
    )
    assert Window.of(run_of(**{PARTITION: "2026-12-01"})) == Window(date(2026, 12, 1), date(2026, 12, 31))


def test_a_run_over_what_changed_asks_for_no_days() -> None:
    tags = run_tags([date(2026, 1, 10), date(2025, 12, 31)])
    assert tags[PARTITION] == "2026-01-01"
    assert Window.of(run_of(**tags)) == Window()


def test_a_backfill_of_a_month_that_is_not_over_does_not_move_the_clock(lake: Layout) -> None:
    put(lake, "chat_messages", message("m1", "2026-01-10 10:00"))
    todo = make_plan(lake, Window(date(2026, 1, 1), date(2026, 1, 31)))
    assert todo
    assert todo.as_of == date(2026, 1, 10)


def test_months_that_a_run_found_out_about_are_marked_too() -> None:
    key = dg.AssetKey("fct")

    @dg.asset(key=key, partitions_def=monthly())
    def fct(context) -> None:  # type: ignore[no-untyped-def]
        report_months(context, key, [date(2026, 1, 31), date(2025, 11, 2), date(2025, 11, 3)], {"rows": 1})

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([fct], partition_key="2026-01-01", instance=instance).success
        assert instance.get_materialized_partitions(key) == {"2025-11-01", "2026-01-01"}


def test_a_new_landing_file_starts_one_reading(lake: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    add_chat(lake, tmp_path)
    keys = [dg.AssetKey(["raw", "twitch_downloader", "chat_messages"])]
    sensor = landing_sensor(keys)
    with dg.DagsterInstance.ephemeral() as instance:
        first = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
        assert [request.asset_selection for request in first.run_requests or []] == [keys]
        again = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=first.cursor))
        assert (again.run_requests, again.skip_message) == ([], "no landing file is new")
        ingest(lake)
        read = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
        assert (read.run_requests, read.skip_message) == ([], "every landing file has been read")


def test_a_reading_is_followed_by_the_build_of_what_it_changed(
    lake: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: Manifest
) -> None:
    assert manifest
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    add_chat(lake, tmp_path)
    ingest(lake)
    keys = [dg.AssetKey(["raw", "twitch_downloader", "chat_messages"]), dg.AssetKey(["marts", "fct_streams"])]

    @dg.job
    def reading() -> None:
        pass

    with dg.DagsterInstance.ephemeral() as instance:

        def after(tags: dict[str, str]) -> Any:
            result = reading.execute_in_process(instance=instance, tags=tags)
            context = dg.build_run_status_sensor_context(
                sensor_name="reading_sensor",
                dagster_instance=instance,
                dagster_run=result.dagster_run,
                dagster_event=next(e for e in result.all_events if e.event_type_value == "PIPELINE_SUCCESS"),
            )
            return reading_sensor(lake_job(), keys)(context)

        request = after({STAGE: READ})
        assert (request.asset_selection, request.tags[STAGE]) == ([keys[1]], BUILD)
        assert isinstance(after({STAGE: BUILD}), dg.SkipReason)
        assert isinstance(after({STAGE: READ, COMMAND_LINE: "1"}), dg.SkipReason)


def test_rebuilding_raw_forgets_raw_and_what_was_built_from_it(lake: Layout, tmp_path: Path) -> None:
    kept = add_chat(lake, tmp_path)
    ingest(lake)
    lake.warehouse.write_bytes(b"")
    forget(lake, "raw")
    assert kept.exists()
    assert not lake.raw.exists()
    assert not lake.warehouse.exists()


def test_a_run_takes_the_lock_once(lake: Layout) -> None:
    hold(lake, "one")
    hold(lake, "one")
    from data_lake.lock import LakeLock

    LakeLock(lake, "one").release()
    script = (
        "import sys; from pathlib import Path; from data_lake.layout import Layout; from data_lake.lock import LakeLock"
    )
    script += "; LakeLock(Layout(Path(sys.argv[1])), 'two', wait=False).acquire()"
    subprocess.run([sys.executable, "-c", script, str(lake.root)], cwd=REPOSITORY, check=True)


# Alerts


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web address and what was posted to it."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", posted
    server.shutdown()


def test_a_failed_run_is_recorded_and_posted(
    lake: Layout, receiver: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, posted = receiver
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    monkeypatch.setenv(alerts.ALERT_URL, url)

    @dg.op
    def fails() -> None:
        raise ValueError("the reason")

    @dg.job
    def doomed() -> None:
        fails()

    with dg.DagsterInstance.ephemeral() as instance:
        result = doomed.execute_in_process(instance=instance, raise_on_error=False)
        event = next(e for e in result.all_events if e.event_type_value == "PIPELINE_FAILURE")
        context = dg.build_run_status_sensor_context(
            sensor_name="run_failure_sensor",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=event,
        )
        failure_sensor()(context.for_run_failure())
    [line] = lake.alerts.read_text().splitlines()
    assert json.loads(line)["run_id"] == result.run_id == posted[0]["run_id"]
    assert "not_posted" not in json.loads(line)


def test_an_alert_that_cannot_be_posted_is_recorded_with_the_reason(
    lake: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(alerts.ALERT_URL, "http://127.0.0.1:9/nobody")
    problem = alerts.record(lake, alerts.Alert.now(lake, "r", "j", "why"))
    assert problem
    assert json.loads(lake.alerts.read_text())["not_posted"] == problem


# The dbt process


def test_dbt_dies_with_a_killed_run(tmp_path: Path) -> None:
    child = (
        "import os, sys, time; sys.path.insert(0, sys.argv[1]); import dbt_process, threading; "
        "threading.Thread(target=dbt_process._die_with, args=(os.getppid(),), daemon=True).start(); "
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
    folder = str(Path(dbt_process.__file__).parent)
    run = subprocess.Popen([sys.executable, "-P", "-c", parent, child, folder], stdout=subprocess.PIPE, text=True)
    assert run.stdout
    orphan = int(run.stdout.readline())
    run.send_signal(signal.SIGKILL)
    run.wait()
    patience = time.monotonic() + 10
    while _is_alive(orphan):
        assert time.monotonic() < patience, "dbt outlives its run"
        time.sleep(0.05)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
