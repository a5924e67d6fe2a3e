"""One run from the command line, in this process, with the lake's lock held throughout.

It reads what is new, plans once, builds and publishes what that changed, and scores; the first run trains the models.
Imports Dagster only when it runs. How progress and outcome look is `terminal`'s matter.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from data_lake import landing
from data_lake.layout import Layout
from data_lake.planning import observed
from orchestration.alerts import Alert, record
from orchestration.dbt import Dbt
from orchestration.holding import hold
from orchestration.home import log_file, prepare
from orchestration.progress import Progress
from orchestration.project import load_manifest
from orchestration.rebuilding import RunError, forget, parse_models, refuse_to_lose
from orchestration.run_summary import RunSummary, describe_lake, trained_as_of
from orchestration.window import Window
from orchestration.work import Work, find_work

if TYPE_CHECKING:
    from orchestration.execution import Runs

START = "start"


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    from_day: date | None = None
    to_day: date | None = None
    rebuild: str | None = None
    wait: bool = True
    models: bool = True


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
    if not any(landing.landing_files(layout)) and observed(layout) is None:
        advice = "add exports with 'fullhouse add FILE...', or try 'fullhouse run --sample-if-empty'"
        raise RunError(f"landing/ is empty: {advice}")
    parse_models(progress)
    summary = RunSummary(run_id, str(log_file(layout)))
    _work(layout, request, progress, summary)
    describe_lake(layout, summary)
    if not summary.succeeded:
        problem = record(layout, Alert.now(layout, run_id, "fullhouse run", summary.reason))
        if problem:
            progress.notice(f"the alert is in {layout.alerts}, but could not be posted: {problem}")
    return summary


def train_lake(layout: Layout, progress: Progress, questions: Collection[str], as_of: date | None) -> RunSummary:
    """Train these questions (none: every one) as of the last Monday up to a day, by default the last that anything
    happened on, and score with what passed. Raises PublishError when nothing is published yet."""
    run_id = str(uuid.uuid4())
    hold(layout, run_id, wait=True, on_wait=progress.notice)
    prepare(layout)
    from ml.published import Published

    with Published(layout) as published:
        last_day = min(as_of or published.last_eventful_day, published.last_eventful_day)
    parse_models(progress)
    work = find_work(layout, load_manifest(), Window(None, None))
    if work is None or work.models or not work.is_published:
        raise RunError("the lake is not built and published as it is now: 'fullhouse run' first")
    summary = RunSummary(run_id, str(log_file(layout)))
    progress.advance(START, 0.0)
    dbt = Dbt()
    from orchestration.execution import dagster_runs

    try:
        with dagster_runs(layout, progress, dbt) as runs:
            progress.finish(START)
            summary.add(*runs.train(last_day - timedelta(last_day.weekday()), questions))
            if summary.error is None:
                # A challenger that the gate refused is said; what it would have replaced is served on.
                refused, summary.failed_checks = summary.failed_checks, []
                summary.add(*runs.score(work))
                summary.failed_checks += [replace(check, is_blocking=False) for check in refused]
    finally:
        dbt.stop()
    describe_lake(layout, summary)
    return summary


def _work(layout: Layout, request: Request, progress: Progress, summary: RunSummary) -> None:
    """Do what there is to do."""
    window = Window(request.from_day, request.to_day)
    files = landing.new_files(layout)
    work = None if files else find_work(layout, load_manifest(), window)
    if work and work.is_done(with_scores=request.models):
        progress.notice("nothing has changed since the last run")
        summary.succeeded, summary.span = True, work.todo.observed
        return
    progress.advance(START, 0.0)
    dbt = Dbt()
    dbt.start()  # it loads while Dagster does, and while files are read
    # Here and not above: Dagster takes seconds to import, which `fullhouse status` must not pay.
    from orchestration.execution import dagster_runs

    try:
        with dagster_runs(layout, progress, dbt) as runs:
            progress.finish(START)
            if files:
                summary.add(*runs.read(summary.run_id, files))
                if not summary.succeeded:
                    return
                work = find_work(layout, load_manifest(), window)
            if work is None:
                summary.succeeded, summary.error = False, "raw/ holds no rows: add exports with 'fullhouse add FILE...'"
                return
            _build(layout, request, runs, summary, work, window, has_read=bool(files))
    finally:
        dbt.stop()


def _build(
    layout: Layout, request: Request, runs: Runs, summary: RunSummary, work: Work, window: Window, *, has_read: bool
) -> None:
    if work.is_done(with_scores=request.models):
        return
    untrained = request.models and not trained_as_of(layout)
    # A Dagster run that has read already has the first id.
    run_id = str(uuid.uuid4()) if has_read else summary.run_id
    summary.add(*runs.build(run_id, work, window, with_scores=request.models and not untrained))
    if untrained and summary.succeeded:
        # Models read what is published: the first ones are trained and scored once there is something.
        _train_first(layout, runs, summary, work)


def _train_first(layout: Layout, runs: Runs, summary: RunSummary, work: Work) -> None:
    """Train at two past cut-offs, so that the scorecard holds outcomes, then score those days and the latest.

    A challenger that the gate refuses is a warning here: what it would have replaced is still served.
    """
    from ml.published import Published
    from ml.questions import first_cut_offs

    with Published(layout) as published:
        last_day = published.last_eventful_day
    errors = []
    for monday in first_cut_offs(last_day):
        events, _ = runs.train(monday)
        warnings = tuple(replace(check, is_blocking=False) for check in events.failed_checks)
        summary.add(replace(events, failed_checks=warnings), events.error is None)
        errors += [events.error] if events.error else []
    summary.add(*runs.score(work))
    if errors:
        # A question that failed leaves the others trained and scored, and the run failed.
        summary.succeeded, summary.error = False, "; ".join(dict.fromkeys(errors))
