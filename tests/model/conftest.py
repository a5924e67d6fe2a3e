"""One small MLflow store for all tests of models, with versions as training makes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from data_lake.layout import Layout
from data_lake.planning import TESTS, Audit, Plan, begin_build, end_build
from data_lake.publish import Table, publish
from data_lake.sql import connect
from ml import serving
from ml.serving import ModelVersion, Served
from ml.tracking import Registry

ROWS = pd.DataFrame({"x": np.arange(10.0)})


@dataclass
class Store:
    layout: Layout
    registry: Registry

    def version(self, as_of: date, *, passed: bool, question: str = "toy") -> ModelVersion:
        """Registered, concluded and, where it passed, released, as training does it."""
        model = Ridge().fit(ROWS, ROWS["x"] * 2)
        with self.registry.run(question, "toy", {}, {"a": 1}):
            made = self.registry.register(
                question,
                model,
                ROWS.head(2),
                as_of=as_of,
                data_end=as_of + timedelta(1),
                trusted=[],
                metadata={"k": 1},
                tags={},
            )
            made = self.registry.conclude(made, passed=passed, message="a reason")
        if made.passed:
            serving.release(self.layout, made, *self.registry.files(made))
        return made

    def load(self, version: ModelVersion) -> Served:
        return serving.load(self.layout, version, [])


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    layout = Layout(tmp_path_factory.mktemp("lake"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield Store(layout, Registry(layout))


DATES = Table("dim_dates", "main.dim_dates", "One row per day.", {"date_day": "The day."})


def released(lake: Layout, last_eventful: date, as_of: date) -> Layout:
    """The lake after it published its days since 1 March, the last of them `last_eventful`."""
    todo = Plan(as_of, None, (), (), "models", "a test")
    begin_build(lake, todo, [Audit("dim_dates", TESTS)])
    with connect(lake, str(lake.warehouse)) as connection:
        days = f"range(date '2026-03-01', date '{last_eventful}' + 1, interval 1 day)"
        connection.execute(f"create or replace table dim_dates as select unnest({days})::date as date_day")
    end_build(lake, todo)
    publish(lake, [DATES], as_of=as_of, run_id="run", created_at=datetime(2026, 4, 1, tzinfo=UTC))
    return lake
