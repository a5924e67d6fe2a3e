"""What models may call beside DuckDB's own functions: a plugin of dbt-duckdb, named in profiles.yml."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from data_lake.texts import add_text_functions


class Plugin(BasePlugin):  # type: ignore[misc]
    """Gives models the functions that compare texts."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        add_text_functions(conn)
