"""MLflow: where runs go, what a run of ours always says, which version may score which day, and the champion.

The store is SQLite in the lake unless MLFLOW_TRACKING_URI names another. Models are files of skops: no pickle is
written or read. What is measured and what a plot shows does not belong here.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

# Before mlflow is imported, which reads them.
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")

import mlflow
import mlflow.artifacts
import mlflow.models
import mlflow.sklearn
import pandas as pd
import skops.io
from matplotlib.figure import Figure
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient

from data_lake.layout import Layout
from ml.published import data_end_of

CHAMPION = "champion"
MODEL_FILE = "model.skops"
REPOSITORY = Path(__file__).parents[1]
# It says of every model that it could not try it out in a server: we do not let MLflow load models.
logging.getLogger("mlflow.models.model").setLevel(logging.ERROR)
REQUIREMENTS = ("scikit-learn", "skops", "pandas", "numpy")


@dataclass(frozen=True)
class Trained:
    """A registered version: what scoring has to know to choose it and to load it."""

    name: str
    version: str
    run_id: str
    as_of: date
    data_end: date
    passed: bool
    tags: Mapping[str, str]


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
            # MLflow writes what it was told into the environment: the next lake must not take it for a person's choice.
            os.environ.pop("MLFLOW_TRACKING_URI", None)
        self.client = MlflowClient(self.uri, self.uri)

    def _experiment(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        if found:
            return str(found.experiment_id)
        place = str(self._artifacts / name) if self._artifacts else None
        return str(self.client.create_experiment(name, artifact_location=place))

    @contextmanager
    def run(self, family: str, name: str, tags: Mapping[str, str], parameters: Mapping[str, Any]) -> Iterator[str]:
        """An MLflow run with what every run of ours says; yields its id. A run left by an error is marked failed."""
        said = {"git_commit": git_commit(), **tags}
        with mlflow.start_run(experiment_id=self._experiment(family), run_name=name, tags=said) as run:
            mlflow.log_params(dict(parameters))
            yield str(run.info.run_id)

    def log_data(self, frame: pd.DataFrame, name: str, context: str) -> str:
        """Name the rows a run used, by the digest of all of them; returns the digest."""
        said = digest(frame)
        # Columns only: the data stay in the lake.
        dataset = mlflow.data.from_pandas(frame.head(1000), name=name, digest=said)  # type: ignore[attr-defined]
        mlflow.log_input(dataset, context=context)
        mlflow.log_param(f"digest_{context}", said)
        return said

    def register(
        self,
        family: str,
        model: Any,
        example: Any,
        *,
        as_of: date,
        data_end: date,
        trusted: Sequence[str],
        metadata: Mapping[str, Any],
        tags: Mapping[str, str],
        predict: str = "predict",
    ) -> Trained:
        """Log the model of the current run and make it the next version of its family.

        `data_end` is the first day after everything it learned from, labels included. Its gate is not yet passed.
        """
        answer = getattr(model, predict)(example)
        info = mlflow.sklearn.log_model(
            model,
            name=family,
            serialization_format="skops",
            skops_trusted_types=list(trusted),
            signature=infer_signature(example, answer),
            input_example=example,
            # Given, not inferred: inferring them takes 11 s.
            pip_requirements=[f"{name}=={installed(name)}" for name in REQUIREMENTS],
            registered_model_name=family,
            pyfunc_predict_fn=predict,
            metadata=dict(metadata),
        )
        number = str(info.registered_model_version)
        said = {"as_of": as_of.isoformat(), "data_end": data_end.isoformat(), "gate": "pending", **tags}
        for key, value in said.items():
            self.client.set_model_version_tag(family, number, key, value)
        return _trained(self.client.get_model_version(family, number))

    def conclude(self, trained: Trained, *, passed: bool, message: str) -> Trained:
        """Write the gate's word on the version."""
        self.client.set_model_version_tag(trained.name, trained.version, "gate", "passed" if passed else "failed")
        self.client.set_model_version_tag(trained.name, trained.version, "gate_message", message[:4900])
        return _trained(self.client.get_model_version(trained.name, trained.version))

    def promote(self, trained: Trained) -> bool:
        """Move the champion's alias to a version that passed its gate, unless a later one has it. Nothing else does."""
        if not trained.passed:
            return False
        champion = self.champion(trained.name)
        if champion and champion.data_end > trained.data_end:
            return False
        self.client.set_registered_model_alias(trained.name, CHAMPION, trained.version)
        return True

    def champion(self, family: str) -> Trained | None:
        """The version with the champion's alias."""
        try:
            return _trained(self.client.get_model_version_by_alias(family, CHAMPION))
        except MlflowException:
            return None

    def versions(self, family: str) -> list[Trained]:
        """Every version of a family, oldest first."""
        found = self.client.search_model_versions(f"name = '{family}'")
        return [_trained(v) for v in sorted(found, key=lambda v: int(v.version)) if "data_end" in v.tags]

    def version_for(self, family: str, as_of: date) -> Trained | None:
        """The newest version that passed its gate and whose data, labels included, end by the cut-off of `as_of`.

        None where there is none: the status is then `no_model`, and no later version steps in.
        """
        known = [v for v in self.versions(family) if v.passed and v.data_end <= data_end_of(as_of)]
        return max(known, key=lambda v: (v.data_end, int(v.version)), default=None)

    def load(self, trained: Trained, trusted: Sequence[str]) -> tuple[Any, dict[str, Any]]:
        """The fitted model of a version, and the metadata it was registered with.

        Read by skops with the types that our code trusts. MLflow's own loader takes that list from the file it is to
        guard against, which is why it refuses skops as well while pickle is not allowed; it stays so.
        """
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{trained.name}/{trained.version}"))
        metadata = mlflow.models.Model.load(str(folder)).metadata or {}
        return skops.io.load(folder / MODEL_FILE, trusted=list(trusted)), metadata


def _trained(found: ModelVersion) -> Trained:
    tags = dict(found.tags)
    return Trained(
        name=found.name,
        version=str(found.version),
        run_id=found.run_id,
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


def digest(frame: pd.DataFrame) -> str:
    """Changes with any value, name or order of a frame's columns and rows; not with its index."""
    content = hashlib.sha256("\0".join(map(str, frame.columns)).encode())
    content.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return content.hexdigest()[:16]


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
