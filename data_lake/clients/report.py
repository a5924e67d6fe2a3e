"""What became of a pull, list by list, in words for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

State = Literal["pulled", "incomplete", "already there", "skipped", "failed", "no history"]


@dataclass(frozen=True)
class ListReport:
    """What became of one list. `message` is a sentence for people; `path` the landing file, when there is one."""

    endpoint: str
    target: str
    state: State
    rows: int = 0
    pages: int = 0
    calls: int = 0
    retries: int = 0
    message: str = ""
    path: Path | None = None


@dataclass
class PullReport:
    """The lists of a pull, in order."""

    lists: list[ListReport] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """One sentence per list that failed."""
        return [f"{one.endpoint} of {one.target}: {one.message}" for one in self.lists if one.state == "failed"]

    @property
    def messages(self) -> list[str]:
        """One sentence per list that did not come whole."""
        return [f"{one.endpoint} of {one.target}: {one.message}" for one in self.lists if one.message]
