"""What a question of ml/ declares of itself. Loads nothing heavy: Dagster's definitions read it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ml.scoring import Scorer
    from ml.training import Trainer


@dataclass(frozen=True)
class Question:
    """One question, in the package of its name: what it asks, reads and writes, how far it looks, how often it learns.

    `reads` are published tables, `writes` prediction tables; the first of them holds the answers that are compared with
    what happened. An answer as of a day is complete `horizon_days` later, and can first be compared with what happened
    `first_outcome_days` later; a horizon of 0 says that nothing is predicted.
    """

    name: str
    sentence: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    horizon_days: int = 0
    first_outcome_days: int | None = None
    cadence: Literal["weekly"] = "weekly"
    package: str = ""

    @property
    def answers(self) -> str:
        """The prediction table of the answers themselves."""
        return self.writes[0]

    def trainer(self) -> Trainer[Any, Any]:
        """The question's part of a training: TRAINER of its module `train`."""
        trainer: Trainer[Any, Any] = self._module("train").TRAINER
        return trainer

    def scorer(self) -> Scorer:
        """The question's part of a scoring: SCORER of its module `score`."""
        scorer: Scorer = self._module("score").SCORER
        return scorer

    def _module(self, name: str) -> Any:
        return importlib.import_module(f"{self.package or f'ml.questions.{self.name}'}.{name}")
