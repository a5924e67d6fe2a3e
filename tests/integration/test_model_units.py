"""The unit tests of the models, as written beside them: the numbers of the definitions on small tables.

The models are built from an empty lake, which is what gives dbt the columns of the inputs that a test leaves out.
"""

from __future__ import annotations

from pathlib import Path

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.store import ensure_readable
from ml import predictions
from tests.integration.lakes import dbt

KINDS = ("model", "seed", "unit_test")


def test_every_unit_test_of_the_models_passes(lake: Layout, tmp_path: Path) -> None:
    lake.root.mkdir()
    for entity in load_contracts():
        ensure_readable(lake, entity)
    predictions.ensure_readable(lake)
    kinds = [argument for kind in KINDS for argument in ("--resource-type", kind)]
    done, results = dbt(lake, tmp_path / "target", "build", *kinds)
    units = {name.split(".")[-1]: r for name, r in results.items() if r["unique_id"].startswith("unit_test.")}
    assert {name: r["message"] for name, r in units.items() if r["status"] != "pass"} == {}
    assert done.returncode == 0, done.stdout[-3000:]
    assert "the_planted_peak_is_at_minute_45" in units
