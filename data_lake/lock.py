"""One process at a time: a lock on a file that dies with its holder.

The kernel's file lock (flock) is the lock, so a killed process leaves none behind; what is written in the file is only
for people, and a file that an earlier process left there locks nothing. (The filelock package empties the file at each
attempt to take it, so a waiting process would erase the name of the one it waits for.)

`LakeLock` is the right to write a lake. What else only one process may do takes a `ProcessLock` on a file of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from data_lake.errors import LakeError
from data_lake.layout import Layout

RETRY_SECONDS = 0.2


class LockBusy(LakeError):
    """Another process has the lock; the message names it."""


class LakeBusy(LockBusy):
    """Another process writes this lake."""


class ProcessLock:
    """A lock as a context manager; a second one on the same file waits, in the same process as well.

    `activity` says what only one process may do, such as 'twitch is being pulled', `run_id` who does it. `on_wait` is
    told once who has the lock; `error` is raised instead of waiting when `wait` is false.
    """

    error: ClassVar[type[LockBusy]] = LockBusy
    advice: ClassVar[str] = "wait for it to end"

    def __init__(
        self,
        path: Path,
        activity: str,
        run_id: str,
        *,
        wait: bool = True,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self._path, self._activity, self._run_id = path, activity, run_id
        self._wait, self._on_wait = wait, on_wait
        self._descriptor: int | None = None

    def acquire(self) -> Self:
        """Take the lock. Raises `error` at once when another has it and `wait` is false."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        is_waiting = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                message = f"{self._activity} by {holder(self._path)}"
                if not self._wait:
                    os.close(descriptor)
                    raise self.error(f"{message}; {self.advice}") from None
                if not is_waiting and self._on_wait:
                    self._on_wait(f"{message}; waiting for it to end")
                is_waiting = True
                time.sleep(RETRY_SECONDS)
        os.ftruncate(descriptor, 0)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "run_id": self._run_id, "started": started}).encode(), 0)
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Give the lock back; nothing when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


# The lake locks this process holds, by path, with how often each was taken: command line and asset both take the lock
# at their first writing step, and both may run in one process.
_held: dict[Path, tuple[ProcessLock, int]] = {}


class LakeLock(ProcessLock):
    """The right to write a lake. Taking it again in the same process is free."""

    error = LakeBusy
    advice = "wait for it to end, or run without --no-wait"

    def __init__(
        self, layout: Layout, run_id: str, *, wait: bool = True, on_wait: Callable[[str], None] | None = None
    ) -> None:
        activity = f"the lake {layout.root} is being written"
        super().__init__(layout.lock, activity, run_id, wait=wait, on_wait=on_wait)

    def acquire(self) -> Self:
        if self._path in _held:
            first, count = _held[self._path]
            _held[self._path] = (first, count + 1)
        else:
            super().acquire()
            _held[self._path] = (self, 1)
        return self

    def release(self) -> None:
        """Give the lock back once every taker in this process has."""
        if self._path not in _held:
            return
        first, count = _held[self._path]
        if count > 1:
            _held[self._path] = (first, count - 1)
        else:
            del _held[self._path]
            ProcessLock.release(first)


def holder(path: Path) -> str:
    """Who wrote the lock file last, in words."""
    try:
        written = json.loads(path.read_text())
        return f"process {written['pid']} (run {written['run_id']}, since {written['started']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
