"""The model card of a run and the rows of the scorecard, both made from the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from ml.gates import Gate
from ml.metrics import Interval
from ml.serving import ModelVersion


@dataclass(frozen=True)
class Score:
    """One number of one version over `rows` rows of `window` (first and last day of the outcome)."""

    metric: str
    value: float
    rows: int
    window: tuple[date, date]
    slice_name: str = "all"
    interval: Interval | None = None
    baseline: tuple[str, float] | None = None
    base_rate: float | None = None


def scorecard(version: ModelVersion, basis: str, scores: Sequence[Score]) -> pd.DataFrame:
    """Rows of predictions/model_scores; `basis` is backtest, or live for what really happened."""
    return pd.DataFrame(
        {
            "model_name": version.name,
            "model_version": version.version,
            "run_id": version.run_id,
            "basis": basis,
            "slice_name": score.slice_name,
            "metric": score.metric,
            "value": score.value,
            "value_low": score.interval.low if score.interval else None,
            "value_high": score.interval.high if score.interval else None,
            "row_count": score.rows,
            "base_rate": score.base_rate,
            "baseline_name": score.baseline[0] if score.baseline else None,
            "baseline_value": score.baseline[1] if score.baseline else None,
            "window_from": score.window[0],
            "window_to": score.window[1],
        }
        for score in scores
    )


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
