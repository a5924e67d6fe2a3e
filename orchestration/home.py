"""Where Dagster keeps its runs, and the environment that every process of ours shares.

DAGSTER_HOME is the person's own when set, else LAKE_ROOT/dagster, so that the UI shows what the command line ran.
"""

from __future__ import annotations

import os
from pathlib import Path

from data_lake.files import replace_file
from data_lake.layout import Layout
from orchestration.project import REPOSITORY

CONFIG = "dagster.yaml"
NAMED_BEFORE = b"orchestration.event_log"

QUIET = {
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


# What `prepare` set DAGSTER_HOME to; any other value is the person's choice.
_prepared: str | None = None


def home(layout: Layout) -> Path:
    """DAGSTER_HOME as it is or would be set."""
    chosen = os.environ.get("DAGSTER_HOME")
    return Path(chosen).expanduser().resolve() if chosen and chosen != _prepared else layout.dagster


def log_file(layout: Layout) -> Path:
    """Where everything a run prints goes: Dagster, dbt and libraries are not for the terminal."""
    return home(layout) / "logs" / "fullhouse.log"


def prepare(layout: Layout) -> Path:
    """Make DAGSTER_HOME with our dagster.yaml and set the environment of this process and its children.

    A dagster.yaml in a home the person chose is theirs and stays, unless it is a copy of ours that names a class which
    is gone; in the lake it follows the repository's.
    """
    global _prepared
    folder = home(layout)
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / CONFIG
    if folder == layout.dagster or not config.exists() or NAMED_BEFORE in config.read_bytes():
        replace_file(config, (REPOSITORY / CONFIG).read_bytes())
    os.environ.update(QUIET)
    if folder == layout.dagster:
        _prepared = str(folder)
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ["LAKE_ROOT"] = str(layout.root)
    return folder
