"""Which version may score which day, who becomes champion, and what a model file may hold. One small MLflow store."""

from __future__ import annotations

import io
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import date
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import skops.io
from mlflow.exceptions import MlflowException
from sklearn.linear_model import Ridge

from data_lake.layout import Layout
from ml import predictions, serving
from ml.adoption import renamed
from ml.patches import PLACES, point_at_artifacts
from ml.questions.forecast.fit import TRUSTED as FORECAST_TYPES
from ml.questions.forecast.fit import Forecaster
from ml.tracking import Registry
from tests.model.conftest import ROWS, Store


def test_a_day_is_scored_by_the_newest_version_that_passed_and_ends_by_then(store: Store) -> None:
    first = store.version(date(2026, 3, 2), passed=True)
    store.version(date(2026, 4, 6), passed=False)
    third = store.version(date(2026, 5, 4), passed=True)
    chosen = {
        day: serving.version_for(store.layout, "toy", day)
        for day in (date(2026, 3, 1), date(2026, 3, 2), date(2026, 5, 3), date(2026, 6, 1))
    }
    assert chosen[date(2026, 3, 1)] is None
    assert chosen[date(2026, 3, 2)].version == first.version  # type: ignore[union-attr]
    assert chosen[date(2026, 5, 3)].version == first.version  # type: ignore[union-attr]
    assert chosen[date(2026, 6, 1)].version == third.version  # type: ignore[union-attr]


def test_only_who_passed_becomes_champion_and_an_older_one_never_again(store: Store) -> None:
    old = store.version(date(2026, 1, 5), passed=True, question="race")
    new = store.version(date(2026, 2, 2), passed=True, question="race")
    refused = store.version(date(2026, 3, 2), passed=False, question="race")
    assert store.registry.promote(new)
    assert not store.registry.promote(refused)
    assert not store.registry.promote(old)
    assert store.registry.champion("race").version == new.version  # type: ignore[union-attr]


def test_a_model_comes_back_as_it_was_and_no_file_is_pickle(store: Store) -> None:
    made = store.version(date(2026, 1, 5), passed=True, question="kept")
    served = store.load(made)
    assert served.metadata == {"k": 1}
    assert np.allclose(served.model.predict(ROWS), Ridge().fit(ROWS, ROWS["x"] * 2).predict(ROWS))
    files = [p for p in store.layout.tracking.parent.rglob("*") if p.is_file()]
    assert any(p.suffix == ".skops" for p in files)
    assert not any(p.suffix in {".pkl", ".pickle", ".joblib"} for p in files)


def test_every_question_keeps_its_files_in_the_lake_however_often_a_store_is_opened(store: Store) -> None:
    again = Store(store.layout, Registry(store.layout))
    made = again.version(date(2026, 1, 5), passed=True, question="second")
    place = Path(again.registry.client.get_run(made.run_id).info.artifact_uri)
    assert place.is_relative_to(store.layout.artifacts)


def test_experiments_open_as_trained_models_and_none_points_out_of_the_lake(store: Store) -> None:
    made = store.version(date(2026, 1, 5), passed=True, question="shown")
    client = store.registry.client
    experiment = client.get_run(made.run_id).info.experiment_id
    client.delete_experiment_tag(experiment, "mlflow.experimentKind")  # as in a store from before it was set
    store.version(date(2026, 1, 12), passed=True, question="shown")
    assert client.get_experiment(experiment).tags["mlflow.experimentKind"] == "custom_model_development"
    places = {one.name: one.artifact_location for one in client.search_experiments()}
    assert "Default" in places
    assert [name for name, place in places.items() if not Path(place).is_relative_to(store.layout.artifacts)] == []


def test_a_store_of_the_persons_own_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = f"sqlite:///{tmp_path / 'own.db'}"
    before = mlflow.get_tracking_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", own)
    try:
        assert Registry(Layout(tmp_path / "lake")).uri == own
        assert not (tmp_path / "lake").exists()
    finally:
        mlflow.set_tracking_uri(before)
        mlflow.set_registry_uri(before)


def test_a_run_says_commit_signature_and_example(store: Store) -> None:
    made = store.version(date(2026, 1, 5), passed=True, question="told")
    assert store.registry.client.get_run(made.run_id).data.tags["git_commit"]
    info = mlflow.models.get_model_info("models:/told/1")
    assert info.signature is not None
    assert info.saved_input_example_info is not None


