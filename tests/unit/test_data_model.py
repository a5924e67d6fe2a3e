"""docs/data-model.md is what the dbt project says."""

from __future__ import annotations

from orchestration.data_model import PAGE, data_model
from orchestration.project import load_manifest


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_model(load_manifest()), "run 'make data-model' and commit the page"
