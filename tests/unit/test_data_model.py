"""docs/data-model.md is what the dbt project says, and every published table says enough to be written down."""

from __future__ import annotations

import re

import pytest

from orchestration.data_model import PAGE, data_model
from orchestration.project import Manifest, load_manifest

SUM = re.compile(r"\bsum\(\s*(?:\w+\.)?(\w+)\s*(?:::[\w(), ]+?)?\)")
ADDITIVITY = {"additive", "semi_additive", "non_additive", "ratio"}


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest()


def test_the_page_is_current(manifest: Manifest) -> None:
    assert PAGE.read_text(encoding="utf-8") == data_model(manifest), "run 'make data-model' and commit the page"
