"""The model card of a run and the rows of the scorecard, both made from the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import mlflow
import pandas as pd

from data_lake.layout import Layout
from ml import predictions
from ml.gates import Gate
from ml.tracking import Trained, git_commit


def card(
    title: str, purpose: str, facts: Mapping[str, Any], numbers: pd.DataFrame, gate: Gate, limits: Sequence[str]
) -> str:
    """A model card as Markdown: what it is for, what it was trained on, how good it is, where it must not be used."""
    lines = [f"# {title}", "", purpose, "", "## Trained on", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    header = "| " + " | ".join(map(str, numbers.columns)) + " |"
    lines += ["", "## Numbers", "", header, "|" + "---|" * len(numbers.columns)]
    for row in numbers.itertuples(index=False):
        lines.append("| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row) + " |")
    lines += ["", f"## Gate: {'passed' if gate.passed else 'failed'}", ""]
    lines += [f"- {'holds' if c.passed else 'FAILS'}: {c.name}: {c.message}" for c in gate.conditions]
    lines += ["", "## Limits", "", *(f"- {limit}" for limit in limits), ""]
    return "\n".join(lines)


def log(text: str, gate: Gate) -> None:
    """Put the card and the gate's word on the current run."""
    mlflow.log_text(text, "model_card.md")
    mlflow.set_tag("mlflow.note.content", text)
    mlflow.set_tag("gate", "passed" if gate.passed else "failed")


def write_backtest(
    layout: Layout,
    as_of: date,
    trained: Trained,
    scores: Sequence[Mapping[str, Any]],
    *,
    kind: str,
    rows: int,
    data_from: date,
    baseline: str,
    gate: Gate,
) -> None:
    """Write a new version and its scores (see `score_row`) to predictions/."""
    predictions.write(layout, "model_scores", as_of, f"{trained.name}-backtest", pd.DataFrame(scores))
    version = {
        "model_name": trained.name,
        "model_version": trained.version,
        "run_id": trained.run_id,
        "model_kind": kind,
        "data_from": data_from,
        "data_end": trained.data_end,
        "training_row_count": rows,
        "baseline_name": baseline,
        "is_gate_passed": gate.passed,
        "gate_message": gate.message,
        "git_commit": git_commit(),
    }
    predictions.write(layout, "model_versions", as_of, trained.name, pd.DataFrame([version]))


def version_of(family: str, as_of: date, said: pd.DataFrame) -> Trained:
    """The version that made these predictions, by what their first row says of it."""
    first = said.iloc[0]
    return Trained(family, str(first["model_version"]), str(first["run_id"]), as_of, as_of, True, {})


def score_row(
    trained: Trained,
    basis: str,
    metric: str,
    value: float,
    *,
    rows: int,
    window: tuple[date, date],
    slice_name: str = "all",
    low: float | None = None,
    high: float | None = None,
    baseline: tuple[str, float] | None = None,
    base_rate: float | None = None,
) -> dict[str, Any]:
    """A row of predictions/model_scores: one number of one version, on a backtest or on what really happened."""
    return {
        "model_name": trained.name,
        "model_version": trained.version,
        "run_id": trained.run_id,
        "basis": basis,
        "slice_name": slice_name,
        "metric": metric,
        "value": value,
        "value_low": low,
        "value_high": high,
        "row_count": rows,
        "base_rate": base_rate,
        "baseline_name": baseline[0] if baseline else None,
        "baseline_value": baseline[1] if baseline else None,
        "window_from": window[0],
        "window_to": window[1],
    }
