"""The features of a churn model, by name, and which sentence stands for each.

The values come from the published feature table (one SQL macro of as_of makes them); nothing is computed here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Feature:
    """A column of the feature table. `is_skewed`: counts and durations, which are learned on a log scale.

    `reason` names what a person would call it; features of one reason speak with one voice. The first feature of a
    reason is the one its sentence quotes.
    """

    name: str
    reason: str
    is_skewed: bool = True


@dataclass(frozen=True)
class Spec:
    """The features of a model in order, and the three columns that say when a person came: for baselines and slices."""

    features: tuple[Feature, ...]
    visits: str
    first_days: str
    last_days: str

    @property
    def columns(self) -> list[str]:
        return [f.name for f in self.features]

    @property
    def skewed(self) -> list[str]:
        return [f.name for f in self.features if f.is_skewed]

    @property
    def plain(self) -> list[str]:
        return [f.name for f in self.features if not f.is_skewed]

    @property
    def reasons(self) -> dict[str, list[str]]:
        """The columns of each reason, in order."""
        by_reason: dict[str, list[str]] = {}
        for feature in self.features:
            by_reason.setdefault(feature.reason, []).append(feature.name)
        return by_reason

    @property
    def hash(self) -> str:
        """A model refuses features of another specification by this name."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


class OtherFeatures(ValueError):
    """A model was given features of another specification than it was trained on."""
