"""What a run tells a person while it works. How it is drawn does not belong here (see `terminal`)."""

from __future__ import annotations

from typing import Protocol

SAMPLE, MODELS, MARTS, AUDIT, PUBLISH = "sample world", "models", "build marts", "audit", "publish"
SCORE, INSIGHTS, PUBLISH_INSIGHTS = "score", "build insights", "publish insights"


def reading(source: str) -> str:
    """The name of the step that reads a source's landing files."""
    return f"read {source}"


def training(question: str) -> str:
    """The name of the step that trains the model of a question."""
    return f"train {question}"


class Progress(Protocol):
    """One bar per step. `share` is between 0 and 1; a step that was never advanced may be finished."""

    def advance(self, step: str, share: float, detail: str = "") -> None: ...

    def finish(self, step: str, detail: str = "") -> None: ...

    def notice(self, text: str) -> None: ...


class Silent:
    """Progress nobody watches: runs that Dagster starts, and tests."""

    def advance(self, step: str, share: float, detail: str = "") -> None:
        """Say nothing."""

    def finish(self, step: str, detail: str = "") -> None:
        """Say nothing."""

    def notice(self, text: str) -> None:
        """Say nothing."""
