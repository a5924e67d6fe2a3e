"""What assets are given: the lake, dbt, the run's plan, and somebody to tell about progress.

Making a resource touches nothing; LAKE_ROOT is read when a step starts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from data_lake.layout import Layout
from orchestration.dbt import Dbt
from orchestration.holding import hold
from orchestration.plans import Plans
from orchestration.progress import Progress, Silent

# How long a step waits for the dbt of a killed run to notice that its parent is gone.
WAREHOUSE_PATIENCE_SECONDS = 20.0


class LakeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The lake at `root`, or the one LAKE_ROOT names."""

    root: str | None = None

    @property
    def layout(self) -> Layout:
        return Layout(Path(self.root)) if self.root else Layout.from_env()

    def hold(self, run_id: str, progress: Progress) -> Layout:
        """Take the lake's lock until this process ends, at a run's first writing step; waits for another run."""
        hold(self.layout, run_id, on_wait=progress.notice)
        return self.layout

    @contextmanager
    def warehouse(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, in UTC: only while no dbt has it open."""
        with DuckDBResource(database=str(self.layout.warehouse)).get_connection() as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection

    def wait_for_warehouse(self) -> None:
        """Return once no other process has the warehouse open. Raises dg.Failure naming the one that keeps it open."""
        if not self.layout.warehouse.exists():
            return
        patience = time.monotonic() + WAREHOUSE_PATIENCE_SECONDS
        while True:
            try:
                duckdb.connect(str(self.layout.warehouse)).close()
                return
            except duckdb.IOException as error:
                if "lock" not in str(error) or time.monotonic() > patience:
                    raise dg.Failure(f"the warehouse cannot be opened; close whatever reads it: {error}") from error
                time.sleep(0.2)


def default_resources() -> dict[str, Any]:
    """The resources of every run but the command line's and the tests'."""
    return {
        "lake": LakeResource(),
        "dbt": dg.ResourceDefinition.hardcoded_resource(Dbt()),
        "plans": dg.ResourceDefinition.hardcoded_resource(Plans()),
        "progress": dg.ResourceDefinition.hardcoded_resource(Silent()),
    }
