"""A training, the same for every question: split, fit, evaluate, log, gate, promote, in this order and only so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import mlflow
import numpy as np
import pandas as pd

from data_lake.layout import Layout
from ml import predictions, serving
from ml.cards import Score, card, scorecard
from ml.gates import Condition, Gate
from ml.published import Published
from ml.question import Question
from ml.seeds import ROOT_SEED
from ml.serving import ModelVersion, Served
from ml.splits import SplitError
from ml.threads import one_thread
from ml.tracking import Registry, git_commit, log_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Data = TypeVar("Data")
Fitted = TypeVar("Fitted")


@dataclass
class Evaluation:
    """What a question hands over to be logged, gated, registered and put on the scorecard.

    `conditions` are the gate's. `numbers` is the table of the model card and of the run; `tables` are further ones.
    `inputs` are the rows learned from, by context, each with the name of what they are. `folds` are numbers per fold.
    `data_end` is the first day after everything that was learned from, labels included.
    """

    kind: str
    model: Any
    example: pd.DataFrame
    conditions: Sequence[Condition]
    scores: Sequence[Score]
    numbers: pd.DataFrame
    facts: Mapping[str, Any]
    inputs: Mapping[str, tuple[str, pd.DataFrame]]
    rows: int
    data_from: date
    data_end: date
    baseline: str
    title: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    folds: Mapping[str, Sequence[float]] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    predict: str = "predict"

    @property
    def gate(self) -> Gate:
        return Gate(tuple(self.conditions))


class Trainer(ABC, Generic[Data, Fitted]):
    """A question's part of a training. `trusted` are the types its model files may hold."""

    purpose: str
    limits: Sequence[str]
    trusted: Sequence[str]

    @abstractmethod
    def split(self, published: Published, as_of: date) -> Data:
        """What is learned from and judged on, as known at the end of a day. Raises SplitError for too little data."""

    @abstractmethod
    def fit(self, data: Data, champion: Served | None) -> Fitted:
        """The models. Raises SplitError when there turns out to be too little to learn from."""

    @abstractmethod
    def evaluate(self, data: Data, fitted: Fitted, champion: Served | None) -> Evaluation:
        """Numbers against baselines and the champion on rows that taught nothing, with the gate's conditions."""

    def is_comparable(self, champion: ModelVersion) -> bool:
        """Whether a champion can be asked what the challenger is asked."""
        return True

    def check(self, model: Any) -> None:
        """Raise when a loaded model does not hold what this question writes."""
        return


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to. `version` and `gate` are None when there was too little to train on."""

    status: str
    message: str
    version: ModelVersion | None = None
    gate: Gate | None = None
    promoted: bool = False

    @property
    def sentence(self) -> str:
        if self.version is None or self.gate is None:
            return f"{self.status}, {self.message}"
        became = "champion" if self.promoted else "passed" if self.gate.passed else f"refused: {self.message}"
        return f"version {self.version.version} {became}"


@one_thread
def train(question: Question, layout: Layout, as_of: date) -> TrainingResult:
    """Train with what was known at the end of `as_of`; registers a version, and promotes it when the gate lets it."""
    trainer = question.trainer()
    try:
        with Published(layout) as published:
            data = trainer.split(published, as_of)
        registry = Registry(layout)
        champion = _champion(question, trainer, layout, registry)
        fitted = trainer.fit(data, champion)
        evaluation = trainer.evaluate(data, fitted, champion)
    except SplitError as error:
        return TrainingResult("insufficient_data", str(error))
    gate = evaluation.gate
    tags = {"as_of": as_of.isoformat(), "model_kind": evaluation.kind, **evaluation.tags}
    parameters = {"as_of": as_of, "seed": ROOT_SEED, **evaluation.parameters}
    with registry.run(question.name, f"{evaluation.kind} as of {as_of}", tags, parameters):
        _log(registry, evaluation)
        version = registry.register(
            question.name,
            evaluation.model,
            evaluation.example,
            as_of=as_of,
            data_end=evaluation.data_end,
            trusted=trainer.trusted,
            metadata=evaluation.metadata,
            tags=tags,
            predict=evaluation.predict,
        )
        version = registry.conclude(version, passed=gate.passed, message=gate.message)
        facts = {"as of": as_of, **evaluation.facts}
        title = f"{question.name}: {evaluation.title}"
        text = card(title, trainer.purpose, facts, evaluation.numbers, gate, trainer.limits)
        mlflow.log_text(text, "model_card.md")
        mlflow.set_tags({"mlflow.note.content": text, "gate": "passed" if gate.passed else "failed"})
        mlflow.log_dict({"conditions": [vars(c) for c in gate.conditions]}, "gate.json")
    if version.passed:
        serving.release(layout, version, *registry.files(version))
    promoted = registry.promote(version)
    _write_backtest(layout, as_of, version, evaluation)
    return TrainingResult("ok", gate.message, version, gate, promoted)


def _champion(question: Question, trainer: Trainer[Any, Any], layout: Layout, registry: Registry) -> Served | None:
    """The champion, loaded; None without one, where it was taken out of service, or cannot be asked the same."""
    version = registry.champion(question.name)
    released = {v.version for v in serving.versions(layout, question.name)}
    if version is None or version.version not in released or not trainer.is_comparable(version):
        return None
    champion = serving.load(layout, version, trainer.trusted)
    trainer.check(champion.model)
    return champion


def _log(registry: Registry, evaluation: Evaluation) -> None:
    for context, (name, rows) in evaluation.inputs.items():
        registry.log_data(rows, name, context)
    mlflow.log_metrics({name: value for name, value in evaluation.metrics.items() if np.isfinite(value)})
    for name, values in evaluation.folds.items():
        for step, value in enumerate(values):
            mlflow.log_metric(name, value, step=step)
    mlflow.log_table(evaluation.numbers, "evaluation.json")
    for name, rows in evaluation.tables.items():
        mlflow.log_table(rows, f"{name}.json")
    log_figures(evaluation.figures)


def _write_backtest(layout: Layout, as_of: date, version: ModelVersion, evaluation: Evaluation) -> None:
    scores = scorecard(version, "backtest", evaluation.scores)
    predictions.write(layout, "model_scores", as_of, f"{version.name}-backtest", scores)
    row = {
        "model_name": version.name,
        "model_version": version.version,
        "run_id": version.run_id,
        "model_kind": evaluation.kind,
        "data_from": evaluation.data_from,
        "data_end": version.data_end,
        "training_row_count": evaluation.rows,
        "baseline_name": evaluation.baseline,
        "is_gate_passed": evaluation.gate.passed,
        "gate_message": evaluation.gate.message,
        "git_commit": git_commit(),
    }
    predictions.write(layout, "model_versions", as_of, version.name, pd.DataFrame([row]))
