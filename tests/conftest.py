"""Fixtures shared by all tests: a lake in an empty folder, the real data where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from data_lake.layout import Layout

REPOSITORY = Path(__file__).parents[1]

for name, value in {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(name, value)


@pytest.fixture
def lake(tmp_path: Path) -> Layout:
    """An empty lake."""
    return Layout(tmp_path / "lake")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data beside the repository; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("FULLHOUSE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.exists():
        pytest.skip("the real data is not here: put it at ../shared/data or set FULLHOUSE_REAL_DATA")
    return folder
