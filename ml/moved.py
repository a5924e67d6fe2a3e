"""After a lake was moved: its MLflow store holds the absolute paths of artifacts, and they are somewhere else now.

MLflow has no command for this; the tables and columns are those of its SQLite store (mlflow 3, `mlflow.store.tracking.
dbmodels` and `mlflow.store.model_registry.dbmodels`). A store that MLFLOW_TRACKING_URI names is its owner's and stays.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from data_lake.layout import Layout

PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def repair(layout: Layout) -> int:
    """Point the lake's own store at the artifacts where they lie now; returns how many paths were wrong."""
    if not layout.tracking.exists():
        return 0
    wrong = 0
    with closing(sqlite3.connect(layout.tracking)) as store, store:
        known = store.execute("select name, artifact_location from experiments").fetchall()
        # Every experiment of ours lies in a folder of its name, beside the others.
        before = {place.removesuffix(f"/{name}") for name, place in known if place.endswith(f"/{name}")}
        for old in sorted(before - {str(layout.artifacts)}):
            for table, column in PLACES:
                rewritten = store.execute(
                    f"update {table} set {column} = ? || substr({column}, ?) where substr({column}, 1, ?) = ?",
                    (str(layout.artifacts), len(old) + 1, len(old) + 1, f"{old}/"),
                )
                wrong += rewritten.rowcount
    return wrong
