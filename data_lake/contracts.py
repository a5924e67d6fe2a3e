"""Entity contracts: what every raw row must look like, read from the dbt source files.

The file `dbt_project/models/raw/<world>/<entity>.yml` describes an entity; dbt reads it as a source,
this module reads it as an Arrow schema and a set of row checks.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from data_lake.errors import LakeError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

CONTRACT_FILES = Path(__file__).parents[1] / "dbt_project" / "models" / "raw"

# Event times outside are taken for defects of the export (epoch zero, seconds read as milliseconds), not for history.
EARLIEST, LATEST = "2000-01-01", "2100-01-01"


class ContractError(LakeError):
    """A contract file, or a table that claims to follow it, is not usable; the message says which and why."""


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type, what it means, and the checks a value must pass."""

    name: str
    type: str
    description: str
    required: bool = False
    personal: bool = False
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class SyntheticId:
    """The id column that is made up where a source has none, and the columns it is a hash of."""

    column: str
    of: tuple[str, ...]


@dataclass(frozen=True)
class AffectedDays:
    """The days whose facts a changed partition of the entity can alter: how far its rows reach.

    Always its own day, the `before` days before it and the `after` days after it. States may reach further, when one
    of these columns differs from the snapshot before of the same key: with `all_if_changed` every day, with
    `interval_if_changed` every day of the interval that the snapshot tells of, which the world's module in
    `planning/worlds` knows.
    """

    before: int
    after: int
    interval_if_changed: tuple[str, ...] = ()
    all_if_changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """What a row of one entity holds.

    `world` is the kind of audience it belongs to, the folder of its file. `key` names a row; `event_time` is the column
    whose UTC day is the partition (for states: `observed_at`). Where a snapshot lists everything that a channel has,
    `catalogue_of` is the column that names what it lists: what the next snapshot lacks is gone, or lost.
    """

    entity: str
    world: str
    kind: Literal["event", "state"]
    description: str
    key: tuple[str, ...]
    event_time: str
    columns: tuple[Column, ...]
    affected_days: AffectedDays
    synthetic_id: SyntheticId | None = None
    catalogue_of: str | None = None

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """The columns as Arrow types, chosen by asking DuckDB."""
        import pyarrow as pa

        return pa.schema([(c.name, _arrow_type(c.type)) for c in self.columns])

    @cached_property
    def hash(self) -> str:
        """Changes with anything that changes which rows are kept or how they are stored; not with descriptions."""
        shape = {
            "key": self.key,
            "event_time": self.event_time,
            "synthetic_id": [self.synthetic_id.column, self.synthetic_id.of] if self.synthetic_id else None,
            "columns": [(c.name, c.type, c.required, c.minimum, c.maximum) for c in self.columns],
        }
        return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def has_ids(self) -> bool:
        """Whether rows are events that an id names: two rows of one id are one event, whenever they say it was."""
        return self.kind == "event" and self.event_time not in self.key

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


@cache
def _types_connection() -> duckdb.DuckDBPyConnection:
    # Here, as pyarrow above: most commands read contracts without asking for types, and both take time to import.
    import duckdb

    return duckdb.connect()


@cache
def _arrow_type(duckdb_type: str) -> pa.DataType:
    table = _types_connection().execute(f"select cast(null as {duckdb_type}) as typed limit 0").to_arrow_table()
    return table.schema.field("typed").type


# libyaml reads the contracts in a tenth of a second, Python alone in one.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _column(entity: str, spec: dict[str, Any]) -> Column:
    meta = spec.get("config", {}).get("meta", {})
    unknown = set(meta) - {"required", "personal", "minimum", "maximum"}
    if unknown:
        raise ContractError(f"{entity}.yml: column {spec['name']} has unknown meta {sorted(unknown)}")
    return Column(spec["name"], spec["data_type"], spec.get("description", ""), **meta)


def _affected_days(entity: str, spec: dict[str, Any], columns: list[str]) -> AffectedDays:
    unknown = set(spec) - {"before", "after", "interval_if_changed", "all_if_changed"}
    if unknown:
        raise ContractError(f"{entity}.yml: affected_days has unknown keys {sorted(unknown)}")
    lists = {name: tuple(spec.get(name, ())) for name in ("interval_if_changed", "all_if_changed")}
    missing = {column for compared in lists.values() for column in compared} - set(columns)
    if missing:
        raise ContractError(f"{entity}.yml: affected_days names {sorted(missing)}, which are no columns")
    return AffectedDays(int(spec["before"]), int(spec["after"]), **lists)


def read_contract(path: Path) -> Contract:
    """Read one contract file. Raises ContractError when a part is missing."""
    try:
        table = yaml.load(path.read_text(encoding="utf-8"), _LOADER)["sources"][0]["tables"][0]
        meta = table["config"]["meta"]
        synthetic = meta.get("synthetic_id")
        return Contract(
            entity=table["name"],
            world=path.parent.name,
            kind=meta["kind"],
            description=table["description"],
            key=tuple(meta["key"]),
            event_time=meta["event_time"],
            columns=tuple(_column(table["name"], c) for c in table["columns"]),
            affected_days=_affected_days(table["name"], meta["affected_days"], [c["name"] for c in table["columns"]]),
            synthetic_id=SyntheticId(synthetic["column"], tuple(synthetic["of"])) if synthetic else None,
            catalogue_of=meta.get("catalogue_of"),
        )
    except (KeyError, IndexError, TypeError) as error:
        raise ContractError(
            f"{path.name}: not a contract, {error!r} is missing; see any other file beside it"
        ) from error


@cache
def load_contracts(folder: Path = CONTRACT_FILES) -> dict[str, Contract]:
    """All contracts by entity name, in the order of their names."""
    return {c.entity: c for c in map(read_contract, sorted(folder.rglob("*.yml"), key=lambda path: path.name))}


def contract(entity: str) -> Contract:
    """The contract of one entity. Raises ContractError for a name that has none."""
    named = load_contracts().get(entity)
    if named is None:
        raise ContractError(f"no contract for entity '{entity}'; there are: {', '.join(load_contracts())}")
    return named
