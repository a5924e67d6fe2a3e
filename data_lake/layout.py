"""Where things lie under LAKE_ROOT: the only code that builds a path in the lake."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

DEFAULT_ROOT = Path(__file__).parent / "storage"
DATABASE = "analytics.duckdb"
MANIFEST = "version.json"
# Zones that a run can make again from the one before.
REBUILDABLE = ("raw", "warehouse", "published")
EMPTY_PARTITION = "event_date=__HIVE_DEFAULT_PARTITION__"
EMPTY_SOURCE = "source=__none__"
EMPTY_AS_OF = "as_of_date=__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Layout:
    """The paths of one lake. Creating a Layout creates nothing on disk."""

    root: Path

    @classmethod
    def from_env(cls) -> Layout:
        """The lake named by LAKE_ROOT, else data_lake/storage beside the code."""
        root = os.environ.get("LAKE_ROOT")
        return cls(Path(root).expanduser().resolve() if root else DEFAULT_ROOT)

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def index(self) -> Path:
        return self.raw / "_index"

    @property
    def spool(self) -> Path:
        """Rows on their way from a parser to their partitions; emptied by every ingest."""
        return self.raw / "_spool"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def current(self) -> Path:
        return self.published / "current"

    @property
    def analytics(self) -> Path:
        """What people query: a database of views on the current version."""
        return self.current / DATABASE

    @property
    def predictions(self) -> Path:
        return self.root / "predictions"

    @property
    def truth(self) -> Path:
        return self.root / "truth"

    @property
    def quality(self) -> Path:
        """What Great Expectations keeps: its context, the newest results, and data_docs/index.html."""
        return self.root / "quality"

    @property
    def tracking(self) -> Path:
        """MLflow's SQLite store."""
        return self.root / "mlflow" / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """What MLflow keeps as files, a folder per experiment."""
        return self.root / "mlflow" / "artifacts"

    def releases(self, question: str) -> Path:
        """The model files of a question that may be served, a folder per version."""
        return self.root / "mlflow" / "releases" / question

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def alerts(self) -> Path:
        return self.root / "alerts.jsonl"

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    def raw_entity(self, entity: str) -> Path:
        return self.raw / entity

    def raw_partition(self, entity: str, day: date, source: str) -> Path:
        return self.raw / entity / f"event_date={day.isoformat()}" / f"source={source}" / "part-0.parquet"

    def raw_empty(self, entity: str) -> Path:
        """A file without rows, so that dbt can read an entity nobody has filled."""
        return self.raw / entity / EMPTY_PARTITION / EMPTY_SOURCE / "part-0.parquet"

    def raw_glob(self, entity: str) -> str:
        return str(self.raw / entity / "*" / "*" / "*.parquet")

    def landing_file(self, source: str, digest: str, name: str, folder: str = "") -> Path:
        return self.landing / source / folder / f"{digest}-{name}"

    def pulling(self, source: str) -> Path:
        """Where pulls of a platform are under way; the name begins with a dot, so that no ingest looks into it."""
        return self.landing / source / ".pulling"

    def index_entry(self, source: str, landing_name: str) -> Path:
        return self.index / source / f"{landing_name}.json"

    def quarantine_file(self, entity: str, source: str, landing_name: str) -> Path:
        return self.quarantine / entity / f"source={source}" / f"{landing_name}.parquet"

    def prediction_file(self, table: str, day: date, part: str) -> Path:
        """The rows of one part (a model, or what is said about it) of a prediction table, as of a day."""
        return self.predictions / table / f"as_of_date={day.isoformat()}" / f"{part}.parquet"

    def prediction_empty(self, table: str) -> Path:
        """A file without rows, so that dbt can read a table nothing was predicted for."""
        return self.predictions / table / EMPTY_AS_OF / "empty.parquet"

    def published_version(self, number: int) -> Path:
        return self.published / f"{number:06d}"
