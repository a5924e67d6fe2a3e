"""What is never taken from Streampai: tokens, addresses of donors, ids of payers; not in `extra`, not in quarantine.

Private columns are not read at all; private members of JSON text are cut out of what is kept.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import TEXT

_WORDS = r"(?:token|secret|password|e_?mail|payer|api_?key)"
_PRIVATE = re.compile(_WORDS, re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SUSPECT = f"(?i){_WORDS}|@"  # a cheap test that all private text passes (RE2)

# A member of broken JSON text, which may stand in JSON or CSV: its quotes are then escaped or doubled, all alike.
_MEMBER = re.compile(
    rf'(?P<quote>\\*"{{1,2}})[^"\\]*{_WORDS}[^"\\]*(?P=quote)\s*:\s*'
    r'(?:"(?!")(?:[^"\\]|\\.)*"|(?P=quote).*?(?P=quote)|[^\s",{}\[\]\\]+)',
    re.IGNORECASE | re.DOTALL,
)
_KEY_LEFT = re.compile(rf'{_WORDS}[^":\\]*\\*"{{1,2}}\s*:', re.IGNORECASE)
_WITHHELD = "(not kept: it may hold private fields)"


def is_private(column: str) -> bool:
    """Whether a column must not be read."""
    return _PRIVATE.search(column) is not None


def redacted(text: str) -> str:
    """The text without private members and addresses; nothing of it where they cannot be told apart."""
    try:
        return json.dumps(_cleaned(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        text = _MEMBER.sub(lambda member: f"{member['quote']}not_kept{member['quote']}:null", text)
    return _WITHHELD if _KEY_LEFT.search(text) else _ADDRESS.sub("(not kept)", text)


def _cleaned(value: Any) -> Any:
    """The value without private members at any depth, also in texts that hold JSON."""
    if isinstance(value, dict):
        return {name: _cleaned(inner) for name, inner in value.items() if not is_private(name)}
    if isinstance(value, list):
        return [_cleaned(inner) for inner in value]
    if not isinstance(value, str):
        return value
    return redacted(value) if value.lstrip()[:1] in ("{", "[") else _ADDRESS.sub("(not kept)", value)


def without_private(table: pa.Table) -> pa.Table:
    """The table with `extra` and the original text redacted; an `extra` that cannot be is left out."""
    for name in {TEXT, "extra"} & set(table.column_names):
        suspect = pc.fill_null(pc.match_substring_regex(table[name], _SUSPECT), False)
        places = np.flatnonzero(suspect.to_numpy())
        if not len(places):
            continue
        values = table[name].to_pylist()
        for place in places.tolist():
            kept = redacted(values[place])
            values[place] = None if kept == _WITHHELD and name == "extra" else kept
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return table
