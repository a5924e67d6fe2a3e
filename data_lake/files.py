"""Files replaced whole: a reader sees the old content or the new one, a killed writer leaves the old."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def replace_file(path: Path, content: bytes | memoryview | pa.Buffer) -> bool:
    """Write a file beside its place and move it there; False, and no write, when it already says the same."""
    if path.exists() and path.stat().st_size == len(content) and path.read_bytes() == bytes(content):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)  # half a file must not take the room that a full disk lacks
        raise
    return True
