"""The lake's lock as runs hold it: taken once by a run, at its first writing step, and kept until the process ends."""

from __future__ import annotations

from collections.abc import Callable

from data_lake.layout import Layout
from data_lake.lock import LakeLock

# The run of this process that holds each lake: its later steps must not take the lock again.
_holders: dict[str, str] = {}


def hold(layout: Layout, run_id: str, *, wait: bool = True, on_wait: Callable[[str], None] | None = None) -> None:
    """Take the lock for this run unless the run has it. Raises LakeBusy when another process has it and not `wait`."""
    if _holders.get(str(layout.root)) != run_id:
        LakeLock(layout, run_id, wait=wait, on_wait=on_wait).acquire()
        _holders[str(layout.root)] = run_id
