"""The gate between a trained model and the champion's place: a list of conditions, each with its numbers.

What a condition compares is computed where the model is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.metrics import Interval

# How much a challenger may lose against the champion and still be "no worse", and how much on one slice.
NO_WORSE = 0.02
SLICE_MARGIN = 0.05
CALIBRATION_ERROR = 0.06


@dataclass(frozen=True)
class Condition:
    """One condition: whether it holds, and the sentence with the numbers."""

    name: str
    passed: bool
    message: str


@dataclass(frozen=True)
class Gate:
    """Whether a challenger may serve, and why."""

    conditions: tuple[Condition, ...]

    @property
    def passed(self) -> bool:
        return all(c.passed for c in self.conditions)

    @property
    def message(self) -> str:
        """What failed, else that everything held."""
        failed = [c.message for c in self.conditions if not c.passed]
        return "; ".join(failed) if failed else "; ".join(c.message for c in self.conditions)


def better_than_baseline(name: str, difference: Interval) -> Condition:
    """The whole interval of (challenger - baseline) is above zero."""
    numbers = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}] against the baseline {name}"
    return Condition("better_than_baseline", difference.low > 0, numbers)


def no_worse_than_champion(difference: Interval | None, margin: float = NO_WORSE) -> Condition:
    """The interval of (challenger - champion) stays above -margin; without a champion there is nothing to lose."""
    if difference is None:
        return Condition("no_worse_than_champion", True, "there is no champion yet")
    numbers = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}] against the champion"
    return Condition("no_worse_than_champion", difference.low > -margin, f"{numbers}, margin {margin}")


def calibrated(error: float, limit: float = CALIBRATION_ERROR) -> Condition:
    return Condition("calibrated", error <= limit, f"calibration error {error:.3f}, limit {limit}")


def no_slice_falls(differences: dict[str, float]) -> Condition:
    """No slice is worse than the same slice of the champion (of the baseline, where there is none) by the margin."""
    if not differences:
        return Condition("no_slice_falls", True, "no slice has enough rows to compare")
    worst = min(differences, key=lambda name: differences[name])
    numbers = f"worst slice {worst}: {differences[worst]:+.3f}, margin {SLICE_MARGIN}"
    return Condition("no_slice_falls", differences[worst] >= -SLICE_MARGIN, numbers)
