"""Which version may score which day, who becomes champion, and what a model file may hold. One small MLflow store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from sklearn.linear_model import Ridge

from data_lake.layout import Layout
from data_lake.publish import Version
from ml import predictions
from ml.moved import repair
from ml.published import Published
from ml.questions.churn import dataset
from ml.questions.next_stream import score as next_score
from ml.splits import SplitError, Window
from ml.tracking import Registry, Trained

ROWS = pd.DataFrame({"x": np.arange(10.0)})


@dataclass
class Store:
    layout: Layout
    registry: Registry

    def version(self, as_of: date, *, passed: bool, family: str = "toy") -> Trained:
        model = Ridge().fit(ROWS, ROWS["x"] * 2)
        with self.registry.run(family, "toy", {}, {"a": 1}):
            made = self.registry.register(
                family,
                model,
                ROWS.head(2),
                as_of=as_of,
                data_end=as_of + timedelta(1),
                trusted=[],
                metadata={"k": 1},
                tags={},
            )
            return self.registry.conclude(made, passed=passed, message="said so")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    layout = Layout(tmp_path_factory.mktemp("lake"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield Store(layout, Registry(layout))


def test_a_day_is_scored_by_the_newest_version_that_passed_and_ends_by_then(store: Store) -> None:
    first = store.version(date(2026, 3, 2), passed=True)
    store.version(date(2026, 4, 6), passed=False)
    third = store.version(date(2026, 5, 4), passed=True)
    chosen = {
        day: store.registry.version_for("toy", day)
        for day in (date(2026, 3, 1), date(2026, 3, 2), date(2026, 5, 3), date(2026, 6, 1))
    }
    assert chosen[date(2026, 3, 1)] is None
    assert chosen[date(2026, 3, 2)].version == first.version  # type: ignore[union-attr]
    assert chosen[date(2026, 5, 3)].version == first.version  # type: ignore[union-attr]
    assert chosen[date(2026, 6, 1)].version == third.version  # type: ignore[union-attr]


def test_only_who_passed_becomes_champion_and_an_older_one_never_again(store: Store) -> None:
    old = store.version(date(2026, 1, 5), passed=True, family="race")
    new = store.version(date(2026, 2, 2), passed=True, family="race")
    refused = store.version(date(2026, 3, 2), passed=False, family="race")
    assert store.registry.promote(new)
    assert not store.registry.promote(refused)
    assert not store.registry.promote(old)
    assert store.registry.champion("race").version == new.version  # type: ignore[union-attr]


def test_a_model_comes_back_as_it_was_and_no_file_is_pickle(store: Store) -> None:
    made = store.version(date(2026, 1, 5), passed=True, family="kept")
    model, metadata = store.registry.load(made, [])
    assert metadata == {"k": 1}
    assert np.allclose(model.predict(ROWS), Ridge().fit(ROWS, ROWS["x"] * 2).predict(ROWS))
    files = [p for p in store.layout.tracking.parent.rglob("*") if p.is_file()]
    assert any(p.suffix == ".skops" for p in files)
    assert not any(p.suffix in {".pkl", ".pickle", ".joblib"} for p in files)


def test_every_family_keeps_its_files_in_the_lake_however_often_a_store_is_opened(store: Store) -> None:
    again = Store(store.layout, Registry(store.layout))
    made = again.version(date(2026, 1, 5), passed=True, family="second")
    place = Path(again.registry.client.get_run(made.run_id).info.artifact_uri)
    assert place.is_relative_to(store.layout.artifacts)


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
    made = store.version(date(2026, 1, 5), passed=True, family="told")
    assert store.registry.client.get_run(made.run_id).data.tags["git_commit"]
    info = mlflow.models.get_model_info("models:/told/1")
    assert info.signature is not None
    assert info.saved_input_example_info is not None


def test_the_models_of_a_moved_lake_are_found_after_a_repair(store: Store, tmp_path: Path) -> None:
    trained = store.version(date(2026, 3, 2), passed=True)
    away, there = Layout(tmp_path / "a lake"), Layout(tmp_path / "there")
    shutil.copytree(store.layout.root, away.root)
    assert repair(away) > 0
    away.root.rename(there.root)
    with pytest.raises((OSError, MlflowException)):
        Registry(there).load(trained, [])
    assert repair(there) > 0
    model, metadata = Registry(there).load(trained, [])
    assert (metadata["k"], len(model.predict(ROWS))) == (1, len(ROWS))
    # where nothing moved there is nothing to do
    assert repair(there) == 0
    Registry(store.layout)  # the other tests' store is the one in use again


def test_a_day_without_a_model_gets_no_row_and_says_no_model(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_score, "Published", nullcontext)
    monkeypatch.setattr(next_score.data, "options", lambda *_: ROWS)
    monkeypatch.setattr(next_score.data, "best_durations", lambda *_: ROWS)
    assert next_score.score(store.layout, date(2026, 1, 5)) == {"no_model": 10}
    assert predictions.read(store.layout, "next_streams", date(2026, 1, 5), "next_stream").empty


def published(last_day: date, tables: dict[str, pd.DataFrame]) -> Published:
    made = Published.__new__(Published)
    made.version = Version(1, last_day, pd.Timestamp("2026-01-01").to_pydatetime(), "r")
    made._connection = duckdb.connect()
    for name, rows in tables.items():
        made._connection.register(f"_{name}", rows)
        made._connection.execute(f"create table {name} as from _{name}")
    return made


AS_OF = date(2026, 3, 2)


def small_world(activity: list[tuple[str, int]], streams: int = 5) -> Published:
    """Viewers with activity so many days after AS_OF; so many streams in the label window."""
    features = pd.DataFrame(
        {
            "as_of_date": AS_OF,
            "creator_id": "c",
            "platform": "twitch",
            "viewer_id": ["a", "b", "login:x"],
            "is_churn_eligible": [True, True, True],
            **dict.fromkeys([*dataset.SPEC.columns, dataset.SPEC.visits], 1.0),
        }
    )
    days = pd.DataFrame(
        [
            {"event_date": AS_OF + timedelta(d), "platform": "twitch", "channel_id": "1", "viewer_id": v}
            for v, d in activity
        ]
    )
    on_air = pd.DataFrame(
        {
            "creator_id": "c",
            "platform": "twitch",
            "stream_count": 1,
            "started_at": [pd.Timestamp(AS_OF) + pd.Timedelta(days=9 + n) for n in range(streams)],
        }
    )
    return published(
        date(2026, 6, 1),
        {
            "feat_viewers": features,
            "fct_viewer_days": days,
            "fct_stream_platforms": on_air,
            "dim_channels": pd.DataFrame({"platform": ["twitch"], "channel_id": ["1"], "creator_id": ["c"]}),
            "dim_viewers": pd.DataFrame(
                {"platform": ["twitch", "twitch"], "viewer_id": ["login:x", "7"], "canonical_viewer_id": ["7", "7"]}
            ),
        },
    )


def label(world: Published) -> dict[str, int]:
    rows = dataset.labelled(world, [dataset.window_of(AS_OF)])
    return dict(zip(rows["viewer_id"], rows["churned"], strict=True))


@pytest.mark.parametrize(("day", "churned"), [(7, 1), (8, 0), (35, 0), (36, 1)])
def test_the_label_window_is_the_28_days_after_a_gap_of_7(day: int, churned: int) -> None:
    assert label(small_world([("a", day)]))["a"] == churned


def test_a_viewer_known_by_login_comes_back_under_the_id() -> None:
    assert label(small_world([("7", 10)])) == {"a": 1, "b": 1, "login:x": 0}


def test_nobody_is_labelled_on_a_channel_that_hardly_streamed() -> None:
    assert label(small_world([("a", 10)], streams=3)) == {}


def test_labels_that_are_not_complete_are_refused() -> None:
    with pytest.raises(SplitError, match="after the last observed day"):
        dataset.labelled(small_world([("a", 10)]), [Window(date(2026, 5, 1), 7, 28)])


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
