"""The patches of MLflow: its store is pointed at the artifacts of the lake, and after a move at where they lie now.

MLflow keeps absolute paths and has no command for this. Tables and columns are those of its SQLite store (mlflow 3);
tests/model/test_registry.py fails when a version of MLflow keeps paths elsewhere, and names where. A store that
MLFLOW_TRACKING_URI names is its owner's and stays. Scoring needs none of it: releases lie at relative places.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from data_lake.layout import Layout

# (table, column) of every absolute path in the store.
PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def point_at_artifacts(layout: Layout) -> int:
    """Point the lake's own store at the artifacts where they lie now; returns how many paths were wrong."""
    if not layout.tracking.exists():
        return 0
    wrong = 0
    with closing(sqlite3.connect(layout.tracking)) as store, store:
        experiments = store.execute("select name, artifact_location from experiments").fetchall()
        # Every experiment of ours lies in a folder of its name, beside the others.
        before = {place.removesuffix(f"/{name}") for name, place in experiments if place.endswith(f"/{name}")}
        for old in sorted(before - {str(layout.artifacts)}):
            for table, column in PLACES:
                rewritten = store.execute(
                    f"update {table} set {column} = ? || substr({column}, ?) where substr({column}, 1, ?) = ?",
                    (str(layout.artifacts), len(old) + 1, len(old) + 1, f"{old}/"),
                )
                wrong += rewritten.rowcount
    return wrong


def place_default(layout: Layout) -> None:
    """Put the experiment Default, which MLflow makes in the working directory and we do not use, into the lake."""
    with closing(sqlite3.connect(layout.tracking)) as store, store:
        place = f"{layout.artifacts}/Default"
        unused = "name = 'Default' and experiment_id not in (select experiment_id from runs)"
        store.execute(f"update experiments set artifact_location = ? where {unused}", [place])
