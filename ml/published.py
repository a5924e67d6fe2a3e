"""What models read: the published version that is current when a step starts, and nothing else of the lake."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import polars as pl

from data_lake.layout import Layout
from data_lake.publish import PublishError, current_version
from data_lake.views import open_version


class Published:
    """One published version, read with SQL inside a `with`. Raises PublishError when nothing is published."""

    def __init__(self, layout: Layout) -> None:
        version = current_version(layout)
        if version is None:
            raise PublishError("nothing is published yet: 'fullhouse run' publishes")
        self.version = version
        # The version's own path: a publish meanwhile does not change what is read.
        self._connection = open_version(layout, layout.published_version(version.number))

    @property
    def last_day(self) -> date:
        """The last day of the version's data."""
        return self.version.as_of

    @property
    def last_eventful_day(self) -> date:
        """The last day anything happened on, and so the last that features are held for: a day on which somebody only
        seen is none. The version's own day when nothing happened at all."""
        row = self._connection.execute("select max(date_day) from dim_dates").fetchone()
        return row[0] if row and row[0] else self.version.as_of

    @property
    def data_end(self) -> date:
        """The first day that is not observed."""
        return self.version.as_of + timedelta(1)

    def has(self, table: str) -> bool:
        return table in self.version.rows

    def frame(self, sql: str, parameters: dict[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a query as a pandas frame. The query must order them: training depends on it."""
        return self._connection.execute(sql, parameters or {}).df()

    def polars(self, sql: str, parameters: dict[str, Any] | None = None) -> pl.DataFrame:
        """The rows of a query as a polars frame. The query must order them: training depends on it."""
        return self._connection.execute(sql, parameters or {}).pl()

    def __enter__(self) -> Published:
        return self

    def __exit__(self, *raised: object) -> None:
        self._connection.close()


def data_end_of(day: date) -> date:
    """The first day unknown as of `day`: rows of that day count."""
    return day + timedelta(1)
