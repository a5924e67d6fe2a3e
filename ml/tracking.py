"""MLflow: where runs go, what every run of ours records, its registered versions, and the champion.

The store is SQLite in the lake unless MLFLOW_TRACKING_URI names another. Models are files of skops: no pickle is
written or read. What is served of them is put down apart (`ml.serving`): only training imports this.
"""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before mlflow is imported, which reads them.
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")

import mlflow
import mlflow.artifacts
import mlflow.models
import mlflow.sklearn
import pandas as pd
from mlflow.entities import model_registry
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient

from data_lake.layout import Layout
from ml.digests import digest
from ml.patches import place_default
from ml.serving import ModelVersion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHAMPION = "champion"
# What an experiment is about, for MLflow's page. Version 3.17 lets the browser's choice go first (orchestration.ui).
TRAINED_MODELS = {"mlflow.experimentKind": "custom_model_development"}
MODEL_FILE = "model.skops"
REPOSITORY = Path(__file__).parents[1]
# It warns for every model that it could not try it out in a server: we do not let MLflow load models.
logging.getLogger("mlflow.models.model").setLevel(logging.ERROR)
REQUIREMENTS = ("scikit-learn", "skops", "pandas", "numpy")


class Registry:
    """The tracking store of a lake."""

    def __init__(self, layout: Layout) -> None:
        chosen = os.environ.get("MLFLOW_TRACKING_URI")
        self.uri = chosen or f"sqlite:///{layout.tracking}"
        self._artifacts = None if chosen else layout.artifacts
        if self._artifacts:
            self._artifacts.mkdir(parents=True, exist_ok=True)
        # Long: the first use of a store makes its tables.
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        if chosen is None:
            # MLflow writes the URI into the environment: the next lake must not take it for a person's choice.
            os.environ.pop("MLFLOW_TRACKING_URI", None)
        self.client = MlflowClient(self.uri, self.uri)
        if self._artifacts:
            place_default(layout)

    def _experiment(self, name: str) -> str:
        experiment = self.client.get_experiment_by_name(name)
        if experiment is None:
            location = str(self._artifacts / name) if self._artifacts else None
            return str(self.client.create_experiment(name, location, TRAINED_MODELS))
        for key, value in TRAINED_MODELS.items():
            if key not in experiment.tags:
                self.client.set_experiment_tag(experiment.experiment_id, key, value)
        return str(experiment.experiment_id)

    @contextmanager
    def run(self, question: str, name: str, tags: Mapping[str, str], parameters: Mapping[str, Any]) -> Iterator[str]:
        """An MLflow run with the git commit among its tags; yields its id. A run left by an error is marked failed."""
        all_tags = {"git_commit": git_commit(), **tags}
        with mlflow.start_run(experiment_id=self._experiment(question), run_name=name, tags=all_tags) as run:
            mlflow.log_params(dict(parameters))
            yield str(run.info.run_id)

    def log_data(self, frame: pd.DataFrame, name: str, context: str) -> str:
        """Name the rows a run used, by the digest of all of them; returns the digest."""
        all_rows = digest(frame)
        # Columns only: the data stay in the lake.
        dataset = mlflow.data.from_pandas(frame.head(1000), name=name, digest=all_rows)  # type: ignore[attr-defined]
        mlflow.log_input(dataset, context=context)
        mlflow.log_param(f"digest_{context}", all_rows)
        return all_rows

    def register(
        self,
        question: str,
        model: Any,
        example: Any,
        *,
        as_of: date,
        data_end: date,
        trusted: Sequence[str],
        metadata: Mapping[str, Any],
        tags: Mapping[str, str],
        predict: str = "predict",
    ) -> ModelVersion:
        """Log the model of the current run and make it the next version of its question.

        `data_end` is the first day after everything it learned from, labels included. Its gate is not yet passed.
        """
        answer = getattr(model, predict)(example)
        info = mlflow.sklearn.log_model(
            model,
            name=question,
            serialization_format="skops",
            skops_trusted_types=list(trusted),
            signature=infer_signature(example, answer),
            input_example=example,
            # Given, not inferred: inferring them takes 11 s.
            pip_requirements=[f"{name}=={installed(name)}" for name in REQUIREMENTS],
            registered_model_name=question,
            pyfunc_predict_fn=predict,
            metadata=dict(metadata),
        )
        number = str(info.registered_model_version)
        all_tags = {"as_of": as_of.isoformat(), "data_end": data_end.isoformat(), "gate": "pending", **tags}
        for key, value in all_tags.items():
            self.client.set_model_version_tag(question, number, key, value)
        return _version(self.client.get_model_version(question, number))

    def conclude(self, version: ModelVersion, *, passed: bool, message: str) -> ModelVersion:
        """Record on a version whether it passed its gate, and why."""
        self.client.set_model_version_tag(version.name, version.version, "gate", "passed" if passed else "failed")
        self.client.set_model_version_tag(version.name, version.version, "gate_message", message[:4900])
        return _version(self.client.get_model_version(version.name, version.version))

    def promote(self, version: ModelVersion) -> bool:
        """Move the champion's alias to a version that passed its gate, unless a later one has it. Nothing else does."""
        if not version.passed:
            return False
        champion = self.champion(version.name)
        if champion and champion.data_end > version.data_end:
            return False
        self.client.set_registered_model_alias(version.name, CHAMPION, version.version)
        return True

    def champion(self, question: str) -> ModelVersion | None:
        """The version with the champion's alias."""
        try:
            return _version(self.client.get_model_version_by_alias(question, CHAMPION))
        except MlflowException:
            return None

    def versions(self, question: str) -> list[ModelVersion]:
        """Every version of a question, passed or refused, oldest first."""
        registered = self.client.search_model_versions(f"name = '{question}'")
        return [_version(v) for v in sorted(registered, key=lambda v: int(v.version)) if "data_end" in v.tags]

    def files(self, version: ModelVersion) -> tuple[bytes, dict[str, Any]]:
        """The model file of a version as it was written, and the metadata it was registered with."""
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{version.name}/{version.version}"))
        metadata = mlflow.models.Model.load(str(folder)).metadata or {}
        return (folder / MODEL_FILE).read_bytes(), metadata


def _version(registered: model_registry.ModelVersion) -> ModelVersion:
    tags = dict(registered.tags)
    return ModelVersion(
        name=registered.name,
        version=str(registered.version),
        run_id=registered.run_id,
        as_of=date.fromisoformat(tags["as_of"]),
        data_end=date.fromisoformat(tags["data_end"]),
        passed=tags.get("gate") == "passed",
        tags=tags,
    )


def log_figures(figures: Mapping[str, Callable[[], Figure]]) -> None:
    """Draw and attach plots to the current run."""
    import matplotlib.pyplot as plt

    for name, draw in figures.items():
        figure = draw()
        mlflow.log_figure(figure, f"plots/{name}.png")
        plt.close(figure)


def git_commit() -> str:
    """The commit the code is at, with '+' when files differ from it; unknown outside a repository."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
