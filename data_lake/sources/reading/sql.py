"""Pieces of SQL that the selects of several formats are made of."""

from __future__ import annotations

from collections.abc import Mapping


def quoted(name: str) -> str:
    """A name of a column as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a constant."""
    return "'" + text.replace("'", "''") + "'"


def json_object(columns: Mapping[str, str]) -> str:
    """A JSON object of the values that are not null; null when all are."""
    parts = ", ".join(f"""'"{name}":' || to_json({sql})""" for name, sql in columns.items())
    return f"nullif('{{' || concat_ws(',', {parts}) || '}}', '{{}}')"