def test_a_moved_lake_scores_at_once_and_mlflow_finds_its_files_after_a_repair(store: Store, tmp_path: Path) -> None:
    version = store.version(date(2026, 3, 2), passed=True)
    away, moved = Layout(tmp_path / "a lake"), Layout(tmp_path / "moved")
    shutil.copytree(store.layout.root, away.root)
    assert point_at_artifacts(away) > 0
    away.root.rename(moved.root)
    assert len(serving.load(moved, version, []).model.predict(ROWS)) == len(ROWS)
    with pytest.raises((OSError, MlflowException)):
        Registry(moved).files(version)
    assert point_at_artifacts(moved) > 0
    assert Registry(moved).files(version)[1]["k"] == 1
    # where nothing moved there is nothing to do
    assert point_at_artifacts(moved) == 0
    Registry(store.layout)  # the other tests' store is the one in use again


def test_mlflow_keeps_absolute_paths_where_the_repair_looks_for_them(store: Store) -> None:
    store.version(date(2026, 3, 2), passed=True, question="paths")
    with closing(sqlite3.connect(store.layout.tracking)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        columns = {(t, row[1]) for t in tables for row in database.execute(f'pragma table_info("{t}")')}
        found = {
            (table, column)
            for table, column in columns
            if database.execute(
                f'select count(*) from "{table}" where instr("{column}", ?)', [str(store.layout.artifacts)]
            ).fetchone()[0]
        }
    assert found == set(PLACES), "MLflow keeps its paths elsewhere than ml/patches.py rewrites"


def test_versions_of_a_lake_from_before_releases_serve_on(store: Store) -> None:
    version = store.version(date(2026, 3, 2), passed=True, question="older")
    store.version(date(2026, 3, 9), passed=False, question="older")
    shutil.rmtree(store.layout.releases("older"))
    assert serving.version_for(store.layout, "older", date(2026, 3, 20)) == version
    assert store.load(version).metadata == {"k": 1}


def test_model_files_of_questions_from_before_they_had_a_folder_are_read() -> None:
    written = skops.io.dumps(Forecaster({"s": ["theta"]}, {}))
    old = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written)) as new, zipfile.ZipFile(old, "w") as before:
        for entry in new.infolist():
            before.writestr(entry, new.read(entry).replace(b"ml.questions.forecast", b"ml.forecast"))
    assert skops.io.get_untrusted_types(data=old.getvalue()) == ["ml.forecast.fit.Forecaster"]
    model = skops.io.loads(renamed(old.getvalue()), trusted=FORECAST_TYPES)
    assert model.winners == {"s": ["theta"]}


def test_scoring_asks_nothing_of_mlflow(store: Store) -> None:
    store.version(date(2026, 3, 2), passed=True, question="served")
    code = """
import sys
from datetime import date
from pathlib import Path
from data_lake.layout import Layout
from ml import scoring, serving
from ml.questions import QUESTIONS
[question.scorer() for question in QUESTIONS.values()]
lake = Layout(Path(sys.argv[1]))
serving.load(lake, serving.version_for(lake, "served", date(2026, 4, 1)), [])
print(sorted({"mlflow", "matplotlib", "prophet", "great_expectations"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.layout.root)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_prediction_file_is_replaced_whole_and_needs_its_key(tmp_path: Path) -> None:
    layout, day = Layout(tmp_path), date(2026, 1, 5)
    row = {
        "model_name": "churn",
        "model_version": "1",
        "run_id": "r",
        "feature": "f",
        "stability_index": 0.1,
        "drift_level": "ok",
        "row_count": 3,
    }
    assert predictions.write(layout, "model_drift", day, "churn", pd.DataFrame([row]))
    assert not predictions.write(layout, "model_drift", day, "churn", pd.DataFrame([row]))
    assert list(predictions.days(layout, "model_drift", "churn")) == [day]
    assert predictions.read(layout, "model_drift", day, "churn")["as_of_date"].tolist() == [day]
    with pytest.raises(ValueError, match="repeat a key"):
        predictions.write(layout, "model_drift", day, "churn", pd.DataFrame([row, row]))
    assert predictions.write(layout, "model_drift", day, "churn", pd.DataFrame())
    assert list(predictions.days(layout, "model_drift", "churn")) == []
