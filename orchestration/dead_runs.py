"""Runs whose process was killed: Dagster would count them as active forever."""

from __future__ import annotations

import dagster as dg

# A run of the command line carries its process id: one that is still "started" while we hold the lock is dead.
COMMAND_LINE = "fullhouse/command_line"
ACTIVE = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def fail_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark such runs as failed. Only with the lake's lock held: a run of the command line takes it before it starts."""
    for run in instance.get_runs(dg.RunsFilter(statuses=ACTIVE)):
        if COMMAND_LINE in run.tags:
            instance.report_run_failed(run, "the process of this run ended without a word: it was killed")
