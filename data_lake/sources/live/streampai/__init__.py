"""Streampai's tables (a multi-platform streaming back end): CSV, JSONL, a JSON array or Parquet, one table per file."""

from data_lake.sources.live.streampai.reader import SOURCE

__all__ = ["SOURCE"]
