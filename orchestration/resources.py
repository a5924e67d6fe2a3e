"""What assets are given: the lake, dbt, the warehouse, and somebody to tell about progress.

Making a resource touches nothing; LAKE_ROOT is read when a step starts.
"""

from __future__ import annotations

import importlib.metadata
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliResource
from dagster_duckdb import DuckDBResource
from packaging.version import Version, parse

from data_lake.layout import Layout
from orchestration.holding import hold
from orchestration.progress import Progress, Silent
from orchestration.project import DBT, PROJECT

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


class LakeDbt(DbtCliResource):  # type: ignore[misc]
    """dbt as a child process that dies with its parent, without the preparations this project has no use for.

    The stock resource starts `dbt --version` (which asks PyPI for updates: 3 to 7 s) and builds an adapter in our
    process (1 s) to count rows while dbt holds the warehouse; rows are counted afterwards here, in one go.
    """

    @classmethod
    def of(cls, project: Path = PROJECT) -> LakeDbt:
        executable, *flags = DBT
        # What dbt says in detail is 50 lines a model, a tenth of its time; the SQL it ran lies beside its log.
        flags += ["--log-level-file", "info"]
        return cls(
            project_dir=str(project), profiles_dir=str(project), dbt_executable=executable, global_config_flags=flags
        )

    @cached_property
    def _cli_version(self) -> Version:
        return parse(importlib.metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


def environment(layout: Layout) -> None:
    """Tell a dbt started from this process which lake to build: its profile and sources read LAKE_ROOT."""
    os.environ["LAKE_ROOT"] = str(layout.root)


def default_resources() -> dict[str, Any]:
    """The resources of every run but the command line's and the tests'."""
    return {"lake": LakeResource(), "dbt": LakeDbt.of(), "progress": dg.ResourceDefinition.hardcoded_resource(Silent())}
