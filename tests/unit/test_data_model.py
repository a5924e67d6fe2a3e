"""docs/data-model.md is what the dbt project says."""

from __future__ import annotations

from orchestration.data_model import PAGE, data_model
from orchestration.project import load_manifest

WIDE = {"hugeint", "uhugeint", "decimal(38,0)", "decimal(38,4)"}


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_model(load_manifest()), "run 'make data-model' and commit the page"


def test_no_column_takes_sixteen_bytes_a_number() -> None:
    # DuckDB reads a bit-packed hugeint 20 times as slowly as a bigint; a sum of bigints is one until it is cast.
    nodes = [node for node in load_manifest()["nodes"].values() if node["resource_type"] == "model"]
    wide = {(n["name"], c["name"]) for n in nodes for c in n["columns"].values() if c["data_type"] in WIDE}
    assert len(nodes) > 90
    assert wide == set()
