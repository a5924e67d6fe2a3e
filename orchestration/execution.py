"""Dagster runs in this process, as the command line asks for them, one after another.

The only module of the command line that imports Dagster and the definitions, which takes seconds: it is imported once
there is something to run.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import dagster as dg

from data_lake.landing import LandingFile
from data_lake.layout import Layout
from orchestration.dbt import Dbt
from orchestration.dead_runs import COMMAND_LINE, fail_dead_runs
from orchestration.definitions import build_definitions
from orchestration.graph import insights, names
from orchestration.jobs import DAILY_LAKE, DAILY_SCORING, WEEKLY_TRAINING
from orchestration.partitions import run_tags
from orchestration.plans import Plans, planned_days
from orchestration.progress import Progress
from orchestration.project import load_manifest
from orchestration.resources import LakeResource
from orchestration.run_summary import EventSummary, summarize
from orchestration.selection import (
    BUILD,
    READ,
    STAGE,
    assets_to_build,
    assets_to_read,
    checks_to_run,
    needs_scores,
)
from orchestration.stated_days import stated_days
from orchestration.window import PARTITION, Window
from orchestration.work import Work, entities_to_judge


class Runs:
    """The Dagster runs of one run of the command line; each returns its events in short, and whether it succeeded."""

    def __init__(self, layout: Layout, progress: Progress, dbt: Dbt, instance: dg.DagsterInstance) -> None:
        self._layout, self._instance, self._plans = layout, instance, Plans()
        self._manifest = load_manifest()
        resources = {"progress": progress, "dbt": dbt, "plans": self._plans}
        given = {name: dg.ResourceDefinition.hardcoded_resource(value) for name, value in resources.items()}
        self._definitions = build_definitions({"lake": LakeResource(root=str(layout.root)), **given}, self._manifest)
        self._graph = self._definitions.resolve_asset_graph()

    def read(self, run_id: str, files: Sequence[LandingFile]) -> tuple[EventSummary, bool]:
        """Read the sources of these new files."""
        assets = assets_to_read(self._graph.executable_asset_keys, files)
        tags = {**run_tags(stated_days(self._layout, files)), STAGE: READ}
        return self._run(DAILY_LAKE, run_id, tags, assets, None)

    def build(self, run_id: str, work: Work, window: Window, *, with_scores: bool) -> tuple[EventSummary, bool]:
        """Build, audit and publish what the plan concerns, and score it."""
        self._plans.use(work.todo)
        assets = assets_to_build(self._graph.executable_asset_keys, self._manifest, work)
        if not with_scores:
            scored = names(self._manifest, insights(self._manifest))
            assets = [key for key in assets if not needs_scores(key.path, scored)]
        tags = {**run_tags(planned_days(work.todo), window), STAGE: BUILD}
        return self._run(DAILY_LAKE, run_id, tags, assets, entities_to_judge(work.todo))

    def train(self, monday: date, questions: Collection[str] = ()) -> tuple[EventSummary, bool]:
        """Train these questions as of a Monday, by default every one."""
        assets = [dg.AssetKey(["models", question]) for question in questions]
        return self._run(WEEKLY_TRAINING, str(uuid.uuid4()), {PARTITION: monday.isoformat()}, assets, None)

    def score(self, work: Work) -> tuple[EventSummary, bool]:
        """Score what is published, and publish what is made from scores."""
        return self._run(DAILY_SCORING, str(uuid.uuid4()), run_tags(planned_days(work.todo)), (), None)

    def _run(
        self,
        job_name: str,
        run_id: str,
        tags: Mapping[str, str],
        assets: Collection[dg.AssetKey],
        entities: Collection[str] | None,
    ) -> tuple[EventSummary, bool]:
        """Run a job, or these assets of it with the checks that concern the entities."""
        job: Any = self._definitions.resolve_job_def(job_name)
        if assets:
            checks = checks_to_run(self._graph.asset_check_keys, assets, entities)
            job = job.get_subset(asset_selection=set(assets), asset_check_selection=checks)
        result = job.execute_in_process(
            instance=self._instance,
            run_id=run_id,
            raise_on_error=False,
            tags={**tags, COMMAND_LINE: str(os.getpid())},
        )
        return summarize(result.all_events), result.success


@contextmanager
def dagster_runs(layout: Layout, progress: Progress, dbt: Dbt) -> Iterator[Runs]:
    """Runs on the instance of this lake; those of killed processes are marked as failed first."""
    with dg.DagsterInstance.get() as instance:
        fail_dead_runs(instance)
        yield Runs(layout, progress, dbt, instance)
