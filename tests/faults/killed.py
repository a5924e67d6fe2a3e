"""Read a lake's new landing files and kill the process at its n-th write: `python -m tests.faults.killed LAKE`.

A write is a call that changes what a zone shows (replace, rename, link, unlink, rmtree, symlink) or that opens a file
for writing. The process kills itself with SIGKILL before the call, or after it, so nothing is tidied up. With `--count`
it runs to the end and prints how many writes there were.
"""

from __future__ import annotations

import argparse
import builtins
import os
import pathlib
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_lake.ingest import ingest
from data_lake.layout import Layout
from data_lake.lock import LakeLock


class Killer:
    """Counts writes and ends the process at one of them."""

    def __init__(self, kill_at: int | None, after: bool) -> None:
        self.kill_at, self.after, self.count = kill_at, after, 0

    def wrap(self, function: Callable[..., Any], counts: Callable[..., bool] = lambda *_: True) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if not counts(*args):
                return function(*args, **kwargs)
            self.count += 1
            due = self.count == self.kill_at
            if due and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*args, **kwargs)
            if due:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    def install(self) -> None:
        for name in ("replace", "rename", "link", "unlink"):
            setattr(os, name, self.wrap(getattr(os, name)))
        for name in ("unlink", "symlink_to", "mkdir"):
            setattr(pathlib.Path, name, self.wrap(getattr(pathlib.Path, name)))
        shutil.rmtree = self.wrap(shutil.rmtree)
        opens = self.wrap(builtins.open, lambda *args: len(args) > 1 and "w" in str(args[1]))
        builtins.open = opens


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("lake", type=Path)
    parser.add_argument("--kill-at", type=int)
    parser.add_argument("--after", action="store_true")
    parser.add_argument("--count", action="store_true")
    said = parser.parse_args()
    layout = Layout(said.lake)
    killer = Killer(said.kill_at, said.after)
    with LakeLock(layout, "a test"):
        killer.install()
        ingest(layout)
    if said.count:
        print(killer.count)


if __name__ == "__main__":
    main()
