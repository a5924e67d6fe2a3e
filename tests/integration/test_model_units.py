"""The unit tests of the models, as written beside them: the numbers of the definitions on small tables.

They run where the models are built, which is what gives dbt the columns of the inputs that a test leaves out.
"""

from __future__ import annotations

import shutil

from data_lake.layout import Layout
from ml import predictions
from orchestration.project import load_manifest
from tests.integration.lakes import UNTESTED, dbt, query_built


def test_every_unit_test_of_the_models_passes(tiny_lake: Layout, lake: Layout) -> None:
    shutil.copytree(tiny_lake.root, lake.root, symlinks=True)
    predictions.ensure_readable(lake)
    nodes = load_manifest()["nodes"].values()
    known = {name for (name,) in query_built(lake, "select table_name from information_schema.tables")}
    missing = {node["name"] for node in nodes if node["resource_type"] == "model"} - known
    made, _ = dbt(lake, "build", *UNTESTED, "--select", *sorted(missing))
    assert made.success, made.error
    done, results = dbt(lake, "test", "--select", "test_type:unit")
    units = {name.split(".")[-1]: result for name, result in results.items()}
    assert {name: r.message for name, r in units.items() if r.status != "pass"} == {}
    assert done.success, done.error
    assert units.keys() == {unit["name"] for unit in load_manifest()["unit_tests"].values()}
    assert "the_planted_peak_is_at_minute_45" in units
