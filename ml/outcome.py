"""What a training came to: the same answer for every family."""

from __future__ import annotations

from dataclasses import dataclass

from ml.gates import Gate
from ml.tracking import Trained


@dataclass(frozen=True)
class Outcome:
    """What a training came to. `trained` and `gate` are None when there was too little to train on."""

    status: str
    message: str
    trained: Trained | None = None
    gate: Gate | None = None
    promoted: bool = False
