"""What sqlfluff puts in the place of dbt's context when it renders a model to lint it.

The vars of dbt_project.yml, and the contracts of raw/, which dbt knows from its graph.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_PROJECT = Path(__file__).parents[1]
_VARS = yaml.safe_load((_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


def var(name: str, default: Any = None) -> Any:
    """The value that a run has without --vars."""
    return _VARS.get(name, default)


def has_window() -> bool:
    """Lint sees every day, as a run from nothing does."""
    return False


class Graph:
    """What macros ask of dbt's graph."""

    @property
    def sources(self) -> dict[str, Any]:
        """The entities of raw/, each with its columns by name."""
        files = sorted((_PROJECT / "models" / "raw").rglob("*.yml"))
        stated = [s for file in files for s in yaml.safe_load(file.read_text(encoding="utf-8"))["sources"]]
        return {
            table["name"]: {**table, "source_name": source["name"], "columns": {c["name"]: c for c in table["columns"]}}
            for source in stated
            for table in source["tables"]
        }


graph, execute = Graph(), True
