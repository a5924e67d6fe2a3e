"""What sqlfluff puts in the place of dbt's context when it renders a model to lint it: the vars of dbt_project.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_VARS = yaml.safe_load((Path(__file__).parents[1] / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


def var(name: str, default: Any = None) -> Any:
    """The value that a run has without --vars."""
    return _VARS.get(name, default)


def has_window() -> bool:
    """Lint sees every day, as a run from nothing does."""
    return False
