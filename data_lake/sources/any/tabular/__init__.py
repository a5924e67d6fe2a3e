"""Tables of any shape, mapped to the lake's entities by SQL: CSV, TSV, JSON, JSONL, Parquet, Excel.

landing/tabular/<name>/ holds the files and one mapping per entity (see `mapping`). What a file's rows are is a function
of the file, its sidecar and the mappings beside it.
"""

from __future__ import annotations

from data_lake.contracts import load_contracts
from data_lake.sources.any.tabular.mapping import MappingError, mappings_for
from data_lake.sources.base import Evidence, Head, Source, reader_of


def recognise(head: Head) -> str | None:
    """What the file is when a mapping beside it reads it; else None."""
    try:
        mappings = mappings_for(head.path)
    except (MappingError, OSError):
        return None
    return f"a table mapped by {', '.join(m.name for m in mappings)}" if mappings else None


SOURCE = Source(
    name="tabular",
    world="any",
    version=1,
    entities=tuple(load_contracts()),
    evidence=Evidence.PLACED,
    trust=50,
    looks_for="a file in a folder of landing/tabular/ whose mappings (<entity>.sql) name it in their '-- files:' line",
    recognise=recognise,
    parse=reader_of(__name__),
)
