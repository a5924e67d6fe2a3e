"""One writing process per lake: a lock that dies with its holder.

The kernel's file lock (flock) is the lock, so a killed run leaves none behind; what is written in the file is only for
people, and a file that an earlier run left there locks nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType

from data_lake.layout import Layout


class LakeBusy(Exception):
    """Another process writes this lake; the message names it."""


# File descriptors of the locks this process holds, by path, with how often each was taken: command line and asset
# both take the lock at their first writing step, and both may run in one process.
_held: dict[str, tuple[int, int]] = {}


class LakeLock:
    """The right to write a lake, as a context manager. Taking it again in the same process is free."""

    def __init__(
        self, layout: Layout, run_id: str, *, wait: bool = True, on_wait: Callable[[str], None] | None = None
    ) -> None:
        self._layout, self._run_id, self._wait, self._on_wait = layout, run_id, wait, on_wait

    def acquire(self) -> LakeLock:
        """Take the lock. Raises LakeBusy at once when `wait` is false and another process holds it."""
        path = str(self._layout.lock)
        if path in _held:
            descriptor, count = _held[path]
            _held[path] = (descriptor, count + 1)
            return self
        self._layout.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                message = f"the lake {self._layout.root} is being written by {holder(self._layout)}"
                if not self._wait:
                    os.close(descriptor)
                    raise LakeBusy(f"{message}; wait for it to end, or run without --no-wait") from None
                if not told and self._on_wait:
                    self._on_wait(f"{message}; waiting for it to end")
                    told = True
                time.sleep(0.2)
        os.ftruncate(descriptor, 0)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "run_id": self._run_id, "started": started}).encode(), 0)
        _held[path] = (descriptor, 1)
        return self

    def release(self) -> None:
        """Give the lock back once every taker in this process has."""
        path = str(self._layout.lock)
        if path not in _held:
            return
        descriptor, count = _held[path]
        if count > 1:
            _held[path] = (descriptor, count - 1)
            return
        del _held[path]
        os.close(descriptor)

    def __enter__(self) -> LakeLock:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, activity: TracebackType | None
    ) -> None:
        self.release()


def holder(layout: Layout) -> str:
    """Who wrote the lock file last, in words."""
    try:
        said = json.loads(layout.lock.read_text())
        return f"process {said['pid']} (run {said['run_id']}, since {said['started']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
