"""Has what a model is fed changed since it was trained? It asks for a challenger; it never promotes one."""

from __future__ import annotations

import numpy as np

WATCH, ALARM = 0.1, 0.25
BINS = 10
# A share of zero has no logarithm; half a row in ten thousand stands for it.
FLOOR = 5e-5


def edges_of(reference: np.ndarray) -> np.ndarray:
    """Inner bin edges that cut the reference into tenths; fewer where values repeat."""
    finite = reference[np.isfinite(reference)]
    return np.unique(np.quantile(finite, np.linspace(0, 1, BINS + 1)[1:-1])) if len(finite) else np.empty(0)


def shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of rows in each bin, missing values in a bin of their own at the end."""
    is_finite = np.isfinite(values)
    counts = np.bincount(np.searchsorted(edges, values[is_finite], side="right"), minlength=len(edges) + 1)
    return np.append(counts, (~is_finite).sum()) / max(1, len(values))


def stability_index(reference: np.ndarray, now: np.ndarray) -> float:
    """Population stability index: sum of (a - b) ln(a / b) over the bins of tenths of the reference shares."""
    edges = edges_of(reference)
    return index_of(shares(reference, edges), shares(now, edges))


def index_of(reference_shares: np.ndarray, now_shares: np.ndarray) -> float:
    """The index of two lists of shares over the same bins."""
    a, b = (np.maximum(s, FLOOR) for s in (now_shares, reference_shares))
    return float(np.sum((a - b) * np.log(a / b)))


def level(index: float) -> str:
    """ok, watch or alarm."""
    return "alarm" if index >= ALARM else "watch" if index >= WATCH else "ok"
