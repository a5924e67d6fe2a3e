"""Splits that cannot leak: cut-offs with complete label windows in order of time, rolling origins, groups by hash.

There is no random split of rows here, on purpose.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np


class SplitError(ValueError):
    """The data do not allow the split that was asked for; the message says what is missing."""


@dataclass(frozen=True)
class LabelWindow:
    """One snapshot: what happened before `cutoff` is known, what happens in [label_from, label_to) is asked for."""

    cutoff: date
    gap_days: int
    label_days: int

    @property
    def label_from(self) -> date:
        return self.cutoff + timedelta(self.gap_days)

    @property
    def label_to(self) -> date:
        """The first day after the label window."""
        return self.label_from + timedelta(self.label_days)


@dataclass(frozen=True)
class TimeSplit:
    """Train on the early snapshots, calibrate on a later one, test on the last.

    Raises SplitError when a label window reaches behind `data_end` (the first day that is not observed) or when what
    a part learns from is not over before the next part's cut-off: at that moment it could not have been known.
    """

    train: tuple[LabelWindow, ...]
    calibrate: LabelWindow
    test: LabelWindow
    data_end: date

    def __post_init__(self) -> None:
        if not self.train:
            raise SplitError("no snapshot is early enough to train on")
        for window in (*self.train, self.calibrate, self.test):
            if window.label_to > self.data_end:
                raise SplitError(
                    f"the labels of {window.cutoff} are not complete: they end on {window.label_to}, "
                    f"the data before {self.data_end}"
                )
        for early, late in ((max(self.train, key=lambda w: w.cutoff), self.calibrate), (self.calibrate, self.test)):
            if early.label_to > late.cutoff:
                raise SplitError(f"windows overlap: labels up to {early.label_to}, next cut-off {late.cutoff}")

    @property
    def hash(self) -> str:
        """Names the split: equal exactly when the same days play the same parts."""
        windows = [[w.cutoff.isoformat(), w.gap_days, w.label_days] for w in (*self.train, self.calibrate, self.test)]
        return hashlib.sha256(json.dumps(windows).encode()).hexdigest()[:16]


def time_split(cutoffs: Iterable[date], *, data_end: date, gap_days: int, label_days: int) -> TimeSplit:
    """The latest split these snapshots allow: test on the last complete one, calibrate and train before it.

    Raises SplitError when they span too little time.
    """
    span = timedelta(gap_days + label_days)
    complete = sorted({c for c in cutoffs if c + span <= data_end})
    if not complete:
        raise SplitError(f"no label window is complete before {data_end}")
    test = complete[-1]
    calibrations = [c for c in complete if c + span <= test]
    trains = [c for c in complete if calibrations and c + span <= calibrations[-1]]
    if not trains:
        raise SplitError(f"three windows of {span.days} days, one after the other, do not fit before {data_end}")
    windows = {c: LabelWindow(c, gap_days, label_days) for c in complete}
    return TimeSplit(tuple(windows[c] for c in trains), windows[calibrations[-1]], windows[test], data_end)


def folds(split: TimeSplit, count: int) -> list[tuple[tuple[LabelWindow, ...], LabelWindow]]:
    """Up to `count` earlier pairs (train, test) inside the training part, oldest first, for numbers per fold."""
    pairs: list[tuple[tuple[LabelWindow, ...], LabelWindow]] = []
    last = max(split.train, key=lambda w: w.cutoff)
    while len(pairs) < count:
        before = tuple(w for w in split.train if w.label_to <= last.cutoff)
        if not before:
            break
        pairs.append((before, last))
        last = max(before, key=lambda w: w.cutoff)
    return pairs[::-1]


def rolling_origins(length: int, *, horizon: int, step: int, count: int, minimum: int) -> list[int]:
    """Up to `count` positions o, oldest first, such that [0, o) is history and [o, o + horizon) is known.

    Each leaves at least `minimum` points of history.
    """
    latest = length - horizon
    return [o for o in (latest - step * n for n in range(count)) if o >= minimum][::-1]


def normalised(text: str) -> str:
    """A text without what does not make it another: case, accents' forms, punctuation, space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def group_parts(groups: Sequence[str], shares: Sequence[float], *, name: str) -> np.ndarray:
    """The part (0, 1, ...) of each row, by the hash of its group: a group is never in two parts."""
    ends = np.cumsum(np.asarray(shares, dtype=float) / sum(shares))
    place = {
        group: int.from_bytes(hashlib.sha256(f"{name}\0{group}".encode()).digest()[:8], "big") / 2**64
        for group in set(groups)
    }
    return np.searchsorted(ends, [place[group] for group in groups], side="right").clip(max=len(ends) - 1)
