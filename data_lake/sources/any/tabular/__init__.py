"""Tables of any shape, mapped to the lake's entities by SQL: CSV, TSV, JSON, JSONL, Parquet, Excel."""

from data_lake.sources.any.tabular.reader import SOURCE

__all__ = ["SOURCE"]
