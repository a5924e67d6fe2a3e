"""The plots a person wants beside a run. Each function draws one figure and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ml.metrics import calibration_bins

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SIZE = (6.4, 4.4)
INK, SOFT, RED = "#1f4e79", "#9db7d1", "#b5442e"


def calibration(truth: np.ndarray, by_model: Mapping[str, np.ndarray]) -> Figure:
    """Predicted probability against observed share, in ten groups of equal size."""
    figure, axes = plt.subplots(figsize=SIZE)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    for name, probability in by_model.items():
        bins = calibration_bins(truth, probability)
        axes.plot([b[0] for b in bins], [b[1] for b in bins], marker="o", label=name)
    axes.set(xlabel="predicted probability", ylabel="observed share", title="Calibration on the test snapshot")
    axes.legend()
    return cast(Figure, figure)


def lift(truth: np.ndarray, by_model: Mapping[str, np.ndarray]) -> Figure:
    """How many times the base rate the first x % hold."""
    figure, axes = plt.subplots(figsize=SIZE)
    seen = np.arange(1, len(truth) + 1)
    for name, score in by_model.items():
        hits = np.cumsum(truth[np.argsort(-score, kind="stable")])
        start = max(10, len(truth) // 100)
        axes.plot(seen[start:] / len(truth) * 100, (hits / seen / truth.mean())[start:], label=name)
    axes.axhline(1, color="grey", linewidth=0.8, linestyle="--")
    axes.set(xlabel="% of viewers, highest risk first", ylabel="lift over the base rate", title="Lift")
    axes.legend()
    return cast(Figure, figure)


def bars(values: Mapping[str, float], title: str, label: str) -> Figure:
    """One bar per name, the largest at the top."""
    figure, axes = plt.subplots(figsize=(7, 0.34 * len(values) + 1.4))
    ordered = sorted(values.items(), key=lambda item: item[1])
    axes.barh([n for n, _ in ordered], [v for _, v in ordered], color=[INK if v >= 0 else RED for _, v in ordered])
    axes.set(xlabel=label, title=title)
    figure.tight_layout()
    return cast(Figure, figure)


def fan(title: str, history: tuple[Any, Any], future: Any, lines: Mapping[str, Any], low: Any, high: Any) -> Figure:
    """A series, its forecast and the interval around it."""
    figure, axes = plt.subplots(figsize=(8, 4.2))
    axes.plot(*history, color=INK, linewidth=1, label="observed")
    for name, values in lines.items():
        axes.plot(future, values, color=RED if name == "forecast" else "grey", linewidth=1.4, label=name)
    axes.fill_between(future, low, high, color=RED, alpha=0.2, label="80 % interval")
    axes.set_title(title)
    axes.legend(loc="upper left")
    figure.autofmt_xdate()
    return cast(Figure, figure)


def terms(topics: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> Figure:
    """The heaviest terms of each topic."""
    columns = 4
    rows = -(-len(topics) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(3.1 * columns, 2.1 * rows), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, (name, weights) in zip(grid.flat, topics, strict=False):
        axes.axis("on")
        axes.barh([t for t, _ in weights][::-1], [w for _, w in weights][::-1], color=INK)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
    figure.tight_layout()
    return cast(Figure, figure)
