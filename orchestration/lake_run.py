"""One run from the command line, in this process: what the Dagster job does, with the lake's lock held throughout.

Imports Dagster only when it runs. How progress and outcome look does not belong here (see `terminal`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from data_lake import landing, planning
from data_lake.layout import Layout
from data_lake.publish import DATABASE, Version, current_version, is_current
from orchestration import progress as steps
from orchestration.alerts import Alert, record
from orchestration.holding import hold
from orchestration.home import home, prepare
from orchestration.progress import Progress
from orchestration.project import (
    DBT,
    INSIGHTS,
    MANIFEST,
    PROJECT,
    fingerprint,
    insight_tables,
    is_stale,
    load_manifest,
)

START = "start"
# A run of the command line carries its process id: one that is still "started" while we hold the lock is dead.
COMMAND_LINE = "fullhouse/command_line"
ZONES = ("raw", "warehouse", "published")


class RunError(Exception):
    """The run cannot start; the message says what to do."""


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    from_day: date | None = None
    to_day: date | None = None
    rebuild: str | None = None
    wait: bool = True
    models: bool = True


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not pass, with the worst rows it found."""

    name: str
    asset: str
    message: str
    is_blocking: bool
    worst_rows: Sequence[Mapping[str, Any]]


@dataclass
class RunSummary:
    """What a run leaves behind, for people."""

    run_id: str
    log: str
    succeeded: bool = False
    error: str | None = None
    checks_passed: int = 0
    failed_checks: list[FailedCheck] = field(default_factory=list)
    span: tuple[date, date] | None = None
    quarantined: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    failed_files: list[tuple[str, str]] = field(default_factory=list)
    published: Version | None = None
    database: str = ""


def log_file(layout: Layout) -> Path:
    """Where everything a run prints goes: Dagster, dbt and libraries are not for the terminal."""
    return home(layout) / "logs" / "fullhouse.log"


def run_lake(
    layout: Layout, request: Request, progress: Progress, *, fill: Callable[[], None] | None = None
) -> RunSummary:
    """Read, build, audit and publish; returns what became of it, also when it failed. Does nothing when nothing is new.

    `fill` is called when landing/ is empty. Raises RunError when there is nothing to run on, LakeBusy when another
    process writes the lake and the request does not wait.
    """
    run_id = str(uuid.uuid4())
    hold(layout, run_id, wait=request.wait, on_wait=progress.notice)
    prepare(layout)
    if request.rebuild:
        refuse_to_lose(layout, request.rebuild)
        forget(layout, request.rebuild)
    if fill and not any(landing.landing_files(layout)):
        fill()
    if not any(landing.landing_files(layout)) and planning.observed(layout) is None:
        advice = "add exports with 'fullhouse add FILE...', or try 'fullhouse run --sample-if-empty'"
        raise RunError(f"landing/ is empty: {advice}")
    parse_models(progress)
    summary = RunSummary(run_id, str(log_file(layout)))
    if is_up_to_date(layout, request):
        progress.notice("nothing has changed since the last run")
        summary.succeeded = True
        _describe(layout, summary)
        return summary
    _execute(layout, request, progress, summary)
    _describe(layout, summary)
    if not summary.succeeded:
        message = summary.error or "; ".join(f"{c.name} on {c.asset}" for c in summary.failed_checks if c.is_blocking)
        problem = record(layout, Alert.now(layout, run_id, "fullhouse run", message))
        if problem:
            progress.notice(f"the alert is in {layout.alerts}, but could not be posted: {problem}")
    return summary


def refuse_to_lose(layout: Layout, zone: str) -> None:
    """Raise RunError when making raw/ again would lose the rows of files that are no longer in landing/."""
    gone = landing.missing_files(layout) if zone == "raw" else []
    if gone:
        raise RunError(
            f"raw/ holds rows of {len(gone):,} {'file' if len(gone) == 1 else 'files'} that landing/ no longer has "
            f"({gone[0]}{', ...' if len(gone) > 1 else ''}); making it again would lose them: put the files back, or "
            f"delete {layout.raw} yourself to go on without them"
        )


