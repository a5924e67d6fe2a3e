"""Writing one table as Postgres and its tools export it: Parquet, CSV (`\\copy`) or JSONL (`row_to_json`)."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Kind = Literal["text", "integer", "number", "boolean", "second", "microsecond", "json", "list"]
ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.string(),
    "boolean": pa.bool_(),
    "second": pa.timestamp("us"),
    "microsecond": pa.timestamp("us"),
    "json": pa.string(),
    "list": pa.list_(pa.string()),
}

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_text(value: object) -> str:
    """A value as compact JSON."""
    return quoted(value) if isinstance(value, str) else _encoder.encode(value)


@dataclass(frozen=True)
class Field:
    """A column: times are microseconds from 1970 (None: null), json is JSON text, number is decimal text."""

    name: str
    kind: Kind
    values: Sequence[Any]


def write_table(path: Path, fields: Sequence[Field]) -> None:
    """Write the fields as the suffix of the path says; a table without rows is written with its header."""
    if path.suffix == ".parquet":
        arrays = [
            pa.array(f.values, pa.int64() if ARROW[f.kind] == pa.timestamp("us") else ARROW[f.kind]) for f in fields
        ]
        cast = [a.cast(ARROW[f.kind]) for a, f in zip(arrays, fields, strict=True)]
        pq.write_table(pa.table(dict(zip([f.name for f in fields], cast, strict=True))), path, compression="zstd")
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([f.name for f in fields])
            writer.writerows(zip(*(_csv(f) for f in fields), strict=True))
    else:
        names = [json_text(f.name) for f in fields]
        rows = zip(*(_json(f) for f in fields), strict=True)
        lines = ["{" + ",".join(f"{n}:{v}" for n, v in zip(names, row, strict=True)) + "}\n" for row in rows]
        path.write_text("".join(lines), encoding="utf-8")


def _times(field: Field, separator: str) -> list[str | None]:
    filled = np.array([0 if v is None else v for v in field.values], np.int64).astype("M8[us]")
    texts = np.datetime_as_string(filled, "s" if field.kind == "second" else "us").tolist()
    return [None if v is None else t.replace("T", separator) for v, t in zip(field.values, texts, strict=True)]


def _csv(field: Field) -> Sequence[Any]:
    if field.kind in ("second", "microsecond"):
        return _times(field, " ")
    if field.kind == "boolean":
        return [None if v is None else "t" if v else "f" for v in field.values]
    if field.kind == "list":
        return [None if v is None else "{" + ",".join(f'"{x}"' for x in v) + "}" for v in field.values]
    return field.values


def _json(field: Field) -> list[str]:
    if field.kind in ("second", "microsecond"):
        return ["null" if t is None else f'"{t}"' for t in _times(field, "T")]
    if field.kind in ("json", "number"):
        return ["null" if v is None else v for v in field.values]
    if field.kind == "text":
        return ["null" if v is None else quoted(v) for v in field.values]
    return [json_text(v) for v in field.values]
