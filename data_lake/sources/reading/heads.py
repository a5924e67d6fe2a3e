"""What the start of a file looks like: what formats are recognised by. Light, as every format imports it."""

from __future__ import annotations

DELIMITERS = ",\t;|"


def delimiter_of(header: str) -> str:
    """The delimiter that splits a header line into most fields; a comma when none does."""
    return max(DELIMITERS, key=header.count)


def are_json_lines(start: str) -> bool:
    """Whether most of the first whole lines of a file are JSON objects, each on a line of its own."""
    lines = [line.strip() for line in start.split("\n")]
    whole = [line for line in (lines[:-1] if len(lines) > 1 else lines)[:20] if line]
    return sum(line.startswith("{") and line.endswith("}") for line in whole) * 2 > len(whole)