def forget(layout: Layout, zone: str) -> None:
    """Delete what a zone was made of, so that the run makes it again from the zone before.

    What is published stays until the new version replaces it: without a warehouse every file of it is written anew.
    """
    layout.warehouse.unlink(missing_ok=True)
    layout.warehouse.with_name(layout.warehouse.name + ".wal").unlink(missing_ok=True)
    if zone == "raw":
        for folder in (layout.raw, layout.quarantine):
            shutil.rmtree(folder, ignore_errors=True)


def parse_models(progress: Progress) -> None:
    """Make the dbt manifest again when a model is newer than it. Raises RunError with dbt's words when one is wrong."""
    if not is_stale():
        return
    progress.advance(steps.MODELS, 0.0)
    # Said outright: a dbt environment of the person's own must not redirect ours.
    own = {"DBT_PROJECT_DIR": PROJECT, "DBT_PROFILES_DIR": PROJECT, "DBT_TARGET_PATH": MANIFEST.parent}
    environment = {**os.environ, **{name: str(path) for name, path in own.items()}}
    command = [*DBT, "--no-use-colors", "parse"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(
            f"the models cannot be read; correct them and run again:\n{(done.stdout + done.stderr).strip()[-2000:]}"
        )
    progress.finish(steps.MODELS, "manifest made")


def is_trained(layout: Layout) -> bool:
    """Whether any model was ever trained here: said by the scorecard, without asking MLflow."""
    return any((layout.predictions / "model_versions").glob("as_of_date=[12]*/*.parquet"))


def is_up_to_date(layout: Layout, request: Request) -> bool:
    """Whether a run would end in the tables that are published: no file and no day is new, no model changed, and the
    insights, where they are asked for, are of these marts."""
    if any(landing.new_files(layout)):
        return False
    todo = planning.plan(layout, fingerprint(), from_day=request.from_day, to_day=request.to_day)
    if todo is None or not todo.is_empty or not is_current(layout):
        return False
    shown = current_version(layout)
    assert shown is not None, "is_current has just seen it"
    return shown.as_of == todo.as_of and (shown.is_scored or not request.models)


def _execute(layout: Layout, request: Request, progress: Progress, summary: RunSummary) -> None:
    progress.advance(START, 0.0)
    # Here and not above: Dagster and dbt take seconds to import, which `fullhouse status` must not pay.
    import dagster as dg

    from orchestration.definitions import build_definitions
    from orchestration.jobs import DAILY_LAKE
    from orchestration.partitions import Window, run_tags
    from orchestration.resources import LakeResource
    from orchestration.selection import lake_selection

    told = dg.ResourceDefinition.hardcoded_resource(progress)
    definitions = build_definitions({"lake": LakeResource(root=str(layout.root)), "progress": told})
    wanted = lake_selection(layout, definitions.resolve_asset_graph().executable_asset_keys)
    insights = {table.name for table in insight_tables(load_manifest())}
    untrained = request.models and not is_trained(layout)
    if untrained or not request.models:
        wanted = [key for key in wanted if not needs_scores(key.path, insights)]
    window = Window(request.from_day, request.to_day)
    with dg.DagsterInstance.get() as instance:
        bury_the_dead(instance)
        progress.finish(START)

        def run(name: str, run_id: str, tags: Mapping[str, str], **asked: Any) -> Any:
            return definitions.resolve_job_def(name).execute_in_process(
                instance=instance,
                run_id=run_id,
                raise_on_error=False,
                tags={**tags, COMMAND_LINE: str(os.getpid())},
                **asked,
            )

        tags = run_tags(layout, fingerprint(), window)
        _note(summary, run(DAILY_LAKE, summary.run_id, tags, asset_selection=wanted))
        if untrained and summary.succeeded:
            # Models read what is published: the first ones are trained and scored once there is something.
            _train_first(layout, summary, run)


def _note(summary: RunSummary, result: Any) -> None:
    import dagster as dg

    summary.succeeded = result.success
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            _note_check(summary, event.asset_check_evaluation_data)
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE and summary.error is None:
            summary.error = _why(event.step_failure_data)


def _train_first(layout: Layout, summary: RunSummary, run: Callable[..., Any]) -> None:
    """Train at two past cut-offs, so that the scorecard holds outcomes, then score those days and the latest.

    A challenger that the gate refuses is a warning here: what it would have replaced is still served.
    """
    from ml.published import Published
    from ml.questions import first_cut_offs
    from orchestration.jobs import DAILY_SCORING, WEEKLY_TRAINING
    from orchestration.partitions import Window, run_tags

    with Published(layout) as published:
        last_day = published.last_eventful_day
    errors = []
    for monday in first_cut_offs(last_day):
        trained = RunSummary(str(uuid.uuid4()), summary.log)
        _note(trained, run(WEEKLY_TRAINING, trained.run_id, {}, partition_key=monday.isoformat()))
        summary.checks_passed += trained.checks_passed
        summary.failed_checks += [replace(check, is_blocking=False) for check in trained.failed_checks]
        errors += [trained.error] if trained.error else []
    _note(summary, run(DAILY_SCORING, str(uuid.uuid4()), run_tags(layout, fingerprint(), Window())))
    if errors:
        # A question that failed leaves the others trained and scored, and the run failed.
        summary.succeeded, summary.error = False, "; ".join(dict.fromkeys(errors))


def needs_scores(path: Sequence[str], insights: Collection[str]) -> bool:
    """Whether an asset is made from scores: predictions, the insight marts, and their published tables."""
    return path[0] in ("predictions", INSIGHTS) or (path[0] == "published" and path[1] in insights)


def bury_the_dead(instance: Any) -> None:
    """Mark runs whose process was killed as failed; Dagster would count them as active forever.

    Only with the lake's lock held: a run of the command line takes it before it starts.
    """
    import dagster as dg

    alive = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    for run in instance.get_runs(dg.RunsFilter(statuses=alive)):
        if COMMAND_LINE in run.tags:
            instance.report_run_failed(run, "the process of this run ended without a word: it was killed")


def _note_check(summary: RunSummary, check: Any) -> None:
    if check.passed:
        summary.checks_passed += 1
        return
    metadata = check.metadata
    rows = [dict(record.data) for record in metadata["worst_rows"].records] if "worst_rows" in metadata else []
    message = str(metadata["message"].value) if "message" in metadata else _counts(metadata)
    is_blocking = check.severity.value == "ERROR"
    asset = check.asset_key.to_user_string()
    summary.failed_checks.append(FailedCheck(check.check_name, asset, message, is_blocking, rows))


def _counts(metadata: Mapping[str, Any]) -> str:
    numbers = {name: found.value for name, found in metadata.items() if isinstance(found.value, int)}
    return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in numbers.items())


def _why(failure: Any) -> str | None:
    """The reason of a failed step in one paragraph; None when a check says it better."""
    said = failure.user_failure_data
    if said and said.description:
        return str(said.description)
    error = failure.error
    while error.cause:
        error = error.cause
    if error.cls_name == "DagsterAssetCheckFailedError":
        return None
    return str(error.message).strip()


def _describe(layout: Layout, summary: RunSummary) -> None:
    for entry in landing.entries(layout).values():
        for entity, reasons in entry.quarantined.items():
            for reason, count in reasons.items():
                summary.quarantined[entry.source, entity, reason] += count
        if entry.error:
            summary.failed_files.append((f"{entry.source}/{entry.name}", entry.error))
        elif entry.problem_count:
            first = f"{entry.problem_count:,} parts, first: {entry.problems[0]['reason']}"
            summary.failed_files.append((f"{entry.source}/{entry.name}", first))
    summary.span = planning.observed(layout)
    summary.published = current_version(layout)
    summary.database = str(layout.current / DATABASE)
