"""Files replaced whole: a reader sees the old content or the new one, a killed writer leaves the old."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
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


# What a writer names the file it has not finished, and by its process.
_UNFINISHED = re.compile(r"\.(?:[0-9a-f]{16}-.+|.+\.(?:parquet|json|yml|sql))\.(?P<process>\d{1,10})")


def sweep(folders: Iterable[Path]) -> list[Path]:
    """Remove files that writers left unfinished when they were killed; returns them. Those of live processes stay."""
    swept = []
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                unfinished = _UNFINISHED.fullmatch(name)
                if unfinished and not _is_running(int(unfinished["process"])):
                    path = Path(place, name)
                    path.unlink(missing_ok=True)
                    swept.append(path)
    return swept


def _is_running(process: int) -> bool:
    """Whether another process of this number runs: what this one writes, it is not writing now."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
